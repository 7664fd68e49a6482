"""Projection: a generated image leads back to its style's image; what it compares; what it refuses."""

import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.models.stylegan.projection import POINTS, at_all_sizes, nearest_styles, project
from tests import cases
from tests.stylegan_cases import stylegan2


@pytest.mark.parametrize("num_classes", [None, 3])
def test_a_generated_image_leads_back_to_itself(num_classes):
    model = stylegan2(num_classes)
    labels = {} if num_classes is None else {"labels": np.array([0, 2])}
    images = model.generate(2, seed=3, **labels)
    styles, found = project(model, images, **labels, steps=150)
    assert styles.shape == (2, 4, 5)
    np.testing.assert_array_equal(styles[:, 1:], styles[:, :-1])
    np.testing.assert_allclose(found, model.images_of(styles), atol=1e-6)
    # Of all pairs of the model's images the nearest are further apart.
    others = model.generate(50, seed=4, **({} if num_classes is None else {"labels": np.repeat([0, 2], 25)}))
    apart = np.square(others[:, None] - others).mean(axis=(2, 3, 4))[np.triu_indices(50, 1)]
    assert np.square(found - images).mean(axis=(1, 2, 3)).max() < min(1e-5, apart.min())


def test_a_style_for_each_layer_comes_nearer_to_an_image_that_is_not_the_models_own():
    model, images = stylegan2(), cases.images(2)
    errors = []
    for every_layer in (False, True):
        styles, found = project(model, images, steps=60, every_layer=every_layer)
        errors.append(np.square(found - images).mean())
    assert not np.array_equal(styles[:, 0], styles[:, 1])
    assert errors[1] < errors[0]


def test_nothing_of_the_model_moves_and_the_seed_decides():
    model, images = stylegan2(), cases.images(1)
    before = [np.asarray(weight) for weight in model.weights]
    first, second, third = (project(model, images, steps=5, seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, third)
    for weight, old in zip(model.weights, before):
        np.testing.assert_array_equal(weight, old)


def test_images_are_compared_at_all_sizes_down_to_4():
    """Of images that are constant but for their rims, each size sees the same difference."""
    first, second = np.zeros((2, 16, 16, 3), "float32"), np.full((2, 16, 16, 3), 0.5, "float32")
    parts = [np.asarray(at_all_sizes(tf.constant(images))) for images in (first, second)]
    assert parts[0].shape == (2, 3 * (16**2 + 8**2 + 4**2))
    squares = np.split((parts[1] - parts[0])[0] ** 2, [3 * 16**2, 3 * (16**2 + 8**2)])
    assert squares[0].sum() == pytest.approx(0.25)
    assert squares[1].reshape(8, 8, 3)[1:-1, 1:-1].mean() * 8 * 8 * 3 == pytest.approx(0.25)
    assert squares[2].reshape(4, 4, 3)[2, 2, 0] * 4 * 4 * 3 == pytest.approx(0.25, rel=0.2)


def test_the_descent_begins_at_the_nearest_of_random_styles_of_the_label():
    model = stylegan2(3)
    latents = model.sample_latents(POINTS, seed=0)
    images = model.generate(latents=latents[[7, 30]], labels=np.array([1, 2]))
    styles, spread = nearest_styles(model, at_all_sizes(tf.constant(images)), np.array([1, 2]))
    np.testing.assert_allclose(styles, model.styles_of(latents[[7, 30]], np.array([1, 2])), rtol=1e-5, atol=1e-6)
    each = [np.asarray(model.styles_of(latents, np.full(POINTS, label)))[:, 0] for label in (1, 2)]
    apart = [np.square(style - style.mean(axis=0)).mean() for style in each]
    assert spread == pytest.approx(np.sqrt(np.mean(apart)), rel=1e-4)


def test_images_of_another_size_are_refused():
    with pytest.raises(InputError, match=r"makes images of \(8, 8, 1\)"):
        project(stylegan2(), np.zeros((1, 16, 16, 1)))
