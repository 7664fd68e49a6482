"""What language models of one network share: how they are trained, and what is read where nothing was written yet."""

import keras
import tensorflow as tf
from keras import ops

from gdl_keras.models.autoregressive.text import TextModel
from gdl_keras.models.base import inputs_of
from gdl_keras.models.parts.replicas import mean_over_replicas
from gdl_keras.models.parts.weights import refuse_weights, weights_of


class LanguageModel(TextModel):
    """A network that says of each token what may come after it, having read the tokens up to it.

        loss = -1/n sum_t log p(x_t | <end>, x_0 ... x_{t-1})     over the n tokens that count

    What is read first is <end>, as if another text had come before.  A text's own <end> counts, what fills up its row
    behind it does not.  A subclass writes `initial_state` and `step`.

    Args:
        network: `keras.Model`, int tokens (batch, length) -> logits, float32 (batch, length, vocabulary); entry t is of
            the token at t + 1 and depends on those up to t.
        vocabulary, length, one_text: as in `TextModel`.

    Reports `loss`, nats a token, and `perplexity`, its exponential, of all tokens that count but a row's first: of long
    texts that are cut into rows, that one is what the row before ends with.
    """

    metric_names = ("loss", "perplexity")

    def __init__(self, network, vocabulary, length=200, one_text=False, **kwargs):
        super().__init__(vocabulary, length, one_text, **kwargs)
        self.network = network

    def build_metrics(self):
        return {name: METRICS.get(name, keras.metrics.Mean)(name=name) for name in self.metric_names}

    def train_step(self, data):
        tokens = self._tokens_of(data)
        counts = self.counting(tokens)
        with tf.GradientTape() as tape:
            nats = self.nats_per_token(tokens, training=True)
            loss = mean_over_replicas(nats, counts)
        self.minimize(tape, loss, self.optimizer, self.trainable_variables)
        return self._reported(nats, counts)

    def test_step(self, data):
        tokens = self._tokens_of(data)
        return self._reported(self.nats_per_token(tokens), self.counting(tokens))

    def logits(self, tokens, training=False):
        return self.network(self.before(tokens), training=training)

    def before(self, tokens):
        """What has just been read where each token is foreseen, <end> at first: int32 tensor (batch, length)."""
        tokens = tf.convert_to_tensor(tokens, tf.int32)
        begin = tf.fill([tf.shape(tokens)[0], 1], self.vocabulary.end)
        return tf.concat([begin, tokens[:, :-1]], axis=1)

    def read(self, token, place, state):
        return self.step(tf.where(token < 0, self.vocabulary.end, token), place, state)

    def step(self, token, place, state):
        """One token more through the network: (logits of the one after it, float32 (batch, vocabulary), new state).

        Args:
            token: int32 tensor (batch,).
            place: int tensor, how many tokens it has read before.
            state: as in `read`.
        """
        raise NotImplementedError(f"{type(self).__name__} does not read token by token.")

    @property
    def embedding(self):
        """What stands for each token: float32 array (vocabulary_size, embedding_dim)."""
        return self.network.get_layer("embedding").get_weights()[0]

    def _tokens_of(self, data):
        if weights_of(data) is not None:
            refuse_weights(self)
        return inputs_of(data, "int32")

    def _reported(self, nats, counts):
        mean = (nats[:, 1:], counts[:, 1:])
        return self.report(loss=mean, perplexity=mean)


class Perplexity(keras.metrics.Mean):
    """exp of the mean: among how many tokens, all as likely, the choice would be as hard."""

    def result(self):
        return ops.exp(super().result())


METRICS = {"perplexity": Perplexity}
