"""Adam and AdamW, which move each weight by one operation."""

from gdl_keras.backend import use_tensorflow

use_tensorflow()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from gdl_keras.layers.naming import stored_as  # noqa: E402


class OneOperation:
    """The step of Adam as one pass over a weight, its gradient and its two moments.

        m = m + (1 - beta_1) (g - m),   v = v + (1 - beta_2) (g^2 - v)              (Kingma & Ba 2015, arXiv:1412.6980)
        w = w - rate sqrt(1 - beta_2^t) / (1 - beta_1^t)  m / (sqrt(v) + epsilon)

    Keras composes it of some ten operations, each of which reads and writes as many numbers as the weight has.  All
    else is Keras's: weight decay, clipping, averages, accumulation, and what is saved, so that a run goes on with
    either optimizer.  So is the step of weights that are not float32, and that of `amsgrad`.
    """

    def update_step(self, gradient, variable, learning_rate):
        if self.amsgrad or variable.dtype != tf.float32:
            super().update_step(gradient, variable, learning_rate)
            return
        number = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[number].value.handle,
            v=self._velocities[number].value.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(tf.convert_to_tensor(gradient), tf.float32),
        )


@stored_as("Adam")
class FusedAdam(OneOperation, keras.optimizers.Adam):
    """`keras.optimizers.Adam`, with the same arguments and the same step, in one operation for each weight."""


@stored_as("AdamW")
class FusedAdamW(OneOperation, keras.optimizers.AdamW):
    """`keras.optimizers.AdamW`, with the same arguments and the same step, in one operation for each weight."""
