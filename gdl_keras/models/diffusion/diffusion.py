"""Diffusion: learn to take noise out of images, and begin with noise alone.

Noise is mixed into an image, anywhere from a little to nearly all, and a network is asked what was mixed in.  It cannot
know; it answers with the mean of all that may be.  Asked again and again, with a little less noise each time, its
answers lead from pure noise to an image.  The network is trained on one step, by a loss that only goes down, and how
many steps are taken afterwards is chosen when sampling.

Book: chapter 8, "Diffusion Models".  Papers: Ho et al. 2020, Denoising diffusion probabilistic models,
arXiv:2006.11239; Song et al. 2021, Denoising diffusion implicit models, arXiv:2010.02502; Salimans & Ho 2022, for the
velocity, arXiv:2202.00512; Hang et al. 2023, for min-SNR weighting, arXiv:2303.09556; Ho & Salimans 2022, for guidance,
arXiv:2207.12598.
"""

import keras
import numpy as np
import tensorflow as tf

from gdl_keras.backend import full_float32
from gdl_keras.errors import InputError, check_one_of
from gdl_keras.layers.settings import Setting
from gdl_keras.models.diffusion.bound import variational_bound
from gdl_keras.models.diffusion.denoising import DenoisingModel
from gdl_keras.models.diffusion.walking import keep_given
from gdl_keras.samplers.denoising import SCHEDULES, check_solver, karras_levels, sample, schedule_levels
from gdl_keras.samplers.noise import SampleNoise

# Signal to noise, squared, above which min-SNR weighs images no more.
MOST_SIGNAL = 5.0


@keras.saving.register_keras_serializable(package="gdl_keras")
class Diffusion(DenoisingModel):
    """Trains a network on noisy images (Ho et al. 2020, equation 14, and its kin).

        x = signal * image + noise * epsilon,      loss = |network(x, noise^2) - target|^2

    Args:
        unet: `keras.Model`, as in `DenoisingModel`.
        schedule: str, a name in `samplers.denoising.SCHEDULES`: how noise grows with time.
        target: what the network is asked for: "noise", epsilon; "image"; or "velocity", signal * epsilon -
            noise * image, which is neither lost in the noise nor in the image.
        error: "squared" or, as in the book, "absolute".
        weighting: "none": all levels of the target count alike; "min_snr": errors of the image are weighed by
            min(signal^2 / noise^2, 5), whatever the target is.
        num_classes, label_dropout, ema_decay, steps, times, mixture, seed: as in `DenoisingModel`; a mixture asks
            for the target velocity.

    Raises:
        InputError: an argument is out of range.
    """

    likelihood_is = "bound"
    error = Setting(("squared", "absolute"))
    weighting = Setting(("none", "min_snr"))

    def __init__(self, unet, schedule="lognormal", target="velocity", error="squared", weighting="none", **kwargs):
        super().__init__(unet, **kwargs)
        check_one_of("schedule", schedule, tuple(SCHEDULES))
        check_one_of("target", target, ("noise", "velocity", "image"))
        if self.mixture is not None and target != "velocity":
            raise InputError(
                f"What a mixture sees is told as a velocity, and the target is the {target}: ask for the velocity, or "
                "leave the mixture away (--clusters 0)."
            )
        self.schedule = schedule
        self.target = target
        self.error = error
        self.weighting = weighting

    def losses_of(self, images, times, noise, labels, training):
        signal_rate, noise_rate = (rate[:, None, None, None] for rate in SCHEDULES[self.schedule](times))
        x = signal_rate * images + noise_rate * noise
        output = self.ask(x, noise_rate[:, 0, 0, 0] ** 2, labels, training=training)
        targets = {"noise": noise, "image": images, "velocity": signal_rate * noise - noise_rate * images}
        difference = output - targets[self.target]
        errors = tf.square(difference) if self.error == "squared" else tf.abs(difference)
        return tf.reduce_mean(errors * self.weight(signal_rate**2, noise_rate**2), axis=(1, 2, 3))

    def weight(self, signal_power, noise_power):
        """How much an error of the target counts where signal and noise have these squares: a tensor of their shape.

        An error of the image is one of the noise times noise / signal, and one of the velocity times noise.
        """
        if self.weighting == "none":
            return tf.ones_like(noise_power)
        of_image = tf.minimum(signal_power / noise_power, MOST_SIGNAL)
        return of_image * {"image": 1.0, "noise": noise_power / signal_power, "velocity": noise_power}[self.target]

    def shares_at(self, levels):
        return tf.sqrt(1 - levels), tf.sqrt(levels)

    def velocity_to(self, image, x, signal, noise):
        signal, noise = (rate[:, None, None, None] for rate in (signal, noise))
        return (signal * x - image) / noise

    def denoise(self, x, signal, noise, labels=None, guidance=1.0):
        """The image that the network sees behind x: float32 tensor of the shape of x, standardised.

        Args:
            x: float32 tensor (n, *image_shape).
            signal, noise: float32 tensors, scalars or (n,).
            labels, guidance: as in `ask`.
        """
        output = self.ask(x, noise**2, labels, guidance)
        signal, noise = (tf.reshape(rate, (-1, 1, 1, 1)) for rate in (signal, noise))
        if self.target == "noise":
            return (x - noise * output) / signal
        return output if self.target == "image" else signal * x - noise * output

    def draw(
        self,
        count,
        seed,
        first=0,
        *,
        steps: int | None = None,
        solver="ddim",
        eta=0.0,
        guidance=1.0,
        **given_and_labels,
    ):
        """Images in [0, 1], float32 array (count, *image_shape).

        Args:
            steps: int, how often the network is asked; by default the model's own.
            solver: "ddim"; "ddpm", which draws new noise at each step; or "dpm", which is of second order.
            eta: float, of ddim: 0 draws no noise on the way, 1 as much as ddpm.
            guidance: float; above 1 images are more of their class than the conditional model's own, which 1 is.
            given_and_labels: arrays of length `count`: `latents`, `given`, `labels`.
        """
        latents = given_and_labels.pop("latents", None)
        latents = self.sample_latents(count, seed, first) if latents is None else latents
        options = {"solver": solver, "eta": eta, "guidance": guidance}
        return self.decode_batch(latents, seed, first, steps=steps, **given_and_labels, **options)

    def check_options(self, solver="ddim", eta=0.0, guidance=1.0):
        super().check_options(guidance)
        check_solver(solver, eta)

    def levels_of(self, steps):
        return karras_levels(steps) if self.schedule == "lognormal" else schedule_levels(self.schedule, steps)

    def walk(self, latents, noise, labels, given, levels, solver="ddim", eta=0.0, guidance=1.0):
        def denoise(x, signal, noise):
            return keep_given(self.denoise(x, signal, noise, labels, guidance), given)

        def fresh(step):
            return noise.normal(step, self.image_shape)

        return sample(denoise, latents, *levels, solver, eta, fresh)

    @full_float32()
    def negative_log_likelihood(self, batch, seed=0, first=0):
        """The variational bound on -log p of each image, of bytes: float64 array (n,), nats.

        Args, returns as in `GenerativeModel`; `bound.variational_bound` has the formula.
        """
        noise = SampleNoise(seed, first, len(batch))
        return np.asarray(variational_bound(self, tf.constant(batch, "float32"), noise), "float64")
