"""The energy-based model of images: low energies for what is in the data, high ones for what it dreams up itself.

Maximum likelihood pulls the energy of examples down and pushes up that of the model's own samples:

    slope of -log p(x)  =  slope of E(x)  -  E_{x' ~ p} [slope of E(x')]

so that nothing moves any more once its samples are like the examples.  *Contrastive divergence* takes for x' what a few
steps of Langevin dynamics lead to.  The chains of *persistent* contrastive divergence go on from step to step of the
training, in a replay buffer, where few steps at a time add up to many.

Book: chapter 7, "Energy-based models".  Papers: Hinton 2002, Training products of experts by minimizing contrastive
divergence; Tieleman 2008; Du & Mordatch 2019, Implicit generation and modeling with energy-based models,
arXiv:1903.08689; Nijkamp et al. 2019, On the anatomy of MCMC-based maximum likelihood learning of energy-based models,
arXiv:1903.12370.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from gdl_keras.errors import check_one_of
from gdl_keras.layers import HalvingConv2D, ReplayBuffer
from gdl_keras.layers.settings import Annealed, Setting
from gdl_keras.models.base import inputs_of
from gdl_keras.models.energy.base import EnergyModel
from gdl_keras.models.parts.weights import refuse_weights, weights_of

# Where the chains of samples begin.
STARTS = ("buffer", "noise")


def build_energy_network(image_shape, filters=(16, 32, 64, 64), units=64):
    """Convolutions that halve the image, 5x5 and then 3x3, a dense layer, and one number.

    All are smooth functions (swish), for it is by their slopes that images are made.

    Args:
        image_shape: (height, width, channels).
        filters: of each convolution.
        units: of the dense layer.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> energies, float32 (batch, 1).  76,993 weights for the
        book's (32, 32, 1).
    """
    images = keras.Input(image_shape, name="images")
    x = layers.Rescaling(2.0, offset=-1.0)(images)
    for number, width in enumerate(filters):
        x = HalvingConv2D(width, 5 if number == 0 else 3, 2, "same", activation="swish")(x)
    x = layers.Dense(units, activation="swish")(layers.Flatten()(x))
    return keras.Model(images, layers.Dense(1, dtype="float32", name="energy")(x), name="network")


class ContrastiveDivergence(EnergyModel):
    """Trains an energy against chains of its own samples, which are kept in a buffer and saved with the model.

        loss = mean(E(x)) - mean(E(x')) + penalty * (mean(E(x)^2) + mean(E(x')^2))

    of examples x, with a little noise on them, and of chains x' that have taken `steps` steps more.  The penalty keeps
    energies near 0; without it nothing keeps them from running off together.

    Args:
        network, step_size, noise, slope_clip, reach, sampling_steps, seed: as in `EnergyModel`.
        steps: int, how many steps the chains take for each step of training.
        buffer_size: int, how many chains there are; a batch of more examples is compared with all of them.
        fresh: float, the share of the chains of a batch that begin anew as noise; `buffer.fresh` may be annealed.
        penalty: float, the weight of the squared energies; it may be annealed.
        data_noise: float, the standard deviation of the noise on examples; it may be annealed.

    Reports `loss`, without the penalty; `real_energy` and `fake_energy`, whose difference it is; and in validation the
    same of held-out examples and of the first chains of the buffer, as they are.

    Raises:
        InputError: an argument is out of range.
    """

    metric_names = ("loss", "real_energy", "fake_energy")
    penalty = Annealed("not negative", lambda value: value >= 0)
    data_noise = Annealed("not negative", lambda value: value >= 0)
    steps = Setting("a whole number, 1 or more", lambda value: value == int(value) and value >= 1)

    def __init__(
        self,
        network,
        steps=60,
        step_size=10.0,
        noise=0.005,
        slope_clip=0.03,
        buffer_size=8192,
        fresh=0.05,
        penalty=0.1,
        data_noise=0.005,
        **kwargs,
    ):
        super().__init__(network, step_size, noise, slope_clip, **kwargs)
        self.steps, self.penalty, self.data_noise = steps, penalty, data_noise
        self.buffer_size, self.fresh = buffer_size, fresh
        self.buffer = ReplayBuffer(self.example_shape, buffer_size, fresh, self.reach, self.seed)

    def draw(self, count, seed, first=0, *, steps: int | None = None, start="buffer"):
        """Samples at the end of chains.

        Args:
            count, seed, first: as in `GenerativeModel.draw`.
            steps: int, how many steps a chain takes; by default from the buffer as many as in a step of training, from
                noise `sampling_steps`.
            start: "buffer": chains go on from where those of the training have got to, sample i from one of them that
                follows from the seed and i, all different until each has been taken once; "noise": they begin anew.
        """
        check_one_of("start", start, STARTS)
        if start == "noise":
            return super().draw(count, seed, first, steps=steps)
        order = np.random.default_rng(seed).permutation(self.buffer.size)
        begun = self.to_samples(self.buffer.chains.numpy()[order[np.arange(first, first + count) % len(order)]])
        return self.chains(count, [self.steps if steps is None else steps], seed, first, begun)[0]

    def train_step(self, data):
        examples = self.examples_of(data)
        noise = keras.random.normal(ops.shape(examples), seed=self.seed_generator)
        reals = self.within_limit(examples + self.data_noise * noise)
        places, chains = self.buffer.pick(ops.shape(reals)[0])
        fakes = self.walk(chains, self.steps, self.noise_like(chains))
        self.buffer.keep(places, fakes)

        with tf.GradientTape() as tape:
            energies = self.energy_at(ops.concatenate([reals, fakes]), training=True)
            real_energy, fake_energy = energies[: ops.shape(reals)[0]], energies[ops.shape(reals)[0] :]
            divergence = ops.mean(real_energy) - ops.mean(fake_energy)
            squares = ops.mean(ops.square(real_energy)) + ops.mean(ops.square(fake_energy))
            loss = divergence + self.penalty * squares
        self.minimize(tape, loss, self.optimizer, self.network.trainable_variables)
        return self.report_energies(real_energy, fake_energy)

    def test_step(self, data):
        reals = self.examples_of(data)
        fakes = self.buffer.chains.value[: ops.shape(reals)[0]]
        return self.report_energies(self.energy_at(reals), self.energy_at(fakes))

    def examples_of(self, data):
        """Examples in coordinates, from what `fit` hands over: float32 tensor (batch, ...)."""
        if weights_of(data) is not None:
            refuse_weights(self)
        return self.to_coordinates(inputs_of(data))

    def report_energies(self, real_energy, fake_energy):
        """What a step reports, of energies (n,) of examples and (m,) of chains."""
        divergence = ops.mean(real_energy) - ops.mean(fake_energy)
        weight = ops.shape(real_energy)[0]
        return self.report(loss=(divergence, weight), real_energy=real_energy, fake_energy=fake_energy)

    def within_limit(self, coordinates):
        """Coordinates, cut off where chains are."""
        return coordinates if self.limit is None else ops.clip(coordinates, -self.limit, self.limit)

    def noise_like(self, chains):
        """The noise of a walk: int tensor, the number of a step -> standard normal numbers like `chains`."""
        seed, fold_in = self.seed_generator.next(), tf.random.experimental.stateless_fold_in
        return lambda number: tf.random.stateless_normal(tf.shape(chains), fold_in(seed, number))


@keras.saving.register_keras_serializable(package="gdl_keras")
class EBM(ContrastiveDivergence):
    """`ContrastiveDivergence` of images; args as there.

    Images are in [0, 1].  Chains walk in [-1, 1], the unit of `step_size`, `noise`, `slope_clip` and `data_noise`, and
    do not leave it.
    """

    limit = 1.0

    def to_coordinates(self, samples):
        return 2 * samples - 1

    def to_samples(self, coordinates):
        return (coordinates + 1) / 2
