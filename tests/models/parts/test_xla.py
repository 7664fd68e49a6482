"""Whether XLA compiles a training step: decided by the device, never dropped without a reason."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.models import Autoencoder, Histogram
from gdl_keras.models.parts import xla
from tests import harness
from tests.cases import CASES

SHAPE = (8, 8, 1)
images = np.random.default_rng(0).random((16, *SHAPE), dtype="float32")


def one_layer(layer=None):
    """An autoencoder of one code, whose encoder has one more layer where that is given."""
    inputs = keras.Input(SHAPE)
    x = inputs if layer is None else layer(inputs)
    encoder = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(x)))
    codes = keras.Input((2,))
    decoder = keras.Model(codes, keras.layers.Reshape(SHAPE)(keras.layers.Dense(64)(codes)))
    return Autoencoder(encoder, decoder, seed=1)


class ByPython(keras.layers.Layer):
    """Does nothing, in Python, which XLA cannot compile."""

    def call(self, inputs):
        return tf.ensure_shape(tf.grad_pass_through(self._in_python)(inputs), inputs.shape)

    @staticmethod
    def _in_python(inputs):
        return tf.numpy_function(lambda values: values, [inputs], tf.float32)


@pytest.fixture
def gpu(monkeypatch):
    """What asks for a GPU finds one."""
    monkeypatch.setattr(xla, "is_worth_it", lambda: True)


@pytest.mark.parametrize(
    ("jit_compile", "run_eagerly", "expected"),
    [("auto", False, True), (True, False, True), (False, False, False), ("auto", True, False), (True, True, False)],
)
def test_on_a_gpu_steps_are_compiled_unless_told_otherwise(jit_compile, run_eagerly, expected, gpu):
    model = one_layer()
    model.compile("adam", jit_compile=jit_compile, run_eagerly=run_eagerly)
    assert model.jit_compile is expected
    # A file says what was asked for, so that it trains as it should on a machine of another kind.
    assert model.get_compile_config()["jit_compile"] == jit_compile


def test_on_a_processor_they_are_not():
    model = one_layer()
    model.compile("adam")
    assert model.jit_compile is False


def test_also_where_every_number_must_be_the_same(gpu):
    """There Keras drops XLA."""
    assert tf.config.experimental.enable_op_determinism() is None
    model = one_layer()
    model.compile("adam")
    assert model.jit_compile


def test_the_step_that_xla_compiles_is_the_step():
    """Nothing in it is drawn: both ways to the same weights."""
    trained = []
    for jit_compile in (False, True):
        keras.utils.set_random_seed(1)
        model = one_layer()
        model.compile(keras.optimizers.SGD(1.0), jit_compile=jit_compile)
        model.fit(images, epochs=2, batch_size=8, shuffle=False, verbose=0)
        trained.append(harness.weights(model))
    for plain, compiled in zip(*trained):
        np.testing.assert_allclose(compiled, plain, rtol=1e-4, atol=1e-6)


def test_a_layer_that_says_so_is_not_compiled(gpu):
    layer = keras.layers.RandomZoom(0.1, name="closer")
    model = one_layer(layer)
    with pytest.warns(UserWarning, match=r"trains without XLA, slower: its layer closer \(RandomZoom\)"):
        model.compile("adam")
    assert not model.jit_compile
    with pytest.raises(InputError, match="XLA cannot compile Autoencoder: its layer closer"):
        model.compile("adam", jit_compile=True)


def test_an_operation_that_xla_does_not_know_is_named_and_done_without_it(gpu):
    model = one_layer(ByPython())
    model.compile("adam")
    with pytest.warns(UserWarning, match="trains without XLA, slower: XLA has no kernel for the operation PyFunc"):
        history = model.fit(images, epochs=1, batch_size=8, verbose=0).history
    assert np.isfinite(history["loss"]).all() and int(model.optimizer.iterations) == 2
    assert not model.jit_compile


def test_asked_for_by_name_it_is_refused():
    model = one_layer(ByPython())
    model.compile("adam", jit_compile=True)
    with pytest.raises(InputError, match=r"XLA cannot compile Autoencoder: .*PyFunc.  Leave jit_compile away"):
        model.fit(images, verbose=0)


def test_other_errors_pass():
    assert xla.complaint(tf.errors.InvalidArgumentError(None, None, "Incompatible shapes: [2] vs. [3]")) is None
    assert "compile-time" in xla.complaint(
        tf.errors.InvalidArgumentError(None, None, "Input 1 must be a compile-time constant.\nMore")
    )


def test_evaluation_and_prediction_are_not_compiled(gpu):
    """Of 13 images the last batch has 5: one size more, which would be compiled anew."""
    model = one_layer(ByPython())
    model.compile("adam")
    assert np.isfinite(model.evaluate(images[:13], batch_size=8, verbose=0))
    assert model.predict(images[:13], batch_size=8, verbose=0).shape == (13, *SHAPE)
    assert model.jit_compile  # nothing was found out yet


@pytest.mark.full
@pytest.mark.parametrize("case", [case for case in CASES if not case.variant and case.name != "ngram"], ids=str)
def test_every_model_can_be_compiled(case):
    model = harness.build(case)
    model._may_do_without_xla, model._jit_compile = False, True
    harness.assert_finite(harness.train(case, model, epochs=1))


def test_a_histogram_counts_by_what_xla_knows():
    points = np.random.default_rng(0).random((32, 2), dtype="float32")
    model = Histogram.around(points, bins=2)
    model.compile(None, jit_compile=True)
    model.fit(data.from_arrays(kind="points", points=points, batch_size=16), verbose=0)
    assert float(np.sum(model.counts)) == 32
