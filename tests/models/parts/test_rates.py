"""Learning rates of models whose networks have an optimizer each."""

import keras
import numpy as np
import pytest
from keras.optimizers import Adam

from gdl_keras.errors import InputError
from tests import cases

pytestmark = pytest.mark.eager


def gan(critic=2e-4, generator=1e-4):
    """A compiled `WGANGP` of two rates."""
    model = cases.wgan_gp()
    model.compile(Adam(critic), Adam(generator))
    return model


def rates(model):
    return [float(model.critic_optimizer.learning_rate), float(model.generator_optimizer.learning_rate)]


@pytest.mark.parametrize("policy", ["float32", pytest.param("mixed_float16", marks=pytest.mark.full)])
def test_a_schedule_keeps_the_ratio_of_two_rates_or_sets_both(policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    model = gan()
    schedule = keras.callbacks.LearningRateScheduler
    model.fit(cases.images(), callbacks=[schedule(lambda epoch, rate: rate / 2)], verbose=0)
    assert rates(model) == pytest.approx([1e-4, 0.5e-4])
    model.fit(cases.images(), callbacks=[schedule(lambda epoch: 3e-5)], verbose=0)
    assert rates(model) == pytest.approx([3e-5, 3e-5])
    model.save(tmp_path / "model.keras")
    assert rates(keras.saving.load_model(tmp_path / "model.keras")) == pytest.approx([3e-5, 3e-5])


def test_the_rate_of_all_is_one_number_where_they_agree_and_else_a_sentence():
    model = gan(2e-4, 2e-4)
    model.optimizer.learning_rate = model.optimizer.learning_rate * 0.5
    assert rates(model) == pytest.approx([1e-4, 1e-4])
    with pytest.raises(InputError, match=r"critic_optimizer.learning_rate \(0.0002\) and generator_optimizer"):
        _ = gan().optimizer.learning_rate


def test_counts_are_those_of_all_optimizers():
    model = gan()
    model.fit(cases.images(), batch_size=8, verbose=0)
    assert int(model.optimizer.iterations) == int(model.critic_optimizer.iterations) == 4
    each = [model.critic_optimizer, model.generator_optimizer]
    assert len(model.optimizer.variables) == sum(len(optimizer.variables) for optimizer in each)


def test_an_average_that_nobody_would_use_is_refused():
    with pytest.raises(InputError, match=r"use_ema of critic_optimizer would change nothing.*ema_decay=0\.95"):
        cases.wgan_gp().compile(Adam(use_ema=True, ema_momentum=0.95), Adam())
    with pytest.raises(InputError, match="SwapEMAWeights"):
        gan().fit(cases.images(), callbacks=[keras.callbacks.SwapEMAWeights()], verbose=0)
    model = cases.vae()
    model.compile(Adam(1e-2, use_ema=True, ema_momentum=0.0))
    model.fit(cases.images(), verbose=0)
    assert np.isfinite(model.evaluate(cases.images(), verbose=0)[0])
