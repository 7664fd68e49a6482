"""GPT: the book's network, the cache, and that nothing later is seen."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers import Adam

from gdl_keras.errors import InputError
from gdl_keras.models import build_gpt
from tests import cases
from tests.harness import many_steps

pytestmark = pytest.mark.eager
NETWORKS = pytest.mark.parametrize(
    "options",
    [
        {},
        cases.DEEPER,
        pytest.param({"norm": "pre", "num_blocks": 2}, marks=pytest.mark.full),
        pytest.param({"positions": "rotary", "num_blocks": 3}, marks=pytest.mark.full),
    ],
    ids=["as the book's", "two blocks, norm first, rotary, tied", "two blocks, norm first", "three blocks, rotary"],
)


def random_tokens(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 5, shape).astype("int32")


def lively(**options):
    """A tiny GPT whose weights are large enough for every token to matter."""
    model = cases.gpt(**options)
    rng = np.random.default_rng(0)
    model.set_weights([weight + 0.3 * rng.normal(size=weight.shape) for weight in model.get_weights()])
    return model


def read_one_by_one(model, tokens):
    """The logits at each place, (batch, length, vocabulary), by the cache."""
    count, length = tokens.shape
    state, before, logits = model.initial_state(count, length), np.full(count, -1, "int32"), []
    for place in range(length):
        here, state = model.read(tf.constant(before), tf.constant(place), state)
        logits.append(here)
        before = tokens[:, place]
    return np.stack(logits, axis=1)


def test_the_books_network_has_its_number_of_weights():
    assert build_gpt(10_000, 80).count_params() == 5_809_168


@pytest.mark.parametrize("wrong", [{"norm": "both"}, {"positions": "none"}, {"num_blocks": 0}, {"max_length": 0}])
def test_networks_that_cannot_be_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        build_gpt(**{"vocabulary_size": 10, "max_length": 5, **wrong})


@NETWORKS
def test_reading_with_the_cache_gives_what_the_whole_text_gives(options):
    model, tokens = lively(**options), random_tokens((3, 12))
    np.testing.assert_allclose(read_one_by_one(model, tokens), model.logits(tokens), atol=1e-5)


def test_rotary_texts_go_on_past_what_is_seen_at_once():
    """The cache has room for 12 tokens and is written over; the whole text is read with a mask."""
    model, tokens = lively(positions="rotary", num_blocks=2), random_tokens((2, 40))
    np.testing.assert_allclose(read_one_by_one(model, tokens), model.logits(tokens), atol=1e-5)
    # With two blocks a token reaches 2 * 11 places back, and its own logits are those of the place after it.
    changed = tokens.copy()
    changed[:, 10] = (changed[:, 10] + 1) % 5
    differs = (np.asarray(model.logits(tokens)) != np.asarray(model.logits(changed))).any(axis=(0, 2))
    assert differs[11:34].all() and not differs[:11].any() and not differs[34:].any()


@NETWORKS
def test_what_comes_later_has_no_influence_at_all(options):
    model, tokens = lively(**options), random_tokens((2, 12))
    logits_of = tf.function(model.logits)
    logits = np.asarray(logits_of(tf.constant(tokens)))
    for place in range(12):
        changed = tokens.copy()
        changed[:, place:] = (changed[:, place:] + 1) % 5
        others = np.asarray(logits_of(tf.constant(changed)))
        np.testing.assert_array_equal(others[:, : place + 1], logits[:, : place + 1])
        assert place == 11 or not np.allclose(others[:, place + 1], logits[:, place + 1])


@pytest.mark.parametrize("options", [{}, cases.DEEPER], ids=["as the book's", "tied and rotary"])
def test_all_texts_together_are_as_likely_as_one(options):
    texts = np.array(list(itertools.product(range(5), repeat=4)), "int32")
    assert np.exp(-lively(**options).negative_log_likelihood(texts)).sum() == pytest.approx(1, abs=1e-5)


def test_tied_weights_are_one_variable():
    untied, tied = cases.gpt(), cases.gpt(tie_weights=True)
    assert untied.count_params() - tied.count_params() == 5 * 8 + 5
    table = tied.network.get_layer("embedding").embeddings
    before = np.asarray(tied.logits(random_tokens((1, 4))))
    table.assign(table.value * 2)
    assert not np.allclose(tied.logits(random_tokens((1, 4))), before)
    # What comes before the product is normalised: the logits are those of the table, and of nothing else.
    x = random_tokens((1, 3))
    logits = np.asarray(tied.logits(x))
    *_, last = [layer for layer in tied.network.layers if hasattr(layer, "attention")]
    inner = np.asarray(tf.keras.Model(tied.network.inputs, last.output)(tied.before(x)))
    np.testing.assert_allclose(logits, inner @ np.asarray(table).T, atol=1e-5)


@NETWORKS
def test_attention_is_shared_out_among_earlier_tokens(options):
    model = lively(**options)
    scores = model.attention("abcabcabcabc")
    assert scores.shape == (len(model.blocks), 2, 12, 12) and scores.dtype == "float32"
    np.testing.assert_allclose(scores.sum(axis=-1), 1, atol=1e-6)
    assert (np.triu(scores, 1) == 0).all() and (scores[np.tril_indices(12)[0][0]] >= 0).all()
    np.testing.assert_array_equal(scores[..., 0, 0], 1)
    # A row tells of the moment before its token, so that this one has no part in it.
    np.testing.assert_array_equal(model.attention("abcabcabcaba")[0], scores[0])
    assert not np.allclose(model.attention("abcabcabcaca")[0], scores[0])


@pytest.mark.parametrize("call", ["draw", "given", "attention", "logits"])
def test_a_text_that_is_too_long_for_learned_positions_is_refused(call):
    model = cases.gpt()
    long = "ab" * 10
    calls = {
        "draw": lambda: model.generate(1, length=13),
        "given": lambda: model.generate(1, given=long),
        "attention": lambda: model.attention(long),
        "logits": lambda: model.negative_log_likelihood([long]),
    }
    with pytest.raises(InputError, match="12"):
        calls[call]()
    assert model.generate(1, given="ab" * 6, length=12) == ["ab" * 6]


def test_rotary_positions_take_texts_of_any_length():
    model = cases.gpt(positions="rotary")
    text = model.generate(1, given="ab" * 10, length=30, seed=1)[0]
    assert text.startswith("ab" * 10)
    assert model.attention("abc" * 10).shape == (1, 2, 30, 30)


def test_a_text_has_as_many_tokens_as_there_are_positions_unless_it_is_told_otherwise():
    network = build_gpt(5, 12, 8, feed_forward_dim=8)
    vocabulary = cases.gpt().vocabulary
    assert type(cases.gpt())(network, vocabulary).length == 12
    with pytest.raises(InputError, match=r"13 tokens.*12 positions"):
        type(cases.gpt())(network, vocabulary, length=13)
    network = build_gpt(5, 12, 8, feed_forward_dim=8, positions="rotary")
    assert type(cases.gpt())(network, vocabulary).length == 200


@pytest.mark.graph
@pytest.mark.parametrize(
    "options", [{}, pytest.param(cases.DEEPER, marks=pytest.mark.full)], ids=["as the book's", "deeper"]
)
def test_it_learns_to_look_back(options):
    """Three letters, again and again: of all 27 such texts it reads 20, and knows how the others go on."""
    texts = np.tile(list(itertools.product(range(2, 5), repeat=3)), (1, 4)).astype("int32")
    texts = np.random.default_rng(0).permutation(texts)
    tf.keras.utils.set_random_seed(0)
    model = cases.gpt(**{**options, "embedding_dim": 16, "key_dim": 8, "feed_forward_dim": 32})
    model.compile(Adam(3e-3))
    many_steps(model, texts[:20], 300)
    nats = np.asarray(model.nats_per_token(tf.constant(texts[20:])))
    assert nats[:, 3:].mean() < 0.2 and nats[:, :3].mean() > 0.5


def test_data_that_is_too_long_is_refused_in_one_sentence():
    model = cases.gpt()
    for call in (model.fit, model.evaluate):
        with pytest.raises(InputError, match="13 tokens") as refused:
            call(random_tokens((4, 13)), verbose=0)
        assert "\n" not in str(refused.value)
