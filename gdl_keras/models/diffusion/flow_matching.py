"""Flow matching: a straight line from each noise to each image, and a network that learns where the lines lead.

    x = (1 - u) image + u noise,       velocity = dx / du = noise - image

Many lines pass through a point; the network learns the mean of their velocities, and that field carries noise over into
images: an ordinary differential equation, walked from u = 1 to u = 0.  There are no schedules and no shares of
variance.  Lines that are straight need few steps.

Papers: Lipman et al. 2023, Flow matching for generative modeling, arXiv:2210.02747; Liu et al. 2023, Flow straight and
fast: learning to generate and transfer data with rectified flow, arXiv:2209.03003; Esser et al. 2024, for times that
dwell in the middle, arXiv:2403.03206.
"""

import keras
import numpy as np
import tensorflow as tf

from gdl_keras.errors import check_one_of
from gdl_keras.models.diffusion.denoising import DenoisingModel
from gdl_keras.models.diffusion.walking import keep_given


@keras.saving.register_keras_serializable(package="gdl_keras")
class FlowMatching(DenoisingModel):
    """Trains a network on the velocity of straight lines between images and noise (Lipman et al. 2023, equation 23).

        loss = |network((1 - u) image + u noise, u) - (noise - image)|^2

    Args:
        unet: `keras.Model`, as in `DenoisingModel`; the level of noise is u.
        middle: bool: u is the sigmoid of a normal number, so that training dwells between noise and image, where most
            is decided; otherwise it is uniform.
        num_classes, label_dropout, ema_decay, steps, times, mixture, seed: as in `DenoisingModel`.
    """

    def __init__(self, unet, middle=True, **kwargs):
        super().__init__(unet, **kwargs)
        self.middle = middle

    def losses_of(self, images, times, noise, labels, training):
        u = tf.sigmoid(tf.math.ndtri(tf.clip_by_value(times, 1e-4, 1 - 1e-4))) if self.middle else times
        share = u[:, None, None, None]
        velocity = self.ask((1 - share) * images + share * noise, u, labels, training=training)
        return tf.reduce_mean(tf.square(velocity - (noise - images)), axis=(1, 2, 3))

    def shares_at(self, levels):
        return 1 - levels, levels

    def velocity_to(self, image, x, signal, noise):
        return (x - image) / noise[:, None, None, None]

    def draw(self, count, seed, first=0, *, steps: int | None = None, solver="euler", guidance=1.0, **given_and_labels):
        """Images in [0, 1], float32 array (count, *image_shape).

        Args:
            steps: int, by default the model's own.
            solver: "euler" asks the network once in a step; "heun" twice, and is of second order.
            guidance, given_and_labels: as in `Diffusion.draw`.
        """
        latents = given_and_labels.pop("latents", None)
        latents = self.sample_latents(count, seed, first) if latents is None else latents
        return self.decode_batch(
            latents, seed, first, steps=steps, **given_and_labels, solver=solver, guidance=guidance
        )

    def check_options(self, solver="euler", guidance=1.0):
        super().check_options(guidance)
        check_one_of("solver", solver, ("euler", "heun"))

    def levels_of(self, steps):
        return (np.linspace(1, 0, steps + 1, dtype="float32"),)

    def walk(self, latents, noise, labels, given, levels, solver="euler", guidance=1.0):
        (u,) = levels

        def velocity(x, u):
            slope = self.ask(x, u, labels, guidance)
            return slope if given is None else (x - keep_given(x - u * slope, given)) / u

        def take(step, x):
            change = u[step + 1] - u[step]
            slope = velocity(x, u[step])
            if solver == "heun":
                # At the image itself there is no noise left to ask about.
                ahead = lambda: 0.5 * (slope + velocity(x + change * slope, u[step + 1]))  # noqa: E731
                slope = tf.cond(u[step + 1] > 0, ahead, lambda: slope)
            return step + 1, x + change * slope

        steps = tf.shape(u)[0] - 1
        return tf.while_loop(lambda step, x: step < steps, take, (tf.constant(0), latents))[1]
