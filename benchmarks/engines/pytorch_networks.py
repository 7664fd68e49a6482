"""The networks in PyTorch, layer for layer those of `gdl_keras`, on images (batch, channels, height, width).

Images are in [-1, 1] where the book's code has them so (the convolutional GANs), else in [0, 1].  The autoencoder's
decoder ends in logits, so that PyTorch's quicker loss can be used.  Convolutions of 3x3 with stride 2 pad one pixel on
each side, where TensorFlow pads two at the end: the same network on images turned by 180 degrees, without a copy.
"""

import math
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from engines.pytorch_layers import (
    CriticConv2d,
    FlattenChannelsLast,
    GrowingPoint,
    OnceDifferentiableLeakyReLU,
    QuickDropout,
    ReshapeChannelsLast,
)


class Encoder(nn.Module):
    """Strided convolutions and one dense layer, or two: a list of tensors (batch, latent_dim)."""

    def __init__(self, case, heads):
        super().__init__()
        height, width, channels = case.image_shape
        body = []
        for filters in (32, 64, 128):
            body += [nn.Conv2d(channels, filters, 3, 2, 1), nn.ReLU(inplace=True)]
            channels = filters
        self.body = nn.Sequential(*body, FlattenChannelsLast())
        self.heads = nn.ModuleList(nn.Linear(height * width * 2, case.latent_dim) for _ in range(heads))

    def forward(self, x):
        features = self.body(x)
        return [head(features) for head in self.heads]


def decoder(case):
    """The encoder backwards, to logits."""
    height, width, channels = case.image_shape
    start = (height // 8, width // 8, 128)
    x = [nn.Linear(case.latent_dim, math.prod(start)), ReshapeChannelsLast(*start)]
    size = 128
    for filters in (128, 64, 32):
        x += [nn.ConvTranspose2d(size, filters, 3, 2, 1, output_padding=1), nn.ReLU(inplace=True)]
        size = filters
    return nn.Sequential(*x, nn.Conv2d(size, channels, 3, padding=1))


def generator(inputs, channels, filters, use_bias):
    """The DCGAN's generator on vectors (batch, inputs)."""
    x = [nn.Unflatten(1, (inputs, 1, 1)), GrowingPoint(inputs, filters[0], 4)]
    for before, after in pairwise(filters):
        x += [*_normalize_and_activate(before), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
    x += [*_normalize_and_activate(filters[-1]), nn.ConvTranspose2d(filters[-1], channels, 4, 2, 1, bias=use_bias)]
    return nn.Sequential(*x, nn.Tanh())


def discriminator(case, stock):
    """The DCGAN's discriminator."""
    x, before = [], case.image_shape[-1]
    dropout = nn.Dropout if stock else QuickDropout
    for index, after in enumerate((64, 128, 256, 512)):
        x.append(nn.Conv2d(before, after, 4, 2, 1, bias=False))
        x += _normalize_and_activate(after) if index > 0 else [nn.LeakyReLU(0.2, inplace=True)]
        x.append(dropout(0.3))
        before = after
    return nn.Sequential(*x, nn.Conv2d(before, 1, 4, bias=False), nn.Flatten())


def critic(channels, filters, stock):
    """The WGAN-GP's critic."""
    x = []
    dropout = nn.Dropout if stock else QuickDropout
    convolution = nn.Conv2d if stock else CriticConv2d
    activation = nn.LeakyReLU if stock else OnceDifferentiableLeakyReLU
    for index, after in enumerate(filters):
        x += [convolution(channels, after, 4, 2, 1), activation(0.2)]
        if index > 0:
            x.append(dropout(0.3))
        channels = after
    return nn.Sequential(*x, convolution(channels, 1, 4), nn.Flatten())


def dense_generator(case):
    """The dense GAN's generator, whose images lie as TensorFlow's do."""
    height, width, channels = case.image_shape
    x = [nn.Linear(case.latent_dim, 100), nn.SELU(inplace=True), nn.Linear(100, 150), nn.SELU(inplace=True)]
    return nn.Sequential(
        *x, nn.Linear(150, math.prod(case.image_shape)), nn.Sigmoid(), ReshapeChannelsLast(height, width, channels)
    )


def dense_discriminator(case):
    """The dense GAN's discriminator."""
    x = [nn.Linear(math.prod(case.image_shape), 150), nn.SELU(inplace=True), nn.Linear(150, 100)]
    return nn.Sequential(FlattenChannelsLast(), *x, nn.SELU(inplace=True), nn.Linear(100, 1))


class Residual(nn.Module):
    """Two convolutions of 3x3, and past them one of 1x1; `wrap` goes round each."""

    def __init__(self, before, after, wrap=lambda layer: layer, last_activation=True):
        super().__init__()
        self.shortcut = wrap(nn.Conv2d(before, after, 1, bias=False))
        self.first = wrap(nn.Conv2d(before, after, 3, padding=1))
        self.second = wrap(nn.Conv2d(after, after, 3, padding=1))
        self.last_activation = last_activation

    def forward(self, x):
        y = self.second(F.leaky_relu_(self.first(x), 0.01))
        if self.last_activation:
            y = F.leaky_relu_(y, 0.01)
        return y + self.shortcut(x)


class HingeGenerator(nn.Module):
    """The hinge GAN's generator: dense layers, residual blocks, bilinear resizing."""

    def __init__(self, case):
        super().__init__()
        start = (case.image_shape[0] // 4, case.image_shape[1] // 4, 16)
        size = math.prod(start)
        self.embedding = nn.Embedding(case.num_classes, 8)
        widths = [case.latent_dim + 8, 128, 128, size]
        self.dense = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))
        self.past = nn.Linear(widths[0], size, bias=False)
        self.reshape = ReshapeChannelsLast(*start)
        channels = case.image_shape[-1]
        self.blocks = nn.ModuleList([Residual(16, 64), Residual(64, 64), Residual(64, channels, last_activation=False)])

    def forward(self, latents, labels):
        points = x = torch.cat([latents, self.embedding(labels)], 1)
        for layer in self.dense:
            x = F.leaky_relu(layer(x), 0.01, inplace=True)
        x = self.blocks[0](self.reshape(x + self.past(points)))
        for block in self.blocks[1:]:
            x = block(F.interpolate(x, scale_factor=2, mode="bilinear"))
        return torch.tanh(x)


class HingeDiscriminator(nn.Module):
    """The hinge GAN's discriminator: spectral normalisation, a projection of the label."""

    def __init__(self, case):
        super().__init__()
        height, width, channels = case.image_shape
        sizes = [channels, 64, 64, 16]
        self.blocks = nn.ModuleList(Residual(before, after, spectral_norm) for before, after in pairwise(sizes))
        self.flatten = FlattenChannelsLast()
        self.dense = nn.ModuleList(spectral_norm(nn.Linear(n, 128)) for n in (height * width, 128))
        self.score = spectral_norm(nn.Linear(128, 1))
        self.embedding = spectral_norm(nn.Embedding(case.num_classes, 128))

    def forward(self, x, labels):
        x = self.blocks[0](x)
        for block in self.blocks[1:]:
            x = block(F.avg_pool2d(x, 2))
        x = self.flatten(x)
        for layer in self.dense:
            x = F.leaky_relu(layer(x), 0.1, inplace=True)
        return self.score(x) + (x * self.embedding(labels)).sum(1, keepdim=True)


def _normalize_and_activate(channels):
    return [nn.BatchNorm2d(channels, eps=1e-3, momentum=0.1), nn.LeakyReLU(0.2, inplace=True)]
