"""Diffusion and flow matching in PyTorch: the training step with an average of the weights, DDIM and Euler's method."""

import copy
import math
from itertools import pairwise

import torch

from engines.pytorch_layers import DEVICE
from engines.pytorch_step import ON_GPU, Step
from engines.pytorch_unets import BookUNet, QuickUNet

HIGHEST, LOWEST, EXPONENT = 80.0, 0.02, 7.0


class Denoising(Step):
    """What both share; images are standardised.  A subclass writes `loss_at`, `levels` (steps + 1, ...) and `take`."""

    def __init__(self, case, fast, network, rate=3e-3, beta_2=0.99, clip=1.0, decay=0.995, weight_decay=0.0):
        super().__init__(case, fast, unet=network)
        self.network, self.weights = network, list(network.parameters())
        self.averaged = copy.deepcopy(network).requires_grad_(False)
        self.averages, self.decay = _numbers(self.averaged), decay
        self.numbers = _numbers(network)
        # Without decay AdamW is Adam.
        settings = {"eps": 1e-7, "weight_decay": weight_decay, "fused": True, "capturable": ON_GPU}
        self.optimizer = torch.optim.AdamW(self.weights, rate, (0.9, beta_2), **settings)
        self.clips_to = clip
        self.mean, self.stddev = torch.zeros(case.image_shape[::-1], device=DEVICE), torch.ones((), device=DEVICE)
        self.loss = fast(self.loss)

    def loss(self, images):
        count = len(images)
        return self.loss_at((images - self.mean) / self.stddev, self.times(count), torch.randn_like(images)).mean()

    def times(self, count):
        """One from each of as many equal parts of [0, 1)."""
        return (torch.arange(count, device=DEVICE) + torch.rand(count, device=DEVICE)) / count

    def clip(self):
        torch.nn.utils.clip_grad_norm_(self.weights, self.clips_to, foreach=True)

    def __call__(self, images, labels, autocast):
        with autocast:
            loss = self.loss(images)
        self.learn(loss, self.optimizer, None if self.clips_to is None else self.clip)
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, self.numbers, 1 - self.decay)
        return {"loss": loss.detach()}

    def ready_to_sample(self):
        self.averaged.eval()
        self.take, self.noise_levels = self.fast(self.take), self.levels()

    def latents(self, size):
        height, width, channels = self.case.image_shape
        return torch.randn(size, height, width, channels, device=DEVICE).permute(0, 3, 1, 2)

    def samples(self, latents, labels):
        """From noise to images, a step from each level to the next."""
        for here, there in pairwise(self.noise_levels):
            latents = self.take(latents, here, there)
        return (latents * self.stddev + self.mean).clamp(0, 1)


class Diffusion(Denoising):
    """Levels from a log-normal schedule, the velocity as target, squared errors; DDIM."""

    def __init__(self, case, stock, fast):
        super().__init__(case, fast, QuickUNet(case.image_shape))

    def rates(self, times):
        """Signal and noise, (batch, 1, 1, 1)."""
        log_ratio = 1.2 * torch.special.ndtri(times.clamp(1e-4, 1 - 1e-4))[:, None, None, None]
        return torch.sigmoid(-2 * log_ratio).sqrt(), torch.sigmoid(2 * log_ratio).sqrt()

    def loss_at(self, images, times, noise):
        signal, share = self.rates(times)
        output = self.network(signal * images + share * noise, share[:, 0, 0, 0].square())
        return (output - (signal * noise - share * images)).square().mean((1, 2, 3))

    def levels(self):
        """(signal, noise) at levels that lie the closer the less noise there is: tensor (steps + 1, 2)."""
        steps = self.case.sampling_steps
        shares = torch.arange(steps, dtype=torch.float64) / max(1, steps - 1)
        highest, lowest = HIGHEST ** (1 / EXPONENT), LOWEST ** (1 / EXPONENT)
        ratios = torch.cat([(highest + shares * (lowest - highest)) ** EXPONENT, torch.zeros(1, dtype=torch.float64)])
        signals = 1 / (1 + ratios.square()).sqrt()
        return torch.stack([signals, ratios * signals], 1).float().to(DEVICE)

    def take(self, x, here, there):
        (signal, noise), (next_signal, next_noise) = here, there
        image = self.image_behind(x, signal, noise, self.averaged(x, noise.square().expand(len(x))))
        return next_signal * image + next_noise * (x - signal * image) / noise

    def image_behind(self, x, signal, noise, output):
        return signal * x - noise * output


class BookDiffusion(Diffusion):
    """The book's: its U-Net, its schedule, the noise as target, absolute errors."""

    def __init__(self, case, stock, fast):
        settings = {"rate": 1e-3, "beta_2": 0.999, "clip": None, "decay": 0.999, "weight_decay": 1e-4}
        Denoising.__init__(self, case, fast, BookUNet(case.image_shape), **settings)

    def times(self, count):
        return torch.rand(count, device=DEVICE)

    def rates(self, times):
        first, last = math.acos(0.95), math.acos(0.02)
        angle = (first + times * (last - first))[:, None, None, None]
        return angle.cos(), angle.sin()

    def loss_at(self, images, times, noise):
        signal, share = self.rates(times)
        output = self.network(signal * images + share * noise, share[:, 0, 0, 0].square())
        return (output - noise).abs().mean((1, 2, 3))

    def levels(self):
        steps = self.case.sampling_steps
        times = 1 - torch.arange(steps, device=DEVICE) / steps
        levels = torch.stack([rate[:, 0, 0, 0] for rate in self.rates(times)], 1)
        return torch.cat([levels, torch.tensor([[1.0, 0.0]], device=DEVICE)])

    def image_behind(self, x, signal, noise, output):
        return (x - noise * output) / signal


class FlowMatching(Denoising):
    """Straight lines between images and noise, most of them seen in the middle; Euler's method."""

    def __init__(self, case, stock, fast):
        super().__init__(case, fast, QuickUNet(case.image_shape))

    def loss_at(self, images, times, noise):
        u = torch.sigmoid(torch.special.ndtri(times.clamp(1e-4, 1 - 1e-4)))
        share = u[:, None, None, None]
        output = self.network((1 - share) * images + share * noise, u)
        return (output - (noise - images)).square().mean((1, 2, 3))

    def levels(self):
        return torch.linspace(1, 0, self.case.sampling_steps + 1, device=DEVICE)

    def take(self, x, here, there):
        return x + (there - here) * self.averaged(x, here.expand(len(x)))


def _numbers(network):
    """Its weights, and the statistics of its normalisations."""
    return [*network.parameters(), *(buffer for buffer in network.buffers() if buffer.is_floating_point())]
