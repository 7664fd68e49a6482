"""The image flow in PyTorch.  Tensors are (batch, height, width, channels) as in TensorFlow: channels last."""

import math

import torch
from torch import nn

from engines.pytorch_layers import DEVICE
from engines.pytorch_step import Step, adam

LEVELS, STEPS, FILTERS = 3, 6, 48
OFFSET_STEPS, OFFSET_FILTERS = 4, 16
MARGIN, BYTE, LEVELS_OF_A_BYTE = 0.005, 255, 256
STRETCH = (1 - 2 * MARGIN) * BYTE / LEVELS_OF_A_BYTE


class ImageFlow(Step):
    """A bound on the likelihood of bytes, with offsets from a flow of their own; each gradient is clipped."""

    def __init__(self, case, stock, fast):
        height, width, channels = case.image_shape
        super().__init__(case, fast, flow=nn.ModuleList([Offsets(channels), Flow(channels)]))
        self.offsets, self.flow = self.networks["flow"]
        self.shapes = []
        for level in range(LEVELS):
            channels *= 2 if level < LEVELS - 1 else 4
            height, width = height // 2, width // 2
            self.shapes.append((height, width, channels))
        self.weights = list(self.networks["flow"].parameters())
        self.optimizer = adam(self.weights, 3e-3)
        self.sampler = Inverse(self.flow, self.shapes)
        self.has_begun = False
        self.bound = self.fast(self.bound)

    def bound(self, images, noise):
        """Nats of each image, of images and noise (batch, height, width, channels)."""
        offsets, log_q = self.offsets(images, noise)
        parts, log_det = self.flow(*to_logits(images + (offsets - 0.5) / BYTE))
        latents = torch.cat([part.flatten(1) for part in parts], 1)
        return log_q + self.case.latent_dim * math.log(BYTE) - log_normal(latents) - log_det

    def __call__(self, images, labels, autocast):
        images = images.permute(0, 2, 3, 1)
        noise = torch.randn(images.shape, device=DEVICE)
        with autocast:
            if not self.has_begun:
                self.begin_with(images, noise)
            loss = self.bound(images, noise).mean() / self.case.latent_dim
        self.learn(loss, self.optimizer, self.clip)
        return {"loss": loss.detach()}

    def begin_with(self, images, noise):
        """The first batch says where the normalisations begin."""
        self.has_begun = True
        with torch.no_grad():
            offsets, _ = self.offsets(images, noise)
            self.flow(*to_logits(images + (offsets - 0.5) / BYTE), begin=True)

    def clip(self):
        """No gradient of a weight is longer than 1."""
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        lengths = torch._foreach_norm(gradients)
        torch._foreach_clamp_min_(lengths, 1.0)
        torch._foreach_div_(gradients, lengths)

    def ready_to_sample(self):
        with torch.no_grad():
            for layer in self.flow.modules():
                if isinstance(layer, Mixing):
                    layer.invert()
        super().ready_to_sample()

    def images(self, made):
        return made.permute(0, 3, 1, 2)


class Flow(nn.Module):
    """Logits of images, and log-determinants (batch,) -> (what leaves at each size, log-determinants)."""

    def __init__(self, channels):
        super().__init__()
        self.levels = nn.ModuleList()
        for level in range(LEVELS):
            splits = level < LEVELS - 1
            steps = [Normalization, Mixing, lambda size: Coupling(size, FILTERS)]
            maps = [make(4 * channels) for _ in range(STEPS) for make in steps]
            maps.append(Coupling(4 * channels, FILTERS) if splits else Normalization(4 * channels))
            self.levels.append(nn.ModuleList(maps))
            channels *= 2

    def forward(self, x, log_det, begin=False):
        parts = []
        for level, maps in enumerate(self.levels):
            x = squeezed(x)
            for layer in maps:
                if begin and isinstance(layer, Normalization):
                    layer.begin_with(x)
                x, added = layer(x)
                log_det = log_det + added
            if level < LEVELS - 1:
                x, leaves = x.chunk(2, -1)
                parts.append(leaves)
        return [*parts, x], log_det


class Normalization(nn.Module):
    """Each channel shifted and scaled."""

    def __init__(self, channels):
        super().__init__()
        self.shift, self.log_scale = (nn.Parameter(torch.zeros(channels)) for _ in range(2))

    def begin_with(self, x):
        self.shift.copy_(-x.mean((0, 1, 2)))
        self.log_scale.copy_(-0.5 * (x.var((0, 1, 2), correction=0) + 1e-6).log())

    def forward(self, x):
        return (x + self.shift) * self.log_scale.exp(), x.shape[1] * x.shape[2] * self.log_scale.sum()

    def inverse(self, x):
        return x * (-self.log_scale).exp() - self.shift


class Mixing(nn.Module):
    """Each pixel's channels times one matrix, kept as its LU decomposition."""

    def __init__(self, channels):
        super().__init__()
        rotation = torch.linalg.qr(torch.randn(channels, channels))[0]
        permutation, lower, upper = torch.linalg.lu(rotation)
        diagonal = upper.diagonal()
        self.log_scale = nn.Parameter(diagonal.abs().log())
        self.below, self.above = nn.Parameter(lower.tril(-1)), nn.Parameter(upper.triu(1))
        self.register_buffer("order", permutation.argmax(1))
        self.register_buffer("sign", diagonal.sign())
        self.register_buffer("one", torch.eye(channels))
        self.register_buffer("inverted", torch.eye(channels))

    def factors(self):
        upper = self.above.triu(1) + torch.diag(self.sign * self.log_scale.exp())
        return self.below.tril(-1) + self.one, upper

    def forward(self, x):
        with torch.autocast(DEVICE, enabled=False):
            lower, upper = self.factors()
            matrix = (lower @ upper)[self.order]
            return x.float() @ matrix, x.shape[1] * x.shape[2] * self.log_scale.sum()

    def invert(self):
        """Keeps the inverse of the matrix for `inverse`."""
        lower, upper = self.factors()
        solved = torch.linalg.solve_triangular(lower, self.one, upper=False, unitriangular=True)
        self.inverted.copy_(torch.linalg.solve_triangular(upper, solved, upper=True)[:, self.order])

    def inverse(self, x):
        with torch.autocast(DEVICE, enabled=False):
            return x.float() @ self.inverted


class Coupling(nn.Module):
    """The second half of the channels, moved and stretched by what convolutions say of the first."""

    def __init__(self, channels, filters, context=0):
        super().__init__()
        seen = channels // 2 + context
        self.neighbours = nn.Conv2d(seen, filters, 3, padding=1)
        self.pixel = nn.Conv2d(filters, filters, 1)
        self.said = nn.Conv2d(filters, 2 * (channels - channels // 2), 3, padding=1)
        nn.init.zeros_(self.said.weight)
        nn.init.zeros_(self.said.bias)

    def shift_and_log_scale(self, given, context):
        seen = given if context is None else torch.cat([given, context], -1)
        x = torch.relu(self.neighbours(seen.permute(0, 3, 1, 2)))
        said = self.said(torch.relu(self.pixel(x))).float()
        shift, raw = said.permute(0, 2, 3, 1).chunk(2, -1)
        return shift, raw.tanh()

    def forward(self, x, context=None):
        given, changed = x.chunk(2, -1)
        shift, log_scale = self.shift_and_log_scale(given, context)
        return torch.cat([given, (changed + shift) * log_scale.exp()], -1), log_scale.sum((1, 2, 3))

    def inverse(self, x):
        given, changed = x.chunk(2, -1)
        shift, log_scale = self.shift_and_log_scale(given, None)
        return torch.cat([given, changed * (-log_scale).exp() - shift], -1)


class Offsets(nn.Module):
    """Offsets of bytes by a flow that sees the image: (images, noise) -> (offsets, log q)."""

    def __init__(self, channels):
        super().__init__()
        self.neighbours = nn.Conv2d(4 * channels, OFFSET_FILTERS, 3, padding=1)
        self.features = nn.Conv2d(OFFSET_FILTERS, OFFSET_FILTERS, 3, padding=1)
        self.mixings = nn.ModuleList(Mixing(4 * channels) for _ in range(OFFSET_STEPS))
        self.couplings = nn.ModuleList(
            Coupling(4 * channels, OFFSET_FILTERS, OFFSET_FILTERS) for _ in range(OFFSET_STEPS)
        )

    def forward(self, images, noise):
        seen = torch.relu(self.neighbours((squeezed(images) - 0.5).permute(0, 3, 1, 2)))
        context = self.features(seen).float().permute(0, 2, 3, 1)
        x, log_det = squeezed(noise), 0.0
        for mixing, coupling in zip(self.mixings, self.couplings):
            x, mixed = mixing(x)
            x, coupled = coupling(x, context)
            log_det = log_det + mixed + coupled
        x = widened(x)
        offsets = (0.5 * torch.erfc(-x / math.sqrt(2))).clamp(0, 1)
        return offsets, log_normal(noise.flatten(1)) - log_det - log_normal(x.flatten(1))


class Inverse(nn.Module):
    """Latent points -> images."""

    def __init__(self, flow, shapes):
        super().__init__()
        self.flow, self.shapes = flow, shapes

    def forward(self, latents):
        parts = latents.split([math.prod(shape) for shape in self.shapes], 1)
        parts = [part.view(-1, *shape) for part, shape in zip(parts, self.shapes)]
        x = None
        for part, maps in zip(reversed(parts), reversed(self.flow.levels)):
            x = part if x is None else torch.cat([x, part], -1)
            for layer in reversed(maps):
                x = layer.inverse(x)
            x = widened(x)
        share = (torch.sigmoid(x) - MARGIN) / (1 - 2 * MARGIN)
        return ((LEVELS_OF_A_BYTE * share - 0.5) / BYTE).clamp(0, 1)


def to_logits(images):
    p = MARGIN + (1 - 2 * MARGIN) / (2 * LEVELS_OF_A_BYTE) + STRETCH * images
    slope = math.log(STRETCH) - p.log() - (1 - p).log()
    return p.log() - (1 - p).log(), slope.sum((1, 2, 3))


def squeezed(x):
    """Four pixels as one of four times the channels, in TensorFlow's order."""
    batch, height, width, channels = x.shape
    blocks = x.reshape(batch, height // 2, 2, width // 2, 2, channels).transpose(2, 3)
    return blocks.reshape(batch, height // 2, width // 2, 4 * channels)


def widened(x):
    """The inverse of `squeezed`."""
    batch, height, width, channels = x.shape
    blocks = x.reshape(batch, height, width, 2, 2, channels // 4).transpose(2, 3)
    return blocks.reshape(batch, 2 * height, 2 * width, channels // 4)


def log_normal(x):
    return -0.5 * (x.square().sum(1) + x.shape[1] * math.log(2 * math.pi))
