"""The convolutions of `gdl_keras.layers.halving_convolution` for PyTorch: what they would do for it."""

import itertools

import torch
from torch import nn
from torch.autograd import Function
from torch.nn import functional as F

# As there; not imported, since TensorFlow is to stay out of PyTorch's process.
FEW_CHANNELS, MANY_CHANNELS = 8, 128


def use_blocks(network):
    """Convolutions of 4x4 with stride 2, and transposed ones, take the ways over blocks where ours do."""
    for module in network.modules():
        for theirs, ours in _IN_PLACE_OF.items():
            if isinstance(module, theirs) and (module.kernel_size, module.stride) == ((4, 4), (2, 2)):
                module.__class__ = ours


class _BlockConvolution(nn.Conv2d):
    def forward(self, x):
        return _with_bias(_Convolve.apply(*_cast(x, self.weight)), self.bias)


class _TransposedBlockConvolution(nn.ConvTranspose2d):
    def forward(self, x):
        x, kernel = _cast(x, self.weight)
        return _with_bias(_ImageGradient.apply(kernel, x), self.bias)


_IN_PLACE_OF = {nn.Conv2d: _BlockConvolution, nn.ConvTranspose2d: _TransposedBlockConvolution}


def _cast(*tensors):
    """As autocast does, which does not reach into functions with gradients of their own."""
    if torch.is_autocast_enabled("cpu"):
        return [tensor.to(torch.bfloat16) for tensor in tensors]
    return tensors


def _with_bias(x, bias):
    return x if bias is None else x + bias.to(x.dtype)[:, None, None]


# Images (batch, c, 2h, 2w), kernels (d, c, 4, 4), upstreams (batch, d, h, w).


class _Convolve(Function):
    @staticmethod
    def forward(context, images, kernel):
        context.save_for_backward(images, kernel)
        return F.conv2d(images, kernel, None, 2, 1)

    @staticmethod
    def backward(context, upstream):
        images, kernel = context.saved_tensors
        of_images, of_kernel = context.needs_input_grad
        return (
            _ImageGradient.apply(kernel, upstream) if of_images else None,
            _KernelGradient.apply(images, upstream) if of_kernel else None,
        )


class _ImageGradient(Function):
    @staticmethod
    def forward(context, kernel, upstream):
        context.save_for_backward(kernel, upstream)
        if kernel.shape[1] > FEW_CHANNELS:
            return F.conv_transpose2d(upstream, kernel, None, 2, 1)
        return _images_by_blocks(kernel, upstream)

    @staticmethod
    def backward(context, images):
        kernel, upstream = context.saved_tensors
        of_kernel, of_upstream = context.needs_input_grad
        return (
            _KernelGradient.apply(images, upstream) if of_kernel else None,
            _Convolve.apply(images, kernel) if of_upstream else None,
        )


class _KernelGradient(Function):
    @staticmethod
    def forward(context, images, upstream):
        context.save_for_backward(images, upstream)
        if images.dtype == torch.bfloat16 and images.shape[1] >= MANY_CHANNELS:
            return _kernel_by_blocks(images, upstream)
        shape = (upstream.shape[1], images.shape[1], 4, 4)
        return nn.grad.conv2d_weight(images, shape, upstream, stride=2, padding=1)

    @staticmethod
    def backward(context, kernel):
        images, upstream = context.saved_tensors
        of_images, of_upstream = context.needs_input_grad
        return (
            _ImageGradient.apply(kernel, upstream) if of_images else None,
            _Convolve.apply(images, kernel) if of_upstream else None,
        )


def _images_by_blocks(kernel, upstream):
    depth, channels = kernel.shape[:2]
    # (depth, channels, row of blocks, row in the block, column of blocks, column in the block)
    blocks = kernel.reshape(depth, channels, 2, 2, 2, 2).permute(1, 3, 5, 0, 2, 4).reshape(4 * channels, depth, 2, 2)
    turned = blocks.flip(2, 3).contiguous(memory_format=torch.channels_last)
    return F.pixel_shuffle(F.conv2d(upstream, turned, None, 1, 1), 2)[:, :, 1:-1, 1:-1]


def _kernel_by_blocks(images, upstream):
    (batch, depth, height, width), channels = upstream.shape, images.shape[1]
    padded = F.pad(images, (1, 1, 1, 1)).permute(0, 2, 3, 1)
    blocks = padded.reshape(batch, height + 1, 2, width + 1, 2 * channels).transpose(2, 3)
    blocks = blocks.reshape(batch, height + 1, width + 1, 4 * channels)
    upstream = upstream.permute(0, 2, 3, 1).reshape(-1, depth).t()
    products = []
    for row, column in itertools.product(range(2), repeat=2):
        met = blocks[:, row : row + height, column : column + width].reshape(-1, 4 * channels)
        products.append(upstream @ met)
    # (row of blocks, column of blocks, depth, row in the block, column in the block, channels)
    kernel = torch.stack(products).view(2, 2, depth, 2, 2, channels).permute(2, 5, 0, 3, 1, 4)
    return kernel.reshape(depth, channels, 4, 4)
