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

    Keras composes it of some ten operations, each of which reads and writes as many numbers as the weight has; weight
    decay and the norm of all gradients take fewer passes here as well.  What is saved is Keras's, so that a run goes on
    with either optimizer.  The step of weights that are not float32, and that of `amsgrad`, is left to Keras.

    A sparse gradient, such as a table's of embeddings, counts as the dense one that it stands for.  Keras takes the
    squares of its parts, so that a token that comes twice counts as two.
    """

    def _clip_gradients(self, grads):
        dense = [tf.convert_to_tensor(gradient) for gradient in grads]
        if self.global_clipnorm:
            return tf.clip_by_global_norm(dense, self.global_clipnorm)[0]
        return super()._clip_gradients(dense)

    def _apply_weight_decay(self, variables):
        pass  # `update_step` does it

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        step = tf.cast(self.iterations + 1, tf.float32)
        powers = tf.pow(self.beta_1, step), tf.pow(self.beta_2, step)  # the same for all weights
        # Keras hands what stands for the rate to `update_step`, on each device where there are several.
        super()._backend_update_step(grads, trainable_variables, (learning_rate, *powers))

    def update_step(self, gradient, variable, rate_and_powers):
        rate, *powers = rate_and_powers
        if self.weight_decay and self._use_weight_decay(variable):
            variable.assign(variable * tf.cast(1 - self.weight_decay * rate, variable.dtype))
        if self.amsgrad or variable.dtype != tf.float32:
            super().update_step(gradient, variable, rate)
            return
        number = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[number].value.handle,
            v=self._velocities[number].value.handle,
            beta1_power=powers[0],
            beta2_power=powers[1],
            lr=tf.cast(rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, tf.float32),
        )


@stored_as("Adam")
class FusedAdam(OneOperation, keras.optimizers.Adam):
    """`keras.optimizers.Adam`, with the same arguments and the same step, in one operation for each weight."""


@stored_as("AdamW")
class FusedAdamW(OneOperation, keras.optimizers.AdamW):
    """`keras.optimizers.AdamW`, with the same arguments and the same step, in one operation for each weight."""
