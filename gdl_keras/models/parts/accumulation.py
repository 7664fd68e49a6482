"""Gradient accumulation: a batch that does not fit into a card's memory is learnt from in parts.

`model.compile(..., accumulate=4)`: the gradients of four batches are averaged before the weights move once, by Keras'
own optimizers.  For a model that treats each image by itself this is the step that the large batch would give.  What
differs for others:

- Batch normalisation sees one part at a time.
- The two networks of a GAN both move at the end of the last part, the second one by gradients that were mostly taken
  before the first had moved.
- Each optimizer counts its own gradients.  A WGAN-GP's critic, which has `critic_steps` of them in each part, moves in
  the middle of parts, too: with three steps and two parts after its second, fourth and sixth gradient.  The generator
  moves after its second, so there are three steps of the critic for each of the generator's, as ever.
- A gradient that overflows float16 is left out and not counted: that network's step then comes one gradient later, and
  no longer at the end of the last part.
"""

import keras

from gdl_keras.errors import InputError


def accumulate_in(optimizer, steps):
    """Makes each step of an optimizer that is not built yet average over so many batches, unless it says its own.

    Raises:
        InputError: `steps` is not at least 1.
    """
    if steps < 1:
        raise InputError(f"Gradients are accumulated over at least 1 batch, not {steps}.")
    if steps > 1:
        inner = inner_optimizer(optimizer)
        inner.gradient_accumulation_steps = inner.gradient_accumulation_steps or steps


def accumulation_steps(optimizer):
    """How many batches a step of the optimizer averages over."""
    return inner_optimizer(optimizer).gradient_accumulation_steps or 1


def inner_optimizer(optimizer):
    """The optimizer itself, without the loss scaling around it."""
    return optimizer.inner_optimizer if isinstance(optimizer, keras.optimizers.LossScaleOptimizer) else optimizer
