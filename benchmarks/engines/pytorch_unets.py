"""The networks of diffusion and flow matching in PyTorch: (images, levels of noise (batch,)) -> images."""

import math
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

FREQUENCIES, UNITS = 16, 128


def embedded(levels, lowest, highest):
    """Sines and cosines (batch, 2 * FREQUENCIES)."""
    exponents = torch.linspace(math.log(lowest), math.log(highest), FREQUENCIES, device=levels.device)
    angles = 2 * math.pi * exponents.exp() * levels.float()[:, None]
    return torch.cat([angles.sin(), angles.cos()], 1)


class QuickBlock(nn.Module):
    """Two convolutions and what the level of noise says between them, added to what comes in."""

    def __init__(self, size):
        super().__init__()
        self.told = nn.Linear(2 * FREQUENCIES, UNITS)
        self.first = nn.Conv2d(size, size, 3, padding=1)
        self.scale_and_shift = nn.Linear(UNITS, 2 * size)
        self.second = nn.Conv2d(size, size, 3, padding=1)

    def forward(self, x, embedding):
        y = self.first(F.relu(x))
        scale, shift = self.scale_and_shift(F.silu(self.told(embedding)))[:, :, None, None].chunk(2, 1)
        root = torch.rsqrt(y.float().square().mean((1, 2, 3), keepdim=True) + 1e-5).to(y.dtype)
        return x + self.second(F.relu(y * (root * (1 + scale)) + shift))


class QuickUNet(nn.Module):
    """The U-Net for a processor."""

    def __init__(self, image_shape, filters=(16, 32, 64)):
        super().__init__()
        channels = image_shape[-1]
        self.begin = nn.Conv2d(channels, filters[0], 3, padding=1)
        self.down = nn.ModuleList(QuickBlock(size) for size in filters[:-1])
        self.smaller = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairwise(filters))
        self.middle = nn.ModuleList(QuickBlock(filters[-1]) for _ in range(2))
        self.larger = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairwise(filters[::-1]))
        self.up = nn.ModuleList(QuickBlock(size) for size in filters[-2::-1])
        self.end = nn.Conv2d(filters[0], channels, 3, padding=1)
        nn.init.zeros_(self.end.weight)
        nn.init.zeros_(self.end.bias)

    def forward(self, x, levels):
        levels = levels.clamp(1e-6, 1 - 1e-6)
        embedding = embedded(levels.log() - (-levels).log1p(), 0.02, 2.0)
        x, skips = self.begin(x), []
        for block, smaller in zip(self.down, self.smaller):
            x = block(x, embedding)
            skips.append(x)
            x = smaller(F.avg_pool2d(x, 2))
        for block in self.middle:
            x = block(x, embedding)
        for block, larger in zip(self.up, self.larger):
            x = block(F.interpolate(larger(x), scale_factor=2, mode="nearest") + skips.pop(), embedding)
        return self.end(F.relu(x)).float()


class BookBlock(nn.Module):
    """Normalisation and two convolutions, added to what comes in."""

    def __init__(self, before, size):
        super().__init__()
        self.past = nn.Identity() if before == size else nn.Conv2d(before, size, 1)
        self.normalization = nn.BatchNorm2d(before, eps=1e-3, momentum=0.01, affine=False)
        self.first = nn.Conv2d(before, size, 3, padding=1)
        self.second = nn.Conv2d(size, size, 3, padding=1)

    def forward(self, x):
        past = self.past(x)
        return self.second(F.silu(self.first(self.normalization(x)))) + past


class BookUNet(nn.Module):
    """The book's U-Net: the level of noise enters as further channels, and ways meet side by side."""

    def __init__(self, image_shape, filters=(32, 64, 96, 128), blocks=2):
        super().__init__()
        channels = image_shape[-1]
        self.begin = nn.Conv2d(channels, filters[0], 1)
        before, widths = filters[0] + 2 * FREQUENCIES, []
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for size in filters[:-1]:
            sizes = [before] + [size] * blocks
            self.down.append(nn.ModuleList(BookBlock(a, b) for a, b in pairwise(sizes)))
            widths += [size] * blocks
            before = size
        sizes = [before] + [filters[-1]] * blocks
        self.middle = nn.ModuleList(BookBlock(a, b) for a, b in pairwise(sizes))
        before = filters[-1]
        for size in reversed(filters[:-1]):
            wide = [before + widths.pop()] + [size + widths.pop() for _ in range(blocks - 1)]
            self.up.append(nn.ModuleList(BookBlock(width, size) for width in wide))
            before = size
        self.end = nn.Conv2d(filters[0], channels, 1)
        nn.init.zeros_(self.end.weight)
        nn.init.zeros_(self.end.bias)

    def forward(self, x, levels):
        planes = embedded(levels, 1.0, 1000.0)[:, :, None, None].expand(-1, -1, *x.shape[2:])
        x = self.begin(x)
        x, skips = torch.cat([x, planes.to(x.dtype)], 1), []
        for blocks in self.down:
            for block in blocks:
                x = block(x)
                skips.append(x)
            x = F.avg_pool2d(x, 2)
        for block in self.middle:
            x = block(x)
        for blocks in self.up:
            x = F.interpolate(x, scale_factor=2, mode="bilinear")
            for block in blocks:
                x = block(torch.cat([x, skips.pop()], 1))
        return self.end(x).float()
