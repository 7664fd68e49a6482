"""The pipeline as a layer: identity at strength 0, chances, gradients of both orders, precision, files, XLA."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras import losses
from gdl_keras.errors import InputError
from gdl_keras.layers import AdaptiveAugmentation
from gdl_keras.layers.augmentation.pipeline import GROUPS

EACH = pytest.mark.parametrize("group", GROUPS)


def only(group, share=1.0, **options):
    """A layer of one group of transforms."""
    return AdaptiveAugmentation(**dict.fromkeys(GROUPS, 0.0) | {group: share}, **{"seed": 0, **options})


def everything(strength, **options):
    return AdaptiveAugmentation(**dict.fromkeys(GROUPS, 1.0), strength=strength, **{"seed": 0, **options})


def random(*shape):
    return np.random.default_rng(sum(shape)).uniform(0, 1, shape).astype("float32")


def again(layer):
    """The layer as a function that draws the same random numbers at each call."""
    start = np.asarray(layer.seed_generator.state)

    def augment(images):
        layer.seed_generator.state.assign(start)
        return layer(images, training=True)

    return augment


@EACH
@pytest.mark.parametrize("channels", [1, 3])
def test_nothing_changes_at_strength_0_or_outside_training(group, channels):
    images = random(4, 8, 8, channels)
    np.testing.assert_allclose(only(group)(images, training=True), images, atol=1e-5)
    np.testing.assert_array_equal(only(group, strength=1.0)(images), images)


# Of numbers uniform in [-1, 1], on average at strength 1.  Of the first four, what another implementation of the paper
# changes in a few images, each by another amount; of the last two, E|N(0, 0.1)| E|N(0, 1)|, and E|x| times what a hole
# covers.
CHANGE = {"blit": 0.66, "geometry": 0.61, "colour": 0.69, "filtering": 0.59}
CHANGE |= {"noise": 0.1 * 2 / np.pi, "cutout": 0.5 * (0.5 - 0.5**2 / 4) ** 2}


@EACH
def test_images_change_as_much_as_they_should(group):
    images = random(512, 16, 16, 3)
    change = 2 * np.abs(np.asarray(only(group, strength=1.0)(images, training=True)) - images).mean()
    assert change == pytest.approx(CHANGE[group], rel=0.05 if group in ("noise", "cutout") else 0.25)


@pytest.mark.parametrize("group", ["noise", "cutout"])
@pytest.mark.parametrize(("share", "strength"), [(1.0, 0.25), (0.5, 0.6)])
def test_a_transform_is_applied_with_the_probability(group, share, strength):
    count = 3000
    images = random(count, 8, 8, 1)
    changed = np.abs(only(group, share, strength=strength)(images, training=True) - images).max(axis=(1, 2, 3)) > 1e-5
    probability = share * strength
    deviation = np.sqrt(probability * (1 - probability) / count)
    assert changed.mean() == pytest.approx(probability, abs=4 * deviation)


def test_images_of_a_batch_are_transformed_each_in_its_own_way_and_anew_at_each_call():
    layer = everything(1.0)
    images = np.repeat(random(1, 8, 8, 3), 6, axis=0)
    first, second = (np.asarray(layer(images, training=True)) for _ in range(2))
    for one, other in [(first[0], first[1]), (first[4], first[5]), (first[0], second[0])]:
        assert np.abs(one - other).max() > 0.01
    np.testing.assert_array_equal(everything(1.0)(images, training=True), first)


@EACH
def test_gradients_are_finite_differences(group):
    """Each transform is a straight line of the image's values, so that no step is too large."""
    images, direction = tf.constant(random(3, 8, 8, 3)), tf.constant(random(3, 8, 8, 3) - 0.5)
    augment = again(only(group, strength=1.0))
    upstream = tf.constant(np.random.default_rng(0).normal(size=images.shape), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(augment(images) * upstream)
    slope = tf.reduce_sum(tape.gradient(total, images) * direction)
    difference = tf.reduce_sum((augment(images + direction) - augment(images)) * upstream)
    assert float(slope) == pytest.approx(float(difference), rel=1e-3, abs=1e-3)


def critic():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(4, 3, activation="softplus"),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )


@pytest.mark.parametrize("compiled", [False, True], ids=["plain", "XLA"])
def test_a_penalty_on_the_slope_through_it_has_the_right_gradient(compiled):
    """R1: the discriminator's slope at the images as they were before, differentiated for its weights."""
    images, judge = tf.constant(random(2, 8, 8, 3)), critic()
    augment = again(everything(0.8))
    weights = judge.trainable_variables[:3]

    # Compiled once: XLA draws other numbers, the same at each call.
    @tf.function(jit_compile=compiled)
    def penalty_and_gradients():
        with tf.GradientTape() as tape:
            penalty = tf.reduce_mean(losses.squared_slope(lambda x: judge(augment(x)), images))
        return penalty, tape.gradient(penalty, weights)

    rng = np.random.default_rng(0)
    start = [np.asarray(weight) for weight in weights]
    directions = [rng.normal(size=weight.shape).astype("float32") for weight in weights]

    def at(distance):
        for weight, value, direction in zip(weights, start, directions):
            weight.assign(value + distance * direction)
        return penalty_and_gradients()

    slope = sum(float(tf.reduce_sum(g * d)) for g, d in zip(at(0.0)[1], directions))
    difference = (at(0.01)[0] - at(-0.01)[0]) / 0.02
    assert abs(slope) > 1e-3
    assert slope == pytest.approx(float(difference), rel=2e-2)


def test_strength_is_read_at_each_call_of_a_traced_step():
    layer = only("cutout")
    step = tf.function(lambda images: layer(images, training=True))
    images = tf.constant(random(16, 8, 8, 1))
    np.testing.assert_allclose(step(images), images, atol=1e-6)
    layer.controller.strength.assign(1.0)
    assert (np.abs(step(images) - images).max(axis=(1, 2, 3)) > 0).all()


def test_batches_of_any_size_pass_a_traced_step():
    layer = everything(0.5)
    step = tf.function(
        lambda images: layer(images, training=True), input_signature=[tf.TensorSpec((None, 8, 8, 3), tf.float32)]
    )
    for count in (1, 5):
        assert step(random(count, 8, 8, 3)).shape == (count, 8, 8, 3)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_it_computes_in_float32_under_half_precision(policy):
    images = random(4, 8, 8, 3)
    wanted = everything(0.9)(images, training=True)
    keras.config.set_dtype_policy(policy)
    layer = everything(0.9)
    assert layer.controller.strength.dtype == "float32"
    np.testing.assert_array_equal(layer(images, training=True), wanted)
    assert layer(tf.cast(images, tf.float16), training=True).dtype == tf.float32


def test_replicas_transform_differently(two_replicas):
    with two_replicas.scope():
        layer = everything(1.0)
    images = tf.constant(random(2, 8, 8, 3))
    results = two_replicas.run(tf.function(lambda: layer(images, training=True)))
    assert not np.array_equal(*[np.asarray(r) for r in two_replicas.experimental_local_results(results)])


def test_strength_is_saved_with_a_model(tmp_path):
    images = keras.Input((8, 8, 3))
    model = keras.Model(images, AdaptiveAugmentation(ramp_kimg=1, seed=3, name="augmentation")(images))
    layer = model.get_layer("augmentation")
    for _ in range(6):
        layer.controller.observe(tf.ones((50, 1)))
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras").get_layer("augmentation")
    assert copy.get_config() == layer.get_config()
    assert float(copy.controller.strength) == pytest.approx(0.2)
    assert [float(weight) for weight in copy.weights] == [float(weight) for weight in layer.weights]
    assert not model.trainable_variables


def test_bad_arguments_and_images_are_refused():
    with pytest.raises(InputError, match="blit"):
        AdaptiveAugmentation(blit=1.5)
    for shape, options in (((8, 10, 3), {}), ((8, 8, 2), {}), ((1, 1, 3), {}), ((None, None, 3), {})):
        with pytest.raises(InputError):
            AdaptiveAugmentation(**options)(keras.Input(shape))
    AdaptiveAugmentation(blit=0.0, colour=0.0)(keras.Input((8, 10, 2)))
