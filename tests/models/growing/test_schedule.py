"""The schedule of growth at twenty points that were worked out by hand."""

import pytest

from gdl_keras.errors import InputError
from gdl_keras.models.growing.schedule import Phase, Schedule

# Thousands of images, pixels a side, how far that size is faded in; 600 stable and 600 fading, up to 1024x1024.
PAPER = [
    (0, 4, 1.0),
    (599.999, 4, 1.0),
    (600, 8, 0.0),
    (750, 8, 0.25),
    (900, 8, 0.5),
    (1199.4, 8, 0.999),
    (1200, 8, 1.0),
    (1500, 8, 1.0),
    (1800, 16, 0.0),
    (2100, 16, 0.5),
    (2400, 16, 1.0),
    (3300, 32, 0.5),
    (4500, 64, 0.5),
    (5700, 128, 0.5),
    (6000, 128, 1.0),
    (6900, 256, 0.5),
    (8100, 512, 0.5),
    (9000, 1024, 0.0),
    (9599.4, 1024, 0.999),
    (15000, 1024, 1.0),
]


@pytest.mark.parametrize("kimg, size, fade", PAPER)
def test_as_in_the_paper(kimg, size, fade):
    schedule = Schedule(0, 8, 600.0, 600.0)
    phase = schedule.phase_at(round(1000 * kimg))
    assert 4 * 2**phase.level == size
    assert float(schedule.fade_at(phase, round(1000 * kimg))) == pytest.approx(fade, abs=1e-6)
    # What is fully faded in needs no fading.
    assert phase.fades == (fade < 1)


@pytest.mark.parametrize(
    "images, phase",
    [(0, Phase(1)), (99, Phase(1)), (100, Phase(2)), (199, Phase(2)), (200, Phase(3)), (10**9, Phase(3))],
)
def test_from_a_later_size_on_and_without_fading(images, phase):
    assert Schedule(1, 3, 0.1, 0).phase_at(images) == phase


def test_a_fade_that_is_over_stays_over():
    schedule = Schedule(0, 2, 0.1, 0.1)
    assert float(schedule.fade_at(Phase(1, True), 350)) == 1
    assert float(schedule.fade_at(Phase(1, True), 50)) == 0


@pytest.mark.parametrize("stable, transition", [(0, 1), (-1, 1), (1, -1)])
def test_times_are_checked(stable, transition):
    with pytest.raises(InputError, match=f"not {stable} and {transition}"):
        Schedule(0, 2, stable, transition)
