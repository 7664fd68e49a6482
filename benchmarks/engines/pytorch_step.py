"""What training steps in PyTorch share."""

from collections import defaultdict

import torch

from engines.pytorch_layers import DEVICE

# A CUDA graph can hold only steps that keep their counts on the GPU.
ON_GPU = DEVICE == "cuda"


class Step:
    """Channels last, optimizers, compiling, scaling of float16's losses, and sampling.

    A step is called with (examples, labels, autocast), as tensors and a context, and returns {name: loss}.

    Attributes:
        networks: {name: module}, those that learn.
        sampler: a module that makes samples of latent points, and labels where there are any.
        symmetric: whether it wants images in [-1, 1].
        scales_losses: whether they are scaled for float16.
        fast: compiles a function, or leaves it as it is.
        while_sampling: the context of that.
    """

    symmetric = False
    while_sampling = torch.inference_mode
    scales_losses = False

    def __init__(self, case, fast, **found):
        self.networks = {name: network.to(memory_format=torch.channels_last) for name, network in found.items()}
        self.case, self.fast = case, fast
        self.scalers = defaultdict(lambda: torch.amp.GradScaler(DEVICE, enabled=self.scales_losses))

    def ready_to_sample(self):
        """Called once before the first sample."""
        self.sampler = self.fast(self.sampler.eval())

    def latents(self, size):
        """Points to make so many samples of."""
        return torch.randn(size, self.case.latent_dim, device=DEVICE)

    def samples(self, latents, labels):
        """Samples as the data are: images (size, channels, height, width) in [0, 1], or points."""
        return self.images(self.sampler(latents) if labels is None else self.sampler(latents, labels))

    @staticmethod
    def images(made):
        """What the sampler makes, put into [0, 1]."""
        return made

    def learn(self, loss, optimizer, clip=None):
        """One step of an optimizer down the gradient of a loss; `clip` is called before the weights move."""
        scaler = self.scalers[optimizer]
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        if clip is not None:
            scaler.unscale_(optimizer)
            clip()
        scaler.step(optimizer)
        scaler.update()


def adam(parameters, rate, beta_1=0.9, beta_2=0.999):
    """Adam with Keras' epsilon, in one kernel."""
    return torch.optim.Adam(parameters, rate, (beta_1, beta_2), eps=1e-7, fused=True, capturable=ON_GPU)
