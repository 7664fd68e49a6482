"""The training steps in PyTorch: {model: function of (case, stock, fast) that returns its `Step`}."""

from engines import pytorch_denoising, pytorch_energy, pytorch_image_flow, pytorch_points, pytorch_steps

STEPS = pytorch_steps.STEPS | {
    "realnvp": pytorch_points.RealNVP,
    "continuous_flow": pytorch_points.ContinuousFlow,
    "image_flow": pytorch_image_flow.ImageFlow,
    "ebm": pytorch_energy.EBM,
    "diffusion": pytorch_denoising.Diffusion,
    "flow_matching": pytorch_denoising.FlowMatching,
    "book_diffusion": pytorch_denoising.BookDiffusion,
}
