"""Our Adam: the step of the paper and of Keras, in one operation, and all that Keras's does besides."""

from contextlib import nullcontext

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers.schedules import CosineDecay

import gdl_keras
from gdl_keras.optimizers import FusedAdam, FusedAdamW
from tests import cases

SHAPES = (3, 2), (4,), ()
PAIRS = [(FusedAdam, keras.optimizers.Adam), (FusedAdamW, keras.optimizers.AdamW)]
OPTIONS = [
    {},
    {"learning_rate": CosineDecay(0.0, 20, warmup_target=0.002, warmup_steps=5), "beta_1": 0.5, "beta_2": 0.99},
    {"weight_decay": 0.1, "epsilon": 1e-3},
    {"clipnorm": 0.3},
    {"global_clipnorm": 0.3},
    {"clipvalue": 0.2},
    {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7},
    {"gradient_accumulation_steps": 3},
    {"loss_scale_factor": 8.0},
    {"amsgrad": True},
]
# float32 has 1 - 0.999 right to a hundred-thousandth, and ours takes 1 - beta_2 from it, Keras from Python's double.
STATE_TOLERANCE = 3e-5


def weights(dtype="float32"):
    rng = np.random.default_rng(0)
    return [keras.Variable(rng.normal(size=shape), dtype=dtype, name=f"w{n}") for n, shape in enumerate(SHAPES)]


def gradients(step, dtype="float32"):
    rng = np.random.default_rng(step)
    return [tf.constant(rng.normal(size=shape) * 10.0 ** rng.integers(-3, 2), dtype) for shape in SHAPES]


def after(optimizer, steps=20, dtype="float32", compiled=True):
    """What the weights and the optimizer's variables have come to: list of arrays."""
    variables = weights(dtype)
    optimizer.build(variables)
    step = tf.function(optimizer.apply, jit_compile=compiled == "XLA") if compiled else optimizer.apply
    for number in range(steps):
        step(gradients(number, dtype))
    return [np.asarray(variable, "float64") for variable in (*variables, *optimizer.variables)]


def operations(optimizer, dtype="float32"):
    """The names of all operations of a step."""
    variables = weights(dtype)
    optimizer.build(variables)
    graph = tf.function(optimizer.apply).get_concrete_function(gradients(0, dtype)).graph
    return [operation.type for operation in graph.get_operations()]


def assert_close(ours, theirs, tolerance):
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance)


def test_ten_steps_are_those_of_the_paper():
    w = [np.asarray(variable, "float64") for variable in weights()]
    m, v = [0.0] * len(w), [0.0] * len(w)
    for t in range(1, 11):
        for n, g in enumerate(np.asarray(gradient, "float64") for gradient in gradients(t - 1)):
            m[n] = 0.8 * m[n] + 0.2 * g
            v[n] = 0.95 * v[n] + 0.05 * g**2
            w[n] = w[n] - 0.03 * np.sqrt(1 - 0.95**t) / (1 - 0.8**t) * m[n] / (np.sqrt(v[n]) + 1e-4)
    found = after(FusedAdam(0.03, beta_1=0.8, beta_2=0.95, epsilon=1e-4), 10)
    assert_close(found[: len(w)], w, 1e-6)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options))
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_weights_and_state_are_those_of_keras(ours, theirs, options):
    mine, other = after(ours(**options)), after(theirs(**options))
    assert_close(mine[: len(SHAPES)], other[: len(SHAPES)], 1e-6)
    assert_close(mine, other, STATE_TOLERANCE)


@pytest.mark.parametrize("compiled", [False, "XLA"])
def test_the_step_is_the_same_eagerly_and_under_xla(compiled):
    assert_close(after(FusedAdamW(0.02), compiled=compiled), after(FusedAdamW(0.02)), 1e-6)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float16", 1e-9), ("bfloat16", 1e-9)])
def test_weights_of_another_dtype_move_as_in_keras(dtype, tolerance):
    found, expected = (after(optimizer(1e-2, epsilon=1e-3), 5, dtype) for optimizer in PAIRS[0])
    assert_close(found, expected, tolerance)


@pytest.mark.parametrize(
    ("options", "dtype", "fused"),
    [({}, "float32", True), ({"amsgrad": True}, "float32", False), ({}, "float16", False)],
    ids=str,
)
def test_one_operation_moves_a_weight(options, dtype, fused):
    found = operations(FusedAdam(**options), dtype)
    assert found.count("ResourceApplyAdam") == len(SHAPES) * fused
    assert ("Sqrt" in found) != fused
    assert "ResourceApplyAdam" not in operations(keras.optimizers.Adam(**options), dtype)


def test_a_token_that_comes_twice_counts_twice():
    """A sparse gradient may name a row more than once: it is the dense one that it stands for, unlike in Keras."""
    sparse = tf.IndexedSlices(tf.constant([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]]), tf.constant([1, 1, 3]), (4, 2))
    found = []
    for gradient in (sparse, tf.convert_to_tensor(sparse)):
        table, optimizer = keras.Variable(np.ones((4, 2), "float32")), FusedAdam(0.1)
        optimizer.build([table])
        for _ in range(3):
            optimizer.apply([gradient], [table])
        found.append([np.asarray(variable) for variable in (table, *optimizer.variables)])
    assert_close(*found, 1e-6)
    np.testing.assert_allclose(found[0][0], [[1, 1], [0.7, 0.7], [1, 1], [0.7, 0.7]], atol=1e-5)


def trained(optimizer, steps=2, strategy=None, **options):
    keras.utils.set_random_seed(0)
    with strategy.scope() if strategy else nullcontext():
        model = cases.gpt(tie_weights=True)  # the gradients are dense
        model.compile(optimizer() if callable(optimizer) else optimizer, **options)
    go_on(model, steps)
    return model


def go_on(model, steps):
    batches = tf.data.Dataset.from_tensors(cases.tokens()).repeat()
    return model.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False)


def state(model):
    return [np.asarray(variable) for variable in (*model.trainable_variables, *model.optimizer.variables)]


@pytest.mark.parametrize("ours", [FusedAdam, FusedAdamW])
def test_a_saved_model_comes_back_with_its_optimizer(ours, tmp_path):
    rate = CosineDecay(1e-2, 50)
    model = trained(ours(rate, weight_decay=0.1, beta_2=0.98, global_clipnorm=1.0))
    model.save(tmp_path / "model.keras")
    again = gdl_keras.load(tmp_path / "model.keras")
    assert type(again.optimizer) is ours
    assert again.optimizer.get_config() == model.optimizer.get_config()
    for optimizer in (model.optimizer, again.optimizer):
        assert isinstance(optimizer.get_config()["learning_rate"], dict)
    for each in (model, again):
        go_on(each, 2)
    assert_close(state(again), state(model), 1e-7)


@pytest.mark.parametrize("reverse", [False, True], ids=["ours goes on with Keras's run", "Keras's with ours"])
def test_a_run_goes_on_with_either_optimizer(reverse, tmp_path):
    first, second = reversed(PAIRS[1]) if not reverse else PAIRS[1]
    model, other = trained(first(1e-2)), trained(second(1e-2), steps=1)
    model.save(tmp_path / "model.keras")
    other.load_weights(tmp_path / "model.keras")
    for mine, its in zip(state(other), state(model), strict=True):
        np.testing.assert_array_equal(mine, its)
    assert [v.name for v in other.optimizer.variables] == [v.name for v in model.optimizer.variables]
    for each in (model, other):
        go_on(each, 3)
    assert_close(state(other), state(model), STATE_TOLERANCE)


def test_two_replicas_take_the_step_of_one_device(two_replicas):
    one, two = (trained(lambda: FusedAdamW(1e-2, global_clipnorm=1.0), 3, where) for where in (None, two_replicas))
    assert_close(state(two), state(one), 1e-5)
    for variable in (*two.trainable_variables, *two.optimizer.variables):
        first, second = map(np.asarray, two_replicas.experimental_local_results(variable.value))
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_moves_the_float32_weights(policy):
    keras.config.set_dtype_policy(policy)
    ours, theirs = (trained(optimizer(1e-2), 3) for optimizer in PAIRS[0])
    assert isinstance(ours.optimizer, keras.optimizers.LossScaleOptimizer) == (policy == "mixed_float16")
    assert_close(state(ours), state(theirs), 1e-4)


def test_a_step_that_overflows_is_left_out():
    variables = weights()
    optimizer = keras.optimizers.LossScaleOptimizer(FusedAdam(0.1), initial_scale=4.0)
    optimizer.build(variables)
    before = [np.asarray(variable) for variable in variables]
    tf.function(optimizer.apply)([tensor * np.inf for tensor in gradients(0)])
    assert_close([np.asarray(variable) for variable in variables], before, 0)
    assert float(optimizer.dynamic_scale) == 2
