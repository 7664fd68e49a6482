"""The energy-based model in PyTorch, on images turned by 180 degrees as in `pytorch_networks.py`."""

import torch
from torch import nn

from engines.pytorch_layers import DEVICE, FlattenChannelsLast
from engines.pytorch_step import Step, adam

LANGEVIN_STEPS, STEP_SIZE, NOISE, SLOPE_CLIP = 20, 10.0, 0.005, 0.03
BUFFER_SIZE, FRESH, REACH = 2048, 0.05, 0.25
PENALTY, DATA_NOISE = 0.01, 0.02
FILTERS, UNITS = (16, 32, 64, 64), 64


class EBM(Step):
    """Contrastive divergence with a buffer of chains on the device; images in [-1, 1]."""

    symmetric = True
    while_sampling = torch.no_grad  # slopes are gradients

    def __init__(self, case, stock, fast):
        height, width, channels = case.image_shape
        super().__init__(case, fast, network=energy_network(case.image_shape))
        (self.network,) = self.networks.values()
        self.optimizer = adam(self.network.parameters(), 7e-4)
        buffer = torch.rand(BUFFER_SIZE, height, width, channels, device=DEVICE) * 2 * REACH - REACH
        self.buffer = buffer.permute(0, 3, 1, 2)
        self.loss = fast(self.loss)
        # What is compiled has the slope within; eagerly autograd gives it quicker.
        self.move = self.move_along(self.slope) if fast(abs) is abs else fast(self.move_along(self.traced_slope))

    def energy(self, images):
        return self.network(images).float()[:, 0]

    def slope(self, images):
        with torch.enable_grad():
            images = images.detach().requires_grad_()
            return torch.autograd.grad(self.energy(images).sum(), images)[0]

    def traced_slope(self, images):
        return torch.func.grad(lambda x: self.energy(x).sum())(images)

    def move_along(self, slope):
        """A step of Langevin dynamics: function of images and noise."""

        def move(images, noise):
            down = slope(images).clamp(-SLOPE_CLIP, SLOPE_CLIP)
            return (images - STEP_SIZE * down + NOISE * noise).clamp(-1, 1)

        return move

    def walk(self, images, steps):
        with torch.no_grad():
            for _ in range(steps):
                images = self.move(images, torch.randn_like(images))
        return images

    def chains(self, count):
        """(places in the buffer, the chains there, some of them begun anew)."""
        places = torch.rand(BUFFER_SIZE, device=DEVICE).argsort()[:count]
        chains = self.buffer[places]
        is_fresh = torch.rand(count, 1, 1, 1, device=DEVICE) < FRESH
        return places, torch.where(is_fresh, torch.rand_like(chains) * 2 * REACH - REACH, chains)

    def loss(self, both):
        real, fake = self.energy(both).chunk(2)
        return real.mean() - fake.mean() + PENALTY * (real.square().mean() + fake.square().mean())

    def __call__(self, images, labels, autocast):
        reals = (images + DATA_NOISE * torch.randn_like(images)).clamp(-1, 1)
        places, chains = self.chains(len(images))
        with autocast:
            fakes = self.walk(chains, LANGEVIN_STEPS).detach()
            self.buffer[places] = fakes
            loss = self.loss(torch.cat([reals, fakes]))
        self.learn(loss, self.optimizer)
        return {"loss": loss.detach()}

    def ready_to_sample(self):
        self.network.requires_grad_(False)

    def latents(self, size):
        height, width, channels = self.case.image_shape
        noise = torch.rand(size, height, width, channels, device=DEVICE) * 2 * REACH - REACH
        return noise.permute(0, 3, 1, 2)

    def samples(self, latents, labels):
        return self.walk(latents, self.case.sampling_steps) * 0.5 + 0.5


def energy_network(image_shape):
    """Convolutions that halve the image, a dense layer, one number; all with swish."""
    height, width, channels = image_shape
    layers = []
    for index, filters in enumerate(FILTERS):
        size = 5 if index == 0 else 3
        layers += [nn.Conv2d(channels, filters, size, 2, size // 2), nn.SiLU()]
        channels = filters
    halved = 2 ** len(FILTERS)
    flat = height // halved * (width // halved) * channels
    return nn.Sequential(*layers, FlattenChannelsLast(), nn.Linear(flat, UNITS), nn.SiLU(), nn.Linear(UNITS, 1))
