"""The figure of docs/results.md: every family is seen in every panel, in one colour."""

import importlib
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def make_results(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "scripts"))
    return importlib.import_module("make_results")


def test_each_family_is_in_each_panel_of_the_figure(make_results):
    runs = [
        {
            "folder": Path(name),
            "cpu_seconds": np.array([60.0, 120.0, 240.0]),
            "history": [{"frechet_classifier_distance": str(distance)} for distance in (30.0, 10.0, last)],
            "metrics": {"evaluation": {"metrics": {"precision": {"value": precision}, "recall": {"value": recall}}}},
            "sampling": seconds,
        }
        for name, last, precision, recall, seconds in (("vae", 8.0, 0.7, 0.1, 0.2), ("gan", 4.0, 0.6, 0.5, 0.02))
    ]
    figure = make_results.draw_families(runs)
    _, shares, _ = figure.axes
    drawn = [[line.get_xydata().tolist() for line in axes.lines] for axes in figure.axes]
    assert drawn[0] == [[[1, 30], [2, 10], [4, 8]], [[1, 30], [2, 10], [4, 4]]]
    assert drawn[1] == [[[0.7, 0.1]], [[0.6, 0.5]]]
    assert drawn[2] == [[[0.2, 8]], [[0.02, 4]]]
    colours = [[line.get_color() for line in axes.lines] for axes in figure.axes]
    assert colours[0] == colours[1] == colours[2] and len(set(colours[0])) == 2
    assert (shares.get_xlabel(), shares.get_ylabel()) == ("precision at the end", "recall at the end")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["vae", "gan"]
