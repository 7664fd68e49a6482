"""The DCGAN's networks."""

import numpy as np
import pytest

from gdl_keras.errors import InputError
from gdl_keras.models.dcgan import DCGAN, build_discriminator, build_generator
from tests import cases


def test_networks_have_the_books_number_of_weights():
    generator, discriminator = build_generator((64, 64, 1)), build_discriminator((64, 64, 1))
    assert generator.count_params() == 3_576_576
    assert discriminator.count_params() == 2_765_312
    assert sum(int(np.prod(w.shape)) for w in generator.trainable_weights) == 3_574_656
    assert sum(int(np.prod(w.shape)) for w in discriminator.trainable_weights) == 2_763_520
    assert generator.output_shape == (None, 64, 64, 1)
    assert discriminator.output_shape == (None, 1)


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize("shape", [(32, 32, 3), (16, 48, 1)])
def test_other_sizes(upsampling, shape):
    generator = build_generator(shape, 8, (8, 4, 4, 4), upsampling)
    discriminator = build_discriminator(shape, (4, 4, 4, 8))
    images = generator(np.random.default_rng(0).normal(size=(2, 8)))
    assert images.shape == (2, *shape)
    assert discriminator(images).shape == (2, 1)


def test_sizes_that_do_not_halve_are_refused_with_a_way_out():
    for build in (build_generator, build_discriminator):
        with pytest.raises(InputError, match="multiple of 16"):
            build((28, 28, 1))
        assert build((28, 28, 1), filters=(4, 4)).built
    with pytest.raises(InputError, match="resize"):
        build_generator((64, 64, 1), upsampling="bicubic")


def test_labels_stay_in_range_by_default():
    model = cases.dcgan()
    reals, fakes = (np.asarray(t) for t in model.targets(np.zeros((1000, 1), "float32")))
    assert 0.9 <= reals.min() < reals.max() <= 1
    assert 0 <= fakes.min() < fakes.max() <= 0.1
    assert isinstance(model, DCGAN) and model.label_noise == "smooth"


def test_book_settings_of_the_optimizers():
    model = cases.dcgan()
    for optimizer in (model.discriminator_optimizer, model.generator_optimizer):
        assert float(optimizer.learning_rate) == pytest.approx(2e-4)
        assert optimizer.beta_1 == 0.5
