"""An average of a network's weights over the steps of training, which is often better than the weights themselves.

Papers: Polyak & Juditsky 1992, Acceleration of stochastic approximation by averaging; Yazici et al. 2019, The unusual
effectiveness of averaging in GAN training, arXiv:1806.04498.
"""

from keras import ops

from gdl_keras.layers.settings import Annealed
from gdl_keras.models.parts.copies import frozen_copy


class WeightAverage:
    """For models that average one of their networks: call `keep_average` in `__init__` and `move_average` in a step.

    The average is a network of its own, `averaged_NAME` or what it is told, saved with the model.
    """

    ema_decay = Annealed("None or a number in [0, 1)", lambda value: 0 <= value < 1, optional=True)

    def keep_average(self, name, decay, kept_as=None):
        """Makes the average of the network that the model keeps under `name`.

        Args:
            name: str, such as "generator".
            decay: how much of itself the average keeps in each step, such as 0.999; None for no average.  It may be
                annealed, as `ema_decay`.
            kept_as: str, the attribute that holds the average, by default "averaged_" and the name.

        Raises:
            InputError: `decay` is out of range.
        """
        self.averaged, self.ema_decay = name, decay
        self.average_kept_as = kept_as or f"averaged_{name}"
        if self.is_averaging:
            self.begin_average()

    def begin_average(self):
        """Makes the network that holds the average, and what counts its steps."""
        setattr(self, self.average_kept_as, frozen_copy(getattr(self, self.averaged)))
        self.averaged_steps, self.averaged_iterations = (
            self.add_weight(shape=(), initializer="zeros", trainable=False, name=weight)
            for weight in ("averaged_steps", "averaged_iterations")
        )

    def move_average(self, optimizer):
        """Moves the average, where there is one, after step t of the network's optimizer.

            average += (1 - decay) (weight - average),   decay = min(ema_decay, (1 + t) / (10 + t)),  t = 1, 2, ...

        The ramp makes early averages reach back over a tenth of the steps so far, and soon forget where they began.
        Where the optimizer has not moved the weights since the last call, the average stands still, too: a part of a
        batch was accumulated, or gradients overflowed float16.
        """
        if not self.is_averaging:
            return
        iterations = ops.cast(optimizer.iterations, "float32")
        moved = ops.cast(iterations != self.averaged_iterations, "float32")
        self.averaged_iterations.assign(iterations)
        # Not the optimizer's own count: after a new `compile` that begins again, and the average would be forgotten.
        self.averaged_steps.assign_add(moved)
        share = moved * (1 - self.kept_share(moved))
        pairs = zip(self.averaged_network.weights, getattr(self, self.averaged).weights, strict=True)
        for average, weight in pairs:
            average.assign_add(share * (weight - average))

    def kept_share(self, moved):
        """How much of itself the average keeps in this step: float32 scalar.

        Args:
            moved: float32 scalar, 1 where the weights have moved since the last call, else 0.
        """
        t = self.averaged_steps.value
        return ops.minimum(self.ema_decay, (1 + t) / (10 + t))

    @property
    def is_averaging(self):
        """Whether there is an average."""
        return self.ema_decay is not None

    @property
    def averaged_network(self):
        """The average where there is one, else the network itself."""
        return getattr(self, self.average_kept_as if self.is_averaging else self.averaged)
