"""Learning from preferences through its commands: what a run holds, and a language model of another run."""

import json

import numpy as np
import pytest

from gdl_keras import cli, load
from gdl_keras.models import DPO, PPO, RewardModel

CHAPTER = "09_transformer/02_rlhf"
SMALL = ["--preset", "smoke", "--vocabulary-size", "150"]


def run(chapter, out, *flags):
    return cli.main(["run", chapter, *SMALL, *flags, "--out", str(out)])


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    """The folder of a GPT on words."""
    folder = tmp_path_factory.mktemp("language") / "run"
    assert run("09_transformer/01_gpt", folder, "--tokens", "words", "--length", "20") == 0
    return folder


@pytest.fixture(scope="module")
def finished(language, tmp_path_factory):
    """The folder of a run that began with that model."""
    folder = tmp_path_factory.mktemp("rlhf") / "run"
    assert run(CHAPTER, folder, "--language", str(language), "--preference", "length") == 0
    return folder


@pytest.mark.full
def test_the_run_and_its_stages_hold_models_of_the_language_model_that_it_began_with(finished, language):
    models = {name: load(finished / name) for name in ("", "reward", "dpo", "too_far")}
    assert [type(model) for model in models.values()] == [PPO, RewardModel, DPO, PPO]
    assert not (finished / "language").exists()
    begun = load(language).network.get_weights()
    for name in ("", "dpo", "too_far"):
        for mine, its in zip(models[name].reference.get_weights(), begun, strict=True):
            np.testing.assert_array_equal(mine, its)
    assert models[""].kl_weight == models["dpo"].beta == pytest.approx(0.4) and models["too_far"].kl_weight == 0


@pytest.mark.full
def test_numbers_of_all_policies_are_kept(finished):
    metrics = json.loads((finished / "metrics.json").read_text())
    for name in ("language_model", "ppo", "dpo", "ppo_without_weight", "best_of_16"):
        assert 1 < metrics[f"{name}_liking"] < 20  # letters of a word
        assert metrics[f"{name}_val_perplexity"] > 1
    assert metrics["language_model_divergence"] == 0
    assert metrics["best_of_4_score"] <= metrics["best_of_16_score"]
    assert 0 <= metrics["reward_accuracy"] <= 1
    assert {"liking", "score", "divergence"} <= set((finished / "history.csv").read_text().splitlines()[0].split(","))


@pytest.mark.full
def test_the_policy_is_sampled_and_evaluated_as_any_language_model(finished, tmp_path, capsys):
    for name in (finished, finished / "dpo"):
        assert cli.main(["sample", str(name), "-n", "2", "--given", "it is", "-o", str(tmp_path / "a.json")]) == 0
        assert all(text.startswith("it is") for text in json.loads((tmp_path / "a.json").read_text()))
    assert cli.main(["evaluate", str(finished), "-n", "20", "--ngram", "3"]) == 0
    assert "perplexity" in capsys.readouterr().out


@pytest.mark.full
def test_going_on_trains_nothing_again_and_ends_with_the_same_numbers(finished):
    before = (finished / "metrics.json").read_text()
    times = [(finished / name / "model.keras").stat().st_mtime_ns for name in ("", "reward", "dpo", "too_far")]
    assert cli.main(["run", CHAPTER, "--resume", str(finished)]) == 0
    assert times == [(finished / name / "model.keras").stat().st_mtime_ns for name in ("", "reward", "dpo", "too_far")]
    now = json.loads((finished / "metrics.json").read_text())
    same = {name: value for name, value in json.loads(before).items() if name != "evaluation"}
    assert {name: now[name] for name in same} == pytest.approx(same)


@pytest.mark.full
def test_a_language_model_of_other_tokens_is_refused(language, tmp_path, capsys):
    assert run(CHAPTER, tmp_path / "run", "--language", str(language), "--vocabulary-size", "99") == 2
    assert "is no GPT of the tokens that this run reads" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--given-length", "10"], "--given-length lies between 1 and 9, not 10."),
        (["--compare", "0.1", "0"], "--compare is larger than 0, not 0"),
        (["--preference", "letter", "--letter", "ab"], "not for 'ab'"),
    ],
)
def test_settings_that_cannot_be_are_refused(flags, sentence, tmp_path, capsys):
    assert run(CHAPTER, tmp_path / "run", *flags) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
