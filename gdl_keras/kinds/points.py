"""Points: float arrays (n, 2), in the plane.

Their true density may be known, and a model's density, too: then the divergence of one from the other is measured.
Of models that can only be sampled, samples are compared with held-out points.
"""

import io
from pathlib import Path

import numpy as np

from gdl_keras import data, plotting
from gdl_keras.errors import InputError
from gdl_keras.files import whole_file
from gdl_keras.kinds.base import Follow, Kind, generated, halves, mean_of
from gdl_keras.metrics.energy import energy_distance, unbiased_energy
from gdl_keras.metrics.neighbours import density_coverage, nearest_distances, precision_recall


class Points(Kind):
    """Points in the plane: scattered in a picture, and as tables of two columns."""

    name = "points"
    unit = "points"
    suffixes = {".png": "a picture of them", ".csv": "a table of two columns", ".npz": "an array"}
    sheet_suffix = ".png"
    compares_with_training = True
    better = {
        "nats": "smaller",
        "training_nats": "as nats (smaller: knows its examples by heart)",
        "divergence": "smaller",
        "impossible": "smaller (nats are infinite above 0)",
        "energy_distance": "smaller",
        "precision": "larger",
        "recall": "larger",
        "density": "larger",
        "coverage": "larger",
        "distance_to_training": "as the floor (smaller: repeats its examples)",
    }

    def check(self, samples):
        if not isinstance(samples, np.ndarray) or samples.ndim != 2 or samples.shape[-1] != 2:
            raise InputError(f"Points in the plane are arrays (n, 2), not {np.shape(samples)}.")
        if not np.issubdtype(samples.dtype, np.floating) or not np.isfinite(samples).all():
            raise InputError(f"Points are finite floats, and some of these ({samples.dtype}) are not: has it diverged?")

    def write_sheet(self, samples, columns, path):
        plotting.save(plotting.points(samples), path)

    def write(self, samples, path):
        """Writes a picture (.png), a table with the header "x,y" (.csv), or `points` as float32 array (.npz)."""
        self.check_path(path)
        self.check(samples)
        path = Path(path)
        if path.suffix == ".png":
            self.write_sheet(samples, 1, path)
        elif path.suffix == ".csv":
            text = io.StringIO()
            np.savetxt(text, samples, fmt="%.7g", delimiter=",", header="x,y", comments="")
            with whole_file(path) as partial:
                partial.write_text(text.getvalue(), encoding="utf-8")
        else:
            with whole_file(path) as partial:
                np.savez_compressed(partial, points=samples.astype("float32"))

    def load(self, settings, split, model):
        count = settings.get("count") if split == "train" else None
        skip_unreadable = settings.get("skip_unreadable", False)
        return data.load(settings["dataset"], split, count=count, skip_unreadable=skip_unreadable)

    def examples(self, table, indices):
        return table.rows("points", indices)

    def measure(self, model, train, test, n, seed=0):
        """As in `Kind`; samples are compared with one half of the held-out points, or with `n` of it.

        The floor are as many of the other half in the samples' place.  Likelihoods are those of all held-out points,
        and of as many training points; their floor is the true density's, on the same points, where it is known.
        """
        first, second = halves(test.num_examples, n, seed)
        samples = np.concatenate(list(generated(model, n, seed)))
        self.check(samples)
        reals, others = (test.rows("points", half) for half in (first, second))
        examples = train.rows("points", slice(None))
        metrics, floors = (compare(points, reals, examples, seed) for points in (samples, others))
        likelihoods, their_floors = surprise(model, train, test, seed)
        return {
            "held_out": self.part(test, len(first)),
            "floor": self.part(test, len(second)),
            "entropy": test.entropy,
            "metrics": self.joined(likelihoods | metrics, their_floors | floors),
        }

    def about(self, result):
        if result["entropy"] is None:
            return []
        return [f"entropy of their density: {result['entropy']:.4g} nats, which no density's mean can be below"]

    def follow(self, every, test, n=1000, seed=0):
        """As in `Kind`: the energy distance of new points, and the nats of held-out ones where the model has any."""
        return FollowPoints(self, every, test, n, seed)


class FollowPoints(Follow):
    """Numbers of new points against held-out ones; args as in `Kind.follow`."""

    def __init__(self, kind, every, test, n, seed):
        self.reals = test.sample(n, seed)
        self.seed = seed
        held_out = {"split": test.split, "identity": test.identity}
        super().__init__(kind, every, len(self.reals), seed=seed, held_out=held_out)

    def numbers(self):
        samples = np.concatenate(list(generated(self.model, len(self.reals), self.seed)))
        numbers = {}
        if self.model.likelihood_is:
            numbers["held_out_nats"] = float(self.model.negative_log_likelihood(self.reals, self.seed).mean())
        return {**numbers, "energy_distance": unbiased_energy(self.reals, samples)}


def compare(samples, reals, examples, seed=0):
    """Every metric of points that needs no density: {name: metric}.

    Args:
        samples, reals, examples: float arrays (n, 2); held-out points are real, training points are examples.
        seed: int, deals the points into blocks.
    """
    metrics = {"energy_distance": energy_distance(reals, samples, seed=seed)._asdict()}
    for compute, k in ((precision_recall, 3), (density_coverage, 5)):
        metrics |= {name: {"value": value, "k": k} for name, value in compute(reals, samples, k=k)._asdict().items()}
    return metrics | {"distance_to_training": mean_of(nearest_distances(samples, examples))}


def surprise(model, train, test, seed=0):
    """Every metric of -log p, in nats: ({name: metric}, {name: its floor}), both {} of a model without a likelihood.

    Where the true density is known, the divergence is the mean of the difference, point by point, which is known far
    better than either mean: E[log truth(x) - log p(x)] = KL(truth || p).

    Args:
        model: a generative model.
        train, test: `data.PointData`.
        seed: int; decides what is random in a bound.
    """
    if model.likelihood_is is None:
        return {}, {}
    points = test.rows("points", slice(None))
    some = train.rows("points", slice(0, len(points)))
    nats, of_training = (model.negative_log_likelihood(part, seed) for part in (points, some))
    metrics = {"training_nats": mean_of(of_training)} if np.isfinite(of_training).all() else {}
    if not np.isfinite(nats).all():
        return metrics | {"impossible": mean_of(~np.isfinite(nats))}, {"impossible": {"value": 0.0}}
    metrics["nats"] = mean_of(nats)
    if test.log_density is None:
        return metrics, {}
    truth, truth_of_training = (-test.log_density(part) for part in (points, some))
    floors = {"nats": mean_of(truth), "training_nats": mean_of(truth_of_training), "divergence": {"value": 0.0}}
    return metrics | {"divergence": mean_of(nats - truth)}, floors


KIND = Points()
