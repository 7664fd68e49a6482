"""Direct preference optimisation: the language model as its own reward model.

Who wants much reward r and little distance from the reference, wants the policy

    pi(x) = pi_ref(x) exp(r(x) / beta) / Z

Read backwards, any policy is the best one for the reward beta log(pi / pi_ref).  So the loss of a reward model is put
on that, and what is learnt from pairs of texts is the policy itself: no reward model, nothing drawn while training.

Paper: Rafailov et al. 2023, Direct preference optimization: your language model is secretly a reward model,
arXiv:2305.18290.
"""

import keras
import tensorflow as tf
from keras import ops

from gdl_keras.layers.settings import Annealed
from gdl_keras.models.autoregressive.tuned import TunedGPT
from gdl_keras.models.parts.inputs import pairs_of
from gdl_keras.preference_losses import direct_preference


@keras.saving.register_keras_serializable(package="gdl_keras")
class DPO(TunedGPT):
    """Trains a policy to make the better one of two texts likelier, and the worse one less likely.

        loss = -log sigmoid(beta log(pi / pi_ref)(chosen) - beta log(pi / pi_ref)(rejected))

    Args:
        network, reference, vocabulary, length, one_text, given_length, seed: as in `TunedGPT`; both texts of a pair
            begin with the same `given_length` tokens.
        beta: float, what a nat from the reference costs, in rewards; it may be annealed.

    Reports `loss`, nats a pair; `accuracy`, how often the policy's own reward is larger for the chosen text; `margin`,
    by how much; and `nats`, -log pi of a token that was written of the chosen texts.
    """

    metric_names = ("loss", "accuracy", "margin", "nats")
    learns_from = ("chosen", "rejected")
    predicts_from = ("tokens",)

    beta = Annealed("larger than 0", lambda value: value > 0)

    def __init__(self, network, reference, vocabulary, length=None, one_text=False, given_length=0, beta=0.1, **kwargs):
        super().__init__(network, reference, vocabulary, length, one_text, given_length, **kwargs)
        self.beta = beta

    def train_step(self, data):
        texts = tf.concat(pairs_of(self, data), axis=0)
        written = self.written(texts)
        reference = self.log_probabilities(self.reference, texts)
        with tf.GradientTape() as tape:
            policy = self.log_probabilities(self.network, texts)
            values = self.compared(policy, reference, written)
            loss = ops.mean(values["loss"])
        self.minimize(tape, loss, self.optimizer, self.trainable_variables)
        return self.report(**values)

    def test_step(self, data):
        texts = tf.concat(pairs_of(self, data), axis=0)
        networks = (self.network, self.reference)
        policy, reference = (self.log_probabilities(network, texts) for network in networks)
        return self.report(**self.compared(policy, reference, self.written(texts)))

    def compared(self, policy, reference, written):
        """The loss of each pair, and what is reported beside it.

        Args:
            policy, reference: float tensors (2 * batch, length), log-probabilities of the tokens; the chosen texts
                first.
            written: as `written` gives it.
        """
        chosen, rejected = tf.split(tf.reduce_sum(written * policy, axis=1), 2)
        reference_chosen, reference_rejected = tf.split(tf.reduce_sum(written * reference, axis=1), 2)
        margins = self.beta * (chosen - reference_chosen - rejected + reference_rejected)
        return {
            "loss": direct_preference(chosen, rejected, reference_chosen, reference_rejected, self.beta),
            "accuracy": tf.cast(margins > 0, tf.float32),
            "margin": margins,
            "nats": (-tf.split(policy, 2)[0], tf.split(written, 2)[0]),
        }
