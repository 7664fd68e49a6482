"""How many floating-point operations a training step needs, counted from the layers.

Counted are convolutions, transposed convolutions and dense layers: two operations for each product of a weight and a
number, at every place that the kernel is laid on, border included.  Activations, normalisation, dropout, losses and
optimizers count nothing.  One such layer costs one unit forward, one unit for the gradient of its weights, and one for
the gradient of its input, which is left out where nothing before the layer is to be changed.  With these, for each real
image that a step learns from:

    autoencoder, VAE    both networks forward, and their gradients
    GAN                 generator forward, judge forward on one real and one generated image, its gradients for both;
                        judge forward on the generated image once more (it has learnt since), the gradient of its
                        input, and from there the generator's gradients.  One forward pass of the generator serves both
                        steps.  The book's own code does not pass the judge again: its work has one judge less.
    WGAN-GP             for each step of the critic: generator forward, critic forward and gradients on one real and one
                        generated image, and the penalty; and for each step of the generator, which is shared by
                        `critic_steps` real images: generator forward, critic forward, gradient of its input, the
                        generator's gradients.
    gradient penalty    critic forward on the mixed image, gradient of its input, and the gradient of that gradient's
                        norm.  This runs along the first gradient, from the image to the score: for each layer a unit
                        for its weights and, but for the last, a unit to get to the next.  Nothing returns through the
                        forward pass, because the slope of LeakyReLU is constant on both sides.

`python benchmarks/training_steps.py --check` compares all this with the operations in TensorFlow's graph of the step
and with those that PyTorch's own counter sees.
"""

import math

from keras import layers

COUNTED = (layers.Conv2D, layers.Conv2DTranspose, layers.Dense)


def forward(network):
    """Operations of one image's pass through a functional `keras.Model`."""
    return sum(cost for cost, _, _ in _costs(network))


def weight_gradients(network, of_input=False):
    """Operations of the gradient of all weights, and with `of_input` of the network's first input."""
    return sum(
        cost * (1 + (after_weights or (of_input and after_input)))
        for cost, after_weights, after_input in _costs(network)
    )


def input_gradient(network):
    """Operations of the gradient of the network's first input alone."""
    return sum(cost for cost, _, after_input in _costs(network) if after_input)


def gradient_penalty(critic):
    """Operations of a critic's gradient penalty and its gradient; the critic's layers form a chain."""
    *_, (last, _, _) = _costs(critic)
    return forward(critic) + 3 * input_gradient(critic) - last


def reconstruction(encoder, decoder):
    """Operations of a training step of an autoencoder, per image."""
    return forward(encoder) + weight_gradients(encoder) + forward(decoder) + weight_gradients(decoder, of_input=True)


def adversarial(generator, judge, passes_again=True):
    """Operations of a GAN's training step per real image; `passes_again`: whether the generator's step has its own
    pass through the judge."""
    judge_step = 2 * (forward(judge) + weight_gradients(judge))
    generator_step = passes_again * forward(judge) + input_gradient(judge) + weight_gradients(generator)
    return forward(generator) + judge_step + generator_step


def wasserstein(generator, critic, critic_steps):
    """Operations of a WGAN-GP's training step per real image."""
    critic_step = 2 * (forward(critic) + weight_gradients(critic)) + gradient_penalty(critic)
    generator_step = forward(critic) + input_gradient(critic) + forward(generator) + weight_gradients(generator)
    return forward(generator) + critic_step + generator_step / critic_steps


def _costs(network):
    """For each counted layer in order: (operations forward, is it behind weights, is it behind the first input)."""
    behind = {id(tensor): (False, tensor is network.inputs[0]) for tensor in network.inputs}
    found = []
    for operation in network.operations:
        if isinstance(operation, layers.InputLayer):
            continue
        node = operation._inbound_nodes[0]
        sources = [behind[id(tensor)] for tensor in node.input_tensors]
        after_weights, after_input = (any(flags) for flags in zip(*sources))
        layer = getattr(operation, "layer", operation)  # within a wrapper
        if isinstance(layer, COUNTED):
            image = node.input_tensors if isinstance(layer, layers.Conv2DTranspose) else node.output_tensors
            places = math.prod(image[0].shape[1:-1])
            found.append((2 * places * math.prod(layer.kernel.shape), after_weights, after_input))
        after_weights = after_weights or bool(operation.trainable_variables)
        for tensor in node.output_tensors:
            behind[id(tensor)] = (after_weights, after_input)
    return found
