"""Layers that are quicker than PyTorch's own, with the same mathematics, and shapes for Sequential."""

import torch
from torch import nn
from torch.nn import functional as F

# A process that is to run on the processor sees no GPU.
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class QuickDropout(nn.Module):
    """Dropout whose mask takes 16 random bits for each number; `nn.Dropout` takes 64, drawn by one thread.

    On a GPU PyTorch's own is one kernel, and stays.
    """

    def __init__(self, rate):
        super().__init__()
        self.rate = rate
        self.threshold = round(rate * 2**16)
        self.scale = 1 / (1 - self.threshold / 2**16)

    def forward(self, x):
        if not self.training or x.is_cuda:
            return F.dropout(x, self.rate, self.training)
        words = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
        bits = words.view(torch.int16)[: x.numel()]
        mask = (bits >= self.threshold - 2**15).to(x.dtype).mul_(self.scale)
        # Any order of the mask will do: that of the memory is the quickest.
        return x * mask.as_strided(x.size(), x.stride())


class OnceDifferentiableLeakyReLU(nn.Module):
    """LeakyReLU whose second derivative, zero, is left out.

    PyTorch's own is zeros that run back through the whole network.
    """

    def __init__(self, slope):
        super().__init__()
        self.slope = slope

    def forward(self, x):
        if torch.compiler.is_compiling():
            return torch.where(x > 0, x, self.slope * x)
        return _LeakyReLU.apply(x, self.slope)


class _LeakyReLU(torch.autograd.Function):
    @staticmethod
    def forward(context, x, slope):
        context.save_for_backward(x)
        context.slope = slope
        return F.leaky_relu(x, slope)

    @staticmethod
    def backward(context, gradient):
        (x,) = context.saved_tensors
        return torch.ops.aten.leaky_relu_backward(gradient, x.detach(), context.slope, False), None


class CriticConv2d(nn.Conv2d):
    """A convolution whose gradient, out of training mode, is that of its input alone, as a transposed convolution.

    This is what a gradient penalty differentiates.  PyTorch's own second derivative takes more operations.
    """

    def forward(self, x):
        if self.training or torch.compiler.is_compiling():
            return super().forward(x)
        return _InputDifferentiated.apply(x, self.weight, self.bias, self.stride, self.padding)


class _InputDifferentiated(torch.autograd.Function):
    @staticmethod
    @torch.amp.custom_fwd(device_type=DEVICE)
    def forward(context, x, weight, bias, stride, padding):
        context.save_for_backward(weight)
        context.settings = {"stride": stride, "padding": padding}
        return F.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    @torch.amp.custom_bwd(device_type=DEVICE)
    def backward(context, gradient):
        (weight,) = context.saved_tensors
        return F.conv_transpose2d(gradient, weight, **context.settings), None, None, None, None


class GrowingPoint(nn.ConvTranspose2d):
    """A transposed convolution of one pixel, with stride 1 and no padding: a product of matrices.

    The gradient of PyTorch's own (2.11) lies in memory otherwise than `torch.compile` expects on a GPU: it stops there.
    """

    def __init__(self, inputs, filters, size):
        super().__init__(inputs, filters, size, bias=False)

    def forward(self, x):
        by_place = self.weight.permute(0, 2, 3, 1)
        made = x.flatten(1) @ by_place.flatten(1)
        return made.view(-1, *by_place.shape[1:]).permute(0, 3, 1, 2)


class FlattenChannelsLast(nn.Module):
    """Flattens images in Keras' order, which costs nothing where channels are last in memory."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class ReshapeChannelsLast(nn.Module):
    """Vectors as images, in Keras' order."""

    def __init__(self, height, width, channels):
        super().__init__()
        self.shape = (height, width, channels)

    def forward(self, x):
        return x.view(-1, *self.shape).permute(0, 3, 1, 2)
