"""The VAE: the book's networks, the bound, the likelihood, and that both terms of the loss are needed."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from keras.optimizers import Adam
from scipy import stats

from gdl_keras import losses
from gdl_keras.errors import InputError
from gdl_keras.models import VAE, build_decoder, build_variational_encoder
from tests.cases import images, vae
from tests.harness import many_steps


def test_the_books_encoder_has_its_number_of_weights():
    assert build_variational_encoder((32, 32, 1), latent_dim=2).count_params() == 100_868


@pytest.mark.eager
def test_reported_losses_are_averages_over_all_images():
    """The book's code reports the last batch of the validation images alone."""
    x = images(13)
    model = vae(beta=3.0)
    model.compile(Adam(0.0))
    mean, log_variance = model.encode(x)
    kl = losses.kl_to_standard_normal(mean, log_variance).numpy().mean()
    logs = model.fit(x, batch_size=5, validation_data=(x,), validation_batch_size=4, verbose=0).history
    for prefix in ("", "val_"):
        assert logs[f"{prefix}kl_loss"][0] == pytest.approx(kl, rel=1e-5)
        total = logs[f"{prefix}reconstruction_loss"][0] + 3 * logs[f"{prefix}kl_loss"][0]
        assert logs[f"{prefix}loss"][0] == pytest.approx(total, rel=1e-5)


def test_book_weighting_is_500_times_the_mean_crossentropy():
    x = images()
    reconstructions = np.full_like(x, 0.3)
    logits = np.full_like(x, np.log(0.3 / 0.7))
    elbo, book = vae(), vae(weighting="book")
    pixels = x[0].size
    np.testing.assert_allclose(
        book.reconstruction_loss(x, logits) / 500, elbo.reconstruction_loss(x, logits) / pixels, 1e-5
    )
    squares = ((x - reconstructions) ** 2).mean(axis=(1, 2, 3))
    gaussian = vae(weighting="book", likelihood="gaussian")
    np.testing.assert_allclose(gaussian.reconstruction_loss(x, logits), 2000 * squares, 1e-5)


@pytest.mark.eager
def test_looking_at_the_validation_loss_does_not_change_training():
    x = images()
    watched, unwatched = vae(), vae()
    unwatched.set_weights(watched.get_weights())
    watched.fit(x, batch_size=8, epochs=2, validation_data=(x,), shuffle=False, verbose=0)
    unwatched.fit(x, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(watched.get_weights(), unwatched.get_weights()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "wrong", [{"likelihood": "poisson"}, {"weighting": "mine"}, {"beta": -1.0}, {"pixel_stddev": 0}]
)
def test_arguments_out_of_range(wrong):
    with pytest.raises(InputError):
        vae(**wrong)


def test_images_beside_the_images_are_what_these_become():
    clean = images()
    noisy = 1 - clean
    model = vae()
    first = next(layer for layer in model.decoder.layers if layer.weights)
    first.kernel.assign(0 * first.kernel)  # so that a point of the cloud decides nothing
    model.compile(Adam(1e-3))
    p = model.predict(noisy, verbose=0).astype("float64")
    values = model.evaluate(noisy, clean, verbose=0, return_dict=True)
    pixels = -(clean * np.log(p) + (1 - clean) * np.log(1 - p)).sum() / len(clean)
    assert values["reconstruction_loss"] == pytest.approx(pixels, rel=1e-5)
    assert values["kl_loss"] == pytest.approx(model.evaluate(noisy, verbose=0, return_dict=True)["kl_loss"])


class SignFlipped(VAE):
    """A VAE with a mistake in one term, for the test below."""

    signs = (1, 1)

    def loss_terms(self, images, training, targets=None):
        terms = super().loss_terms(images, training, targets)
        return tuple(sign * term for sign, term in zip(self.signs, terms))


def overfit(signs):
    """The recipe: 32 images, 300 steps.  Returns the negative ELBO afterwards, computed without the mistake."""
    x = images(32)
    model = SignFlipped(
        build_variational_encoder((8, 8, 1), 4, (16, 16)), build_decoder((8, 8, 1), 4, (16, 16)), seed=1
    )
    model.signs = signs
    model.compile(Adam(3e-3))
    many_steps(model, x, 300)
    model.signs = (1, 1)
    model.make_test_function(force=True)
    return model.evaluate(x, verbose=0, return_dict=True)["loss"]


def test_overfits_32_images_only_with_both_signs_right():
    """The best reconstruction alone costs 20.6 nats; with the KL term the recipe must come below 30."""
    assert overfit((1, 1)) < 30
    assert not overfit((-1, 1)) < 30
    assert not overfit((1, -1)) < 30


# ---- log p(x), against a model that can be solved --------------------------------------------------------------------
#
#   z ~ N(0, I),  x = W z + b + 0.5 e,  e ~ N(0, I)      =>      x ~ N(b, W W' + 0.25 I)
#
# With orthogonal columns of W the posterior is a normal distribution with diagonal covariance, which the encoder can
# say exactly:  variance_j = 1 / (1 + |w_j|^2 / 0.25),  mean = variance * W' (x - b) / 0.25.

STDDEV = 0.5
W = np.array([[1.0, 0.3], [1.0, -0.3], [-1.0, 0.6], [0.5, 1.2]])
W[:, 1] -= W[:, 0] * (W[:, 0] @ W[:, 1]) / (W[:, 0] @ W[:, 0])
B = np.array([0.1, -0.2, 0.3, 0.0])
POSTERIOR_VARIANCE = 1 / (1 + (W**2).sum(axis=0) / STDDEV**2)


def solvable(widened_by=1.0):
    """The model above; its encoder says the posterior's variance times `widened_by`."""
    pixels = keras.Input((2, 2, 1))
    flat = layers.Flatten()(pixels)
    mean, log_variance = layers.Dense(2, name="mean"), layers.Dense(2, name="log_variance")
    encoder = keras.Model(pixels, [mean(flat), log_variance(flat)])
    gain = W * POSTERIOR_VARIANCE / STDDEV**2
    mean.set_weights([gain, -B @ gain])
    log_variance.set_weights([np.zeros((4, 2)), np.log(POSTERIOR_VARIANCE * widened_by)])
    latents = keras.Input((2,))
    dense = layers.Dense(4)
    decoder = keras.Model(latents, layers.Reshape((2, 2, 1))(dense(latents)))
    dense.set_weights([W.T, B])
    return VAE(encoder, decoder, likelihood="gaussian", pixel_stddev=STDDEV, final_activation="linear", seed=1)


@pytest.fixture
def exact():
    """Seven points of the model, and their log p(x)."""
    distribution = stats.multivariate_normal(B, W @ W.T + STDDEV**2 * np.eye(4))
    x = distribution.rvs(7, random_state=0)
    return x.reshape(7, 2, 2, 1).astype("float32"), distribution.logpdf(x)


def test_likelihood_is_exact_with_one_sample_where_the_encoder_says_the_posterior(exact):
    x, log_p = exact
    estimate = solvable().log_likelihood(x, num_samples=1, batch_size=3)
    assert estimate.dtype == "float64"
    np.testing.assert_allclose(estimate, log_p, atol=1e-4)


def test_likelihood_converges_where_the_encoder_is_wrong(exact):
    x, log_p = exact
    model = solvable(widened_by=2.0)
    few = model.log_likelihood(x, num_samples=1, seed=1)
    many = model.log_likelihood(x, num_samples=500, seed=1)
    assert np.abs(few - log_p).max() > 0.1
    np.testing.assert_allclose(many, log_p, atol=0.12)


def test_bound_lies_below_the_likelihood_by_the_divergence_from_the_posterior(exact):
    """log p(x) - ELBO = KL(q(z|x) || p(z|x)); for variances 2 v against v: 1/2 (2 - 1 - log 2) a dimension."""
    x, log_p = exact
    model = solvable(widened_by=2.0)
    reconstruction, kl = model.loss_terms(np.repeat(x, 5000, axis=0), training=False)
    draws = np.asarray(reconstruction + kl, "float64").reshape(7, 5000)
    standard_error = draws.std(axis=1).mean() / np.sqrt(draws.size)
    assert log_p.mean() + draws.mean() == pytest.approx(1 - np.log(2), abs=5 * standard_error)


def test_the_negative_log_likelihood_is_the_bound_and_follows_the_seed_alone():
    x = images(130)
    model = vae()
    assert model.likelihood_is == "bound" and vae(beta=2.0).likelihood_is is vae(weighting="book").likelihood_is is None
    bounds = model.negative_log_likelihood(x, seed=3)
    assert bounds.dtype == "float64"
    mean, log_variance = model.encode(x)
    kl = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1).sum(axis=1)
    assert (bounds > kl).all()
    parts = [model.negative_log_likelihood(x[a:b], seed=3, first=a) for a, b in ((0, 50), (50, 130))]
    np.testing.assert_allclose(np.concatenate(parts), bounds, rtol=1e-5)
    assert not np.allclose(model.negative_log_likelihood(x, seed=4), bounds, rtol=1e-5)
    assert bounds.mean() == pytest.approx(model.evaluate(x, verbose=0, return_dict=True)["loss"], rel=1e-2)


def test_the_estimate_of_the_likelihood_does_not_depend_on_how_many_images_are_looked_at_together(exact):
    x, _ = exact
    model = solvable(widened_by=2.0)
    by_three, at_once = (model.log_likelihood(x, num_samples=4, batch_size=size) for size in (3, 7))
    np.testing.assert_allclose(by_three, at_once, rtol=1e-5)


def test_likelihood_follows_the_seed(exact):
    x, _ = exact
    model = solvable(widened_by=2.0)
    first, again, other = (model.log_likelihood(x, num_samples=5, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_trains_in_a_compiled_step_on_one_of_our_data_sets_or_on_arrays():
    """`fit` takes what has `batches`: the order of the images then follows the number of the epoch."""

    class Numbers:
        steps_per_epoch = 2
        asked = []

        def batches(self, **options):
            self.asked.append(options)
            dataset = tf.data.Dataset.from_tensor_slices(images()).batch(8)
            return dataset if options.get("repeat") is False else dataset.repeat()

    numbers = Numbers()
    model = vae()
    model.fit(numbers, epochs=5, initial_epoch=3, validation_data=numbers, verbose=0)
    assert numbers.asked[0]["first_batch"] == 3 * 2
    assert numbers.asked[1]["repeat"] is False
    assert model.optimizer.iterations == 4
