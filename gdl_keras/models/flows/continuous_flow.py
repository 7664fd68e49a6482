"""The continuous flow: not a few large steps one after the other, but a velocity, followed through time.

    dx/dt = v(x, t),   x(0) ~ N(0, I) latent,   x(1) the example

Any smooth v will do, since the same equation leads back.  And the density changes along the way by the trace of the
Jacobian alone, where a flow in steps needs its determinant:

    d log p(x(t)) / dt = -trace(dv/dx),   so   log p(x(1)) = log N(x(0); 0, I) - integral over t of trace(dv/dx)

The trace takes one pass back through the network for each dimension.  Where there are many, one random vector e with
mean 0 and covariance I is enough for an estimate without bias (Hutchinson): E[e^T J e] = trace(J).

Book: chapter 6, "FFJORD".  Papers: Chen et al. 2018, Neural ordinary differential equations, arXiv:1806.07366;
Grathwohl et al. 2019, FFJORD, arXiv:1810.01367; Hutchinson 1990 for the trace.
"""

import keras
import tensorflow as tf
from keras import layers, ops

from gdl_keras.errors import InputError
from gdl_keras.layers.settings import Setting
from gdl_keras.models.flows.points import PointFlow
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
        seed: int or None.

    Raises:
        InputError: an argument is out of range.
    """

    method = Setting((*FIXED_STEP_METHODS, "adaptive"))
    steps = Setting("a whole number of at least 1", lambda value: value >= 1 and value == int(value))
    tolerance = Setting("larger than 0", lambda value: value > 0)
    trace_method = Setting(("exact", "hutchinson"))

    def __init__(self, network, method="rk4", steps=8, tolerance=1e-5, trace_method=None, dimensions=2, **kwargs):
        super().__init__(dimensions, **kwargs)
        if network.output_shape != (None, dimensions):
            raise InputError(f"A velocity has as many numbers as a point, {dimensions}, not {network.output_shape}.")
        self.network = network
        self.method = method
        self.steps = steps
        self.tolerance = tolerance
        self.trace_method = trace_method or ("exact" if dimensions <= FEW_DIMENSIONS else "hutchinson")

    def bend(self, standard):
        return self.bend_probed(standard, tf.unstack(tf.eye(self.dimensions)))

    def bend_probed(self, standard, probes):
        """As `bend`, with a trace that is the sum of e^T J e over `probes`, float32 tensors (dimensions,) or like x.

        All unit vectors give the trace itself, one random vector an estimate of it.
        """

        def slope(time, state):
            return self.velocity_and_trace(state[0], time, probes)

        # From time 1 back to 0: the integral comes out with the sign of the log-determinant.
        return self.followed(slope, (standard, tf.zeros(tf.shape(standard)[:1])), 1.0, 0.0)

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

    def velocity_and_trace(self, points, time, probes):
        """(v(x, t), sum over probes of e^T dv/dx e): float32 tensors (batch, dimensions) and (batch,)."""
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(points)
            velocity = self.velocity_at(time, points)
        trace = tf.zeros(tf.shape(points)[:1])
        for probe in probes:
            probe = tf.broadcast_to(probe, tf.shape(points))
            trace += tf.reduce_sum(probe * tape.gradient(velocity, points, output_gradients=probe), axis=1)
        return velocity, trace

    def surprise(self, examples):
        if self.trace_method == "exact":
            return super().surprise(examples)
        # One vector of random signs an example, the same all the way: the estimate is then that of one smooth flow.
        is_positive = keras.random.uniform(tf.shape(examples), seed=self.seed_generator) < 0.5
        signs = tf.where(is_positive, 1.0, -1.0)
        latents, log_det = self.bend_probed((examples - self.mean) / self.scale, [signs])
        return -self.log_density_from(latents, log_det - ops.sum(ops.log(self.scale)))
