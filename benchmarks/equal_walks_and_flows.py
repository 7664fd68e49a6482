"""Numbers of flows, energies and denoisers from equal weights: largest differences between ours and PyTorch's."""

import re

import keras
import numpy as np
import tensorflow as tf
import torch
from equal_weights import copy_each, copy_weights, stir
from torch import nn

from gdl_keras.layers import AffineCoupling, InvertibleConvolution

COUNT = 8


def _point_flow_numbers(ours, pytorch):
    """Losses of points and points of latent ones, with a standardisation before."""
    model, step = ours.model, pytorch.step
    for name, network in ours.networks.items():
        stir(network.trainable_variables)
        copy_weights(network, step.networks[name])
    model.mean.assign([0.3, -0.2])
    model.scale.assign([1.5, 0.5])
    step.mean, step.scale = torch.tensor([0.3, -0.2]), torch.tensor([1.5, 0.5])
    points, latents = np.random.default_rng(0).standard_normal((2, COUNT, 2)).astype("float32")
    theirs = step.losses(torch.from_numpy(points)).detach().numpy()
    with torch.no_grad():
        samples = step.samples(torch.from_numpy(latents), None).numpy()
    _, losses = model.nats_and_losses(tf.constant(points))
    return max(_difference(losses, theirs), _difference(model.decode(latents), samples))


def _image_flow_numbers(ours, pytorch):
    """The bound as a share of itself, and images of latent points."""
    model, step = ours.model, pytorch.step
    generator = np.random.default_rng(0)
    images = generator.random((COUNT, *pytorch.case.image_shape), dtype="float32")
    noise = generator.standard_normal(images.shape, dtype="float32")
    latents = generator.standard_normal((COUNT, model.latent_dim), dtype="float32")
    couplings = [layer for layer in model._flatten_layers() if isinstance(layer, AffineCoupling)]
    stir([weight for coupling in couplings for weight in coupling.trainable_variables], 0.02)
    model.bound(tf.constant(images), tf.constant(noise), training=True)  # normalisations begin
    offsets, levels = model.offsets, step.flow.levels
    copy_weights(offsets.context, nn.ModuleList([step.offsets.neighbours, step.offsets.features]))
    pairs = [*zip(offsets.mixings, step.offsets.mixings), *zip(offsets.couplings, step.offsets.couplings)]
    for level, maps in zip(model.maps, levels, strict=True):
        pairs += zip(level.maps, maps, strict=True)
    for layer, module in pairs:
        if isinstance(layer, InvertibleConvolution):
            # Matrices of its own, which multiply from the same side: as they are.
            for name in ("order", "sign", "log_scale", "below", "above"):
                getattr(module, name).data.copy_(torch.from_numpy(np.array(getattr(layer, name))))
        else:
            copy_weights(layer, module)
    bound = step.bound(torch.from_numpy(images), torch.from_numpy(noise)).detach().numpy()
    step.ready_to_sample()
    with torch.no_grad():
        samples = step.samples(torch.from_numpy(latents), None).permute(0, 2, 3, 1).numpy()
    difference = _difference(model.bound(tf.constant(images), tf.constant(noise)), bound) / np.abs(bound).max()
    return max(difference, _mean_difference(model.decode(latents), samples))


def _energy_numbers(ours, pytorch):
    """Energies, a step of a chain, and the loss; PyTorch sees images turned by 180 degrees."""
    model, step = ours.model, pytorch.step
    copy_weights(model.network, step.network, turned=(4, 64))
    generator = np.random.default_rng(0)
    chains, noise = generator.uniform(-1, 1, (2, 2 * COUNT, *pytorch.case.image_shape)).astype("float32")
    energies = model.energy_at(tf.constant(chains)).numpy()
    moved = model.walk(tf.constant(chains), 1, lambda number: tf.constant(noise))
    real, fake = energies[:COUNT], energies[COUNT:]
    loss = real.mean() - fake.mean() + model.penalty * (np.square(real).mean() + np.square(fake).mean())
    theirs = step.energy(_turned(chains)).detach().numpy()
    their_move = _turned(step.move(_turned(chains), _turned(noise)).permute(0, 2, 3, 1).numpy()).permute(0, 2, 3, 1)
    their_loss = step.loss(_turned(chains)).item()
    return max(_difference(energies, theirs), _difference(moved, their_move), abs(float(loss) - their_loss))


def _denoising_numbers(ours, pytorch):
    """Losses of images at several levels of noise, and images of the same noise."""
    model, step = ours.model, pytorch.step
    stir(model.unet.trainable_variables)
    generator = np.random.default_rng(0)
    images, noise = generator.standard_normal((2, COUNT, *pytorch.case.image_shape)).astype("float32")
    times = np.linspace(0.05, 0.95, COUNT, dtype="float32")
    turned = [torch.from_numpy(array).permute(0, 3, 1, 2) for array in (images, noise)]
    asked = turned[0], torch.from_numpy(times)
    copy_each(_weights_as_asked(model.unet), _parameters_as_asked(step.network, *asked))
    losses = model.losses_of(images, tf.constant(times), noise, None, True)
    theirs = step.loss_at(turned[0], torch.from_numpy(times), turned[1]).detach().numpy()
    model.averaged_network.set_weights(model.unet.get_weights())
    step.averaged.load_state_dict(step.network.state_dict())
    step.ready_to_sample()
    with torch.no_grad():
        samples = step.samples(turned[1], None).permute(0, 2, 3, 1).numpy()
    return max(_difference(losses, theirs), _mean_difference(model.generate(latents=noise), samples))


def _weights_as_asked(network):
    """Weights of a U-Net: convolutions in the order in which they were made, and so dense layers."""
    kinds = (keras.layers.Conv2D,), (keras.layers.Dense,)
    convolutions, dense = ([layer for layer in network.layers if isinstance(layer, kind)] for kind in kinds)
    modulations = [layer for layer in network.layers if type(layer).__name__ == "ModulatedNormalization"]
    ordered = sorted(convolutions, key=_made)
    for pair in zip(sorted(dense, key=_made), sorted(modulations, key=_made), strict=True):
        ordered += pair
    return [weight for layer in ordered for weight in layer.trainable_variables]


def _made(layer):
    """The number that Keras gives a layer with its name; what has a name of its own comes last."""
    number = re.search(r"_(\d+)$", layer.name)
    return float("inf") if layer.name == "outputs" else int(number[1]) if number else 0


def _parameters_as_asked(module, *inputs):
    """The same of PyTorch's, in the order in which they are called."""
    called = []
    leaves = [part for part in module.modules() if isinstance(part, (nn.Conv2d, nn.Linear))]
    handles = [leaf.register_forward_hook(lambda leaf, *_: called.append(leaf)) for leaf in leaves]
    with torch.no_grad():
        module.eval()(*inputs)
    module.train()
    for handle in handles:
        handle.remove()
    convolutions = [leaf for leaf in called if isinstance(leaf, nn.Conv2d)]
    ordered = convolutions + [leaf for leaf in called if isinstance(leaf, nn.Linear)]
    return [parameter for leaf in ordered for parameter in leaf.parameters()]


def _turned(array):
    return torch.from_numpy(array[:, ::-1, ::-1].copy()).permute(0, 3, 1, 2)


def _difference(ours, theirs):
    return np.abs(np.asarray(ours) - np.asarray(theirs)).max()


def _mean_difference(ours, theirs):
    # What is one number's rounding at the beginning of a long way may be a whole pixel at its end.
    return np.abs(np.asarray(ours) - np.asarray(theirs)).mean()


NUMBERS = {
    "realnvp": _point_flow_numbers,
    "continuous_flow": _point_flow_numbers,
    "image_flow": _image_flow_numbers,
    "ebm": _energy_numbers,
    "diffusion": _denoising_numbers,
    "book_diffusion": _denoising_numbers,
    "flow_matching": _denoising_numbers,
}
