"""The controller of augmentation: its table, its bounds, and that it goes on where it was."""

import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers import AugmentationController

ALL, NONE = np.ones(64, "float32"), -np.ones(64, "float32")
# 80 % above 0 is r = 0.6.
MOST = np.where(np.arange(100) < 81, 1.0, -1.0).astype("float32")
FEWER = np.where(np.arange(100) < 79, 1.0, -1.0).astype("float32")


def strengths(controller, batches):
    """The strength after each step."""
    found = []
    for scores in batches:
        controller.observe(tf.constant(scores))
        found.append(float(controller.strength))
    return found


def test_strength_moves_every_four_steps_by_the_images_seen():
    """64 x 4 images of 500,000."""
    found = strengths(AugmentationController(), [ALL] * 8 + [NONE] * 4)
    step = 64 * 4 / 500_000
    np.testing.assert_allclose(found, [0] * 3 + [step] * 4 + [2 * step] * 4 + [step], rtol=1e-6)


TABLE = {
    "above the target": ([MOST] * 4, 0.5 + 0.004),
    "below the target": ([FEWER] * 4, 0.5 - 0.004),
    "at the target": ([MOST, FEWER] * 2, 0.5),
    "what counts is the mean of the four": ([NONE[:10], ALL[:30], ALL[:30], ALL[:30]], 0.5 - 0.001 + 0.002),
    "how far above zero does not count": ([MOST * 1e-3, MOST * 7, 100 * MOST, MOST], 0.5 + 0.004),
    "zero is neither": ([np.zeros(100, "float32")] * 4, 0.5 - 0.004),
}


@pytest.mark.parametrize("name", TABLE)
def test_table(name):
    batches, wanted = TABLE[name]
    assert strengths(AugmentationController(strength=0.5, ramp_kimg=100), batches)[-1] == pytest.approx(
        wanted, abs=1e-6
    )


def test_strength_stays_between_0_and_1():
    assert strengths(AugmentationController(ramp_kimg=0.1), [NONE] * 4)[-1] == 0
    assert strengths(AugmentationController(ramp_kimg=0.1), [ALL] * 4)[-1] == 1
    assert strengths(AugmentationController(strength=0.3, ramp_kimg=None), [ALL] * 8) == [pytest.approx(0.3)] * 8


def test_target_and_interval():
    found = strengths(AugmentationController(0.5, target=0.0, ramp_kimg=1, interval=2), [MOST, MOST, NONE, NONE])
    np.testing.assert_allclose(found, [0.5, 0.7, 0.7, 0.572], rtol=1e-6)


def test_scores_of_places_count_as_their_image():
    """A judge that scores patches: one number a patch, of which an image has several."""
    patches = np.ones((10, 2, 2, 1), "float32")
    patches[:, 0] = -1
    found = strengths(AugmentationController(0.5, target=-0.1, ramp_kimg=1), [patches] * 4)
    assert found[-1] == pytest.approx(0.54)


def test_it_goes_on_in_the_middle_of_an_interval():
    first = AugmentationController(0.2, ramp_kimg=10)
    strengths(first, [ALL] * 6)
    second = AugmentationController.from_config(first.get_config())
    assert float(second.strength) == pytest.approx(0.2)
    for mine, other in zip(second.weights, first.weights, strict=True):
        mine.assign(other)
    rest = [NONE, ALL, ALL, NONE, ALL, NONE]
    assert strengths(first, rest) == strengths(second, rest)


def test_replicas_take_the_step_of_one_device(two_replicas):
    with two_replicas.scope():
        controller = AugmentationController(0.5, ramp_kimg=1)
    alone = AugmentationController(0.5, ramp_kimg=1)
    parts = [ALL[:10], NONE[:10]]

    @tf.function
    def step(scores):
        controller.observe(scores)

    for count in range(4):
        given = two_replicas.experimental_distribute_values_from_function(
            lambda context, count=count: tf.constant(parts[0] if count else parts[context.replica_id_in_sync_group])
        )
        two_replicas.run(step, args=(given,))
        alone.observe(tf.constant(np.concatenate([parts[0], parts[0] if count else parts[1]])))
    for strength in two_replicas.experimental_local_results(controller.strength.value):
        assert float(strength) == float(alone.strength) == pytest.approx(0.58)


def test_bad_arguments_are_refused():
    for wrong in ({"strength": 1.5}, {"target": 1.0}, {"ramp_kimg": 0}, {"interval": 0}):
        with pytest.raises(InputError):
            AugmentationController(**wrong)
