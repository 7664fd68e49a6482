"""The training steps in PyTorch: {model: function of (case, stock, fast) that returns its `Step`}."""

from engines import pytorch_image_flow, pytorch_points, pytorch_steps

STEPS = pytorch_steps.STEPS | {
    "realnvp": pytorch_points.RealNVP,
    "image_flow": pytorch_image_flow.ImageFlow,
    "continuous_flow": pytorch_points.ContinuousFlow,
}
