"""Our batch normalisation: the numbers of Keras' own, in training, after it, and in its gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers import FusedBatchNormalization

SHAPES = [(16, 6, 5, 3), (32, 3), (8, 10, 3), (4, 3, 3, 2, 3)]


def pair(shape, dtype="float32", **options):
    """Our layer and Keras' own, with the same weights."""
    layers = [
        kind(momentum=0.8, dtype=dtype, **options)
        for kind in (FusedBatchNormalization, keras.layers.BatchNormalization)
    ]
    rng = np.random.default_rng(0)
    for layer in layers:
        layer.build(shape)
    values = [rng.uniform(0.5, 2, w.shape) for w in layers[0].weights]
    for layer in layers:
        layer.set_weights(values)
    return layers


def images(shape):
    return tf.constant(np.random.default_rng(1).normal(3, 2, shape), "float32")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("training", [True, False])
def test_outputs_gradients_and_moving_averages(shape, training):
    x, upstream = images(shape), images(shape)
    results = []
    for layer in pair(shape):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training)
        gradients = tape.gradient(y, [x, layer.gamma.value, layer.beta.value], output_gradients=upstream)
        results.append([y, *gradients, layer.moving_mean, layer.moving_variance])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("training", [True, False])
def test_without_gain_and_bias_outputs_gradients_and_moving_averages(training):
    """The kernel knows no such thing, and gets ones and zeros."""
    x, upstream = images((16, 6, 5, 3)), images((16, 6, 5, 3))
    results = []
    for layer in pair((16, 6, 5, 3), center=False, scale=False):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training)
        results.append([y, tape.gradient(y, x, output_gradients=upstream), *layer.weights])
    assert len(results[0]) == 4
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-4)


def test_moments_by_hand():
    x = images((16, 6, 5, 3))
    layer = FusedBatchNormalization(momentum=0.0)
    y = layer(x, training=True)
    pixels = np.asarray(x, "float64").reshape(-1, 3)
    np.testing.assert_allclose(layer.moving_mean, pixels.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, pixels.var(0), rtol=1e-5)
    expected = (pixels - pixels.mean(0)) / np.sqrt(pixels.var(0) + layer.epsilon)
    np.testing.assert_allclose(np.reshape(y, (-1, 3)), expected, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_statistics_of_half_precision_are_counted_in_float32(policy):
    """Numbers near 300 with a spread of 1: their squares end float16, and bfloat16 cannot tell them apart."""
    x = tf.cast(300 + np.random.default_rng(0).integers(0, 2, (64, 8, 8, 2)) * 2, policy[6:])
    layer = FusedBatchNormalization(momentum=0.0, dtype=policy)
    y = layer(x, training=True)
    exact = np.asarray(tf.cast(x, "float64")).reshape(-1, 2)
    assert y.dtype == policy[6:] and layer.moving_mean.dtype == "float32"
    np.testing.assert_allclose(layer.moving_mean, exact.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, exact.var(0), rtol=1e-3)


@pytest.mark.parametrize(
    "options",
    [{"axis": 1}, {"scale": False}, {"center": False}, {"renorm": True}, {"dtype": "float64"}],
    ids=lambda options: str(*options),
)
def test_what_the_kernel_does_not_know_goes_the_way_of_keras(options):
    shape = (16, 6, 5, 3)
    x = tf.cast(images(shape), options.get("dtype", "float32"))
    ours, theirs = (layer(x, training=True) for layer in pair(shape, **options))
    np.testing.assert_array_equal(ours, theirs)


def test_frozen_it_uses_and_keeps_its_averages():
    ours, theirs = pair((16, 6, 5, 3))
    before = [np.asarray(w) for w in ours.weights]
    ours.trainable = theirs.trainable = False
    x = images((16, 6, 5, 3))
    np.testing.assert_allclose(ours(x, training=True), theirs(x, training=True), rtol=1e-4, atol=1e-4)
    for weight, value in zip(ours.weights, before):
        np.testing.assert_array_equal(weight, value)


def test_a_batch_of_unknown_size_and_compiled():
    ours, theirs = pair((None, 3))
    x = images((7, 3))
    compiled = tf.function(lambda x: ours(x, training=True), input_signature=[tf.TensorSpec((None, 3))])
    np.testing.assert_allclose(compiled(x), theirs(x, training=True), rtol=1e-4, atol=1e-4)


def test_saved_and_loaded():
    layer = FusedBatchNormalization(momentum=0.7, epsilon=1e-4)
    assert FusedBatchNormalization.from_config(layer.get_config()).get_config() == layer.get_config()


def shared(replicas, *arrays, first):
    """Each array as one value a replica: examples up to `first`, and those after."""
    for array in arrays:
        parts = tf.constant(array[:first]), tf.constant(array[first:])
        yield replicas.experimental_distribute_values_from_function(
            lambda context, parts=parts: parts[context.replica_id_in_sync_group]
        )


def on_two(replicas, layer, x, upstream, first, mask=None):
    """[outputs, gradients of x, gamma, beta, moving mean, moving variance], as on one device."""
    masks = [] if mask is None else [mask]
    parameters = [w for w in (layer.gamma, layer.beta) if w is not None]

    @tf.function
    def step(x, upstream, mask=None):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True, mask=mask)
        return [y, *tape.gradient(y, [x, *(w.value for w in parameters)], output_gradients=upstream)]

    results = replicas.run(step, args=tuple(shared(replicas, x, upstream, *masks, first=first)))
    y, of_x, *of_parameters = [replicas.experimental_local_results(result) for result in results]
    averages = [replicas.experimental_local_results(w.value) for w in layer.non_trainable_weights]
    for on_first, on_second in averages:
        np.testing.assert_array_equal(on_first, on_second)
    whole = [tf.concat(parts, 0) for parts in (y, of_x)]
    return [*whole, *(tf.add_n(parts) for parts in of_parameters), *(average for average, _ in averages)]


def on_one(layer, x, upstream, mask=None):
    """The same of one device."""
    parameters = [w.value for w in (layer.gamma, layer.beta) if w is not None]
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True, mask=mask)
    return [y, *tape.gradient(y, [x, *parameters], output_gradients=upstream), *layer.non_trainable_weights]


def assert_near(ours, theirs, tolerance):
    for one, other in zip(ours, theirs, strict=True):
        assert one.dtype == other.dtype
        one, other = (np.asarray(tf.cast(values, "float64")) for values in (one, other))
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * max(1, np.abs(other).max()))


def uneven(shape, dtype="float32"):
    """A batch whose first half is far from its second, and an upstream."""
    x = images(shape) + 4 * tf.reshape(tf.range(float(shape[0])), (-1, *[1] * (len(shape) - 1)))
    return tf.cast(x, dtype), tf.cast(tf.reverse(images(shape), [0]), dtype)


@pytest.mark.parametrize(
    ("shape", "share", "policy", "tolerance"),
    [
        *((shape, 0.25, "float32", 1e-4) for shape in SHAPES),
        *((SHAPES[0], 0.5, *each) for each in (("float32", 1e-4), ("mixed_float16", 4e-3), ("mixed_bfloat16", 3e-2))),
    ],
)
def test_two_replicas_are_one_device(shape, share, policy, tolerance, two_replicas):
    """One device takes the fused kernel, two compose; outputs of half precision are rounded at their end."""
    with two_replicas.scope():
        ours, _ = pair(shape, policy)
    alone, _ = pair(shape, policy)
    x, upstream = uneven(shape, policy.removeprefix("mixed_"))
    results = on_two(two_replicas, ours, x, upstream, first=int(share * shape[0]))
    assert_near(results, on_one(alone, x, upstream), tolerance)


def test_moments_of_two_replicas_by_hand(two_replicas):
    """Near 300 in float16, where the difference of large sums of squares would lose the variance."""
    rng = np.random.default_rng(0)
    x = (300 + 2 * rng.integers(0, 2, (64, 8, 8, 2)) + np.arange(64).reshape(-1, 1, 1, 1) // 32 * 8).astype("float16")
    with two_replicas.scope():
        layer = FusedBatchNormalization(momentum=0.0, dtype="mixed_float16")
        layer.build(x.shape)
    y, _, _, _, mean, variance = on_two(two_replicas, layer, x, np.ones_like(x), first=32)
    exact = x.astype("float64").reshape(-1, 2)
    assert y.dtype == "float16" and mean.dtype == variance.dtype == "float32"
    np.testing.assert_allclose(mean, exact.mean(0), rtol=1e-6)
    np.testing.assert_allclose(variance, exact.var(0), rtol=1e-4)
    expected = (exact - exact.mean(0)) / np.sqrt(exact.var(0) + layer.epsilon)
    np.testing.assert_allclose(np.reshape(y, (-1, 2)), expected, atol=2e-3)


@pytest.mark.parametrize(
    "options",
    [{"axis": 1}, {"scale": False}, {"center": False}, {"renorm": True}, {"dtype": "float64"}, {"mask": True}],
    ids=lambda options: str(*options),
)
def test_two_replicas_are_one_device_of_keras(options, two_replicas):
    options = dict(options)
    shape, mask = (16, 6, 5, 3), None
    if options.pop("mask", False):
        mask = tf.constant(np.random.default_rng(2).integers(0, 2, shape[:-1]), "bool")
    with two_replicas.scope():
        ours, _ = pair(shape, **options)
    _, theirs = pair(shape, **options)
    x, upstream = uneven(shape, options.get("dtype", "float32"))
    assert_near(on_two(two_replicas, ours, x, upstream, 8, mask), on_one(theirs, x, upstream, mask), 1e-4)


@pytest.mark.full
def test_a_network_trains_on_two_replicas_as_on_one_device(two_replicas):
    """Two normalisations, one after the other, through `fit`; and outside training nothing is shared."""
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(32, n)).astype("float32") for n in (4, 1))
    x[::8] += 5

    def trained():
        keras.utils.set_random_seed(0)
        points = z = keras.Input((4,))
        for _ in range(2):
            z = FusedBatchNormalization()(keras.layers.Dense(6, activation="tanh")(z))
        model = keras.Model(points, keras.layers.Dense(1)(z))
        model.compile(keras.optimizers.SGD(0.1), "mean_squared_error")
        model.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0)
        return [*model.get_weights(), model.predict(x, verbose=0)]

    alone = trained()
    with two_replicas.scope():
        together = trained()
    for one, two in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)
