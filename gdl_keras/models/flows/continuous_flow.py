"""The continuous flow: not a few large steps one after the other, but a velocity, followed through time.

    dx/dt = v(x, t),   x(0) ~ N(0, I) latent,   x(1) the example

Any smooth v will do, since the same equation leads back.  And the density changes along the way by the trace of the
Jacobian alone, where a flow in steps needs its determinant:

    d log p(x(t)) / dt = -trace(dv/dx),   so   log p(x(1)) = log N(x(0); 0, I) - integral over t of trace(dv/dx)

The trace takes one pass back through the network for each dimension.  Where there are many, one random vector e with
mean 0 and covariance I is enough for an estimate without bias (Hutchinson): E[e^T J e] = trace(J).

Training follows the equation in few steps, and a network learns to be wrong in their favour: to bend so sharply between
them that they see a likelihood which is none.  A small price on the way itself keeps it from that (Finlay et al. 2020):

    loss = -log p(x) + integral over t of (kinetic_weight |v|^2 + jacobian_weight |dv/dx|^2)

Book: chapter 6, "FFJORD".  Papers: Chen et al. 2018, Neural ordinary differential equations, arXiv:1806.07366;
Grathwohl et al. 2019, FFJORD, arXiv:1810.01367; Hutchinson 1990 for the trace; Finlay et al. 2020, How to train your
neural ODE: the world of Jacobian and kinetic regularization, arXiv:2002.02798.
"""

import keras
import tensorflow as tf
from keras import layers, ops

from gdl_keras.errors import InputError
from gdl_keras.layers.settings import Setting
from gdl_keras.models.base import inputs_of
from gdl_keras.models.flows.points import PointFlow
from gdl_keras.models.parts.weights import weighted, weights_of
from gdl_keras.samplers.ode import FIXED_STEP_METHODS, integrate, integrate_adaptively

# Up to so many dimensions the trace is computed exactly in training, unless the caller says otherwise.
FEW_DIMENSIONS = 2


def build_velocity_network(dimensions=2, units=(64, 64, 64), activation="tanh"):
    """Dense layers that say which way points go at a time, and how fast.

    Args:
        dimensions: int, numbers in a point.
        units: of each hidden layer.
        activation: of the hidden layers; smooth, since the slope of the velocity is trained, too.

    Returns:
        `keras.Model`, [points (batch, dimensions), times (batch, 1) in [0, 1]] -> float32 (batch, dimensions).  8,706
        weights by default.
    """
    points, times = keras.Input((dimensions,), name="points"), keras.Input((1,), name="times")
    x = layers.Concatenate(name="points_and_times")([points, times])
    for index, width in enumerate(units):
        x = layers.Dense(width, activation, name=f"dense_{index + 1}")(x)
    velocity = layers.Dense(dimensions, dtype=keras.config.floatx(), name="velocity")(x)
    return keras.Model([points, times], velocity, name="velocity")


@keras.saving.register_keras_serializable(package="gdl_keras")
class ContinuousFlow(PointFlow):
    """Maximum likelihood through the solver of a differential equation (Grathwohl et al. 2019).

    Args:
        network: `keras.Model` as `build_velocity_network` makes it.
        method: how the equation is followed: "euler", "midpoint", "heun" or "rk4" in equal steps; or "adaptive", in
            steps of Dormand and Prince's that are as long as `tolerance` allows.
        steps: int, the number of equal steps.
        tolerance: float, how large the error of an adaptive step may be, relative and absolute.
        trace_method: "exact", or "hutchinson": estimated in training from one random vector an example, and exact
            elsewhere; None: exact in the plane, estimated beyond.
        dimensions: int, numbers in a point.
        kinetic_weight, jacobian_weight: floats, the price of speed and of how fast it changes from place to place; with
            0 for both training is that of the likelihood alone.
        seed: int or None.

    Raises:
        InputError: an argument is out of range.
    """

    kinetic_weight = Setting("not negative", lambda value: value >= 0)
    jacobian_weight = Setting("not negative", lambda value: value >= 0)
    method = Setting((*FIXED_STEP_METHODS, "adaptive"))
    steps = Setting("a whole number of at least 1", lambda value: value >= 1 and value == int(value))
    tolerance = Setting("larger than 0", lambda value: value > 0)
    trace_method = Setting(("exact", "hutchinson"))

    def __init__(
        self,
        network,
        method="rk4",
        steps=8,
        tolerance=1e-5,
        trace_method=None,
        dimensions=2,
        kinetic_weight=0.01,
        jacobian_weight=0.01,
        **kwargs,
    ):
        super().__init__(dimensions, **kwargs)
        if network.output_shape != (None, dimensions):
            raise InputError(f"A velocity has as many numbers as a point, {dimensions}, not {network.output_shape}.")
        self.network = network
        self.method = method
        self.steps = steps
        self.tolerance = tolerance
        self.kinetic_weight = kinetic_weight
        self.jacobian_weight = jacobian_weight
        self.trace_method = trace_method or ("exact" if dimensions <= FEW_DIMENSIONS else "hutchinson")

    def bend(self, standard):
        return self.bend_probed(standard, tf.unstack(tf.eye(self.dimensions)))

    def bend_probed(self, standard, probes):
        """As `bend`, with a trace that is the sum of e^T J e over `probes`, float32 tensors (dimensions,) or like x.

        All unit vectors give the trace itself, one random vector an estimate of it.
        """

        def slope(time, state):
            return self.velocity_and_slopes(state[0], time, probes)[:2]

        # From time 1 back to 0: the integral comes out with the sign of the log-determinant.
        return self.followed(slope, (standard, tf.zeros(tf.shape(standard)[:1])), 1.0, 0.0)

    def bend_at_a_price(self, standard, probes):
        """What `bend_probed` gives, and the price of each example's way, float32 tensor (batch,)."""

        def slope(time, state):
            velocity, trace, squares = self.velocity_and_slopes(state[0], time, probes)
            speed = tf.reduce_sum(velocity**2, axis=1)
            return velocity, trace, self.kinetic_weight * speed + self.jacobian_weight * squares

        nothing = tf.zeros(tf.shape(standard)[:1])
        latents, log_det, price = self.followed(slope, (standard, nothing, nothing), 1.0, 0.0)
        return latents, log_det, -price

    def unbend(self, latents):
        return self.followed(self.velocity_at, ops.convert_to_tensor(latents, "float32"), 0.0, 1.0)

    def way(self, latents, stations=8):
        """As in `PointFlow`, at times that divide the way into so many equal parts."""
        way, share = [ops.convert_to_tensor(latents, "float32")], 1 / stations
        for index in range(stations):
            way.append(self.followed(self.velocity_at, way[-1], index * share, (index + 1) * share, share))
        return way

    def followed(self, slope, state, start, end, share=1.0):
        """The state at time `end`; of the whole way this is so large a `share`, and takes so much of the steps."""
        if self.method == "adaptive":
            return integrate_adaptively(slope, state, start, end, self.tolerance, self.tolerance)[0]
        return integrate(slope, state, start, end, max(1, round(self.steps * share)), self.method)

    def velocity_at(self, time, points):
        """v(x, t): float32 tensor (batch, dimensions); `time` is one for all, or a tensor (batch,)."""
        times = tf.broadcast_to(tf.reshape(time, (-1, 1)), (tf.shape(points)[0], 1))
        return self.network([points, times])

    def velocity_and_slopes(self, points, time, probes):
        """v(x, t), float32 (batch, dimensions), and sums over probes, (batch,), of e^T J e and of |J^T e|^2."""
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(points)
            velocity = self.velocity_at(time, points)
        trace = squares = tf.zeros(tf.shape(points)[:1])
        for probe in probes:
            probe = tf.broadcast_to(probe, tf.shape(points))
            slopes = tape.gradient(velocity, points, output_gradients=probe)
            trace += tf.reduce_sum(probe * slopes, axis=1)
            squares += tf.reduce_sum(slopes**2, axis=1)
        return velocity, trace, squares

    def nats_and_losses(self, data):
        if not (self.kinetic_weight or self.jacobian_weight):
            return super().nats_and_losses(data)
        examples, weights = inputs_of(data), weights_of(data)
        latents, log_det, price = self.bend_at_a_price(self.standardised(examples), self.probes_like(examples))
        nats = weighted(-self.log_density_from(latents, log_det - ops.sum(ops.log(self.scale))), weights)
        return nats, nats + weighted(price, weights) + self.penalties()

    def surprise(self, examples):
        latents, log_det = self.bend_probed(self.standardised(examples), self.probes_like(examples))
        return -self.log_density_from(latents, log_det - ops.sum(ops.log(self.scale)))

    def standardised(self, examples):
        return (examples - self.mean) / self.scale

    def probes_like(self, examples):
        """What the trace is taken by in training: all unit vectors, or a vector of random signs an example."""
        if self.trace_method == "exact":
            return tf.unstack(tf.eye(self.dimensions))
        # The same one all the way: the estimate is then that of one smooth flow.
        is_positive = keras.random.uniform(tf.shape(examples), seed=self.seed_generator) < 0.5
        return [tf.where(is_positive, 1.0, -1.0)]
