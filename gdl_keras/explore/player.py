"""What the page asks of a model: what can be set, samples, what lies at a place of the latent space."""

import base64
import tempfile
from functools import cached_property
from pathlib import Path

import numpy as np

from gdl_keras import data, keywords
from gdl_keras.errors import GDLError, InputError, check_whole
from gdl_keras.explore import attributes
from gdl_keras.kinds import kind_of
from gdl_keras.kinds.base import in_parts
from gdl_keras.metrics.neighbours import nearest_examples
from gdl_keras.models.generative import LatentModel
from gdl_keras.pretrained import folder_of
from gdl_keras.sampling import conditions_of, sampling_options, settings_of

MOST_SAMPLES = 400
COMPARED, NEIGHBOURS = 8, 5  # samples that are compared with training images, and with how many each
SLIDERS = 8  # at most
REACH = 3.0  # how far a slider goes, in standard deviations
# Latent points of more numbers than these have no directions worth a slider: an image of noise.
MOST_NUMBERS = 512


class Player:
    """A model that is played with.

    Args:
        model: a generative model.
        run: how it was named; tells what its classes are called where the model does not know.

    Attributes:
        is_latent: whether there is a latent space of images.
        is_plane: whether that is a plane.
        directions: float32 array (k, *latent_shape), those that have a slider; none in a plane, which is seen whole.
    """

    def __init__(self, model, run):
        self.model = model
        self.run = run
        self.kind = kind_of(model)
        self.is_latent = isinstance(model, LatentModel) and self.kind.name == "images"
        self.is_plane = self.is_latent and model.latent_shape == (2,)
        self.directions = directions(model) if self.is_latent and not self.is_plane else None
        if self.directions is None:
            self.directions = np.empty((0, *model.latent_shape) if self.is_latent else 0, "float32")
        self._table = None

    def about(self):
        """What the page offers, as JSON can hold it.

        Returns:
            {"title", "kind", "labels": names of the classes or [], "options": {keyword: its default as text}, "walk":
            whether there is a latent space of images, "sliders": how many directions have one, "plane": whether the
            latent space is a plane, "reach": how far sliders go}.
        """
        options = {name: option.default for name, option in self._options().items()}
        return {
            "title": f"{type(self.model).__name__}: {self.run}",
            "kind": self.kind.name,
            "labels": self._labels(),
            "options": {name: "" if value is None else str(value) for name, value in options.items()},
            "walk": self.is_latent,
            "sliders": len(self.directions),
            "plane": self.is_plane,
            "reach": REACH,
        }

    def attributes(self):
        """The classes or attributes of what it learnt from towards which there are sliders, as JSON can hold them.

        Opens the data, which may take a while; what else it takes is worked out when such a slider is moved.

        Returns:
            {"names": of a slider each, "reach": how far they go, in whole ways, "images": how many are looked at,
            "missing": why there are none although the model could go there, a sentence, else ""}.
        """
        found = {"names": [], "reach": attributes.REACH, "images": 0, "missing": ""}
        if self.is_encoding:
            try:
                found |= {"names": self._attributes.names, "images": self._attributes.num_images}
            except GDLError as error:
                found["missing"] = str(error)
        return found

    def samples(self, n=16, seed=0, label=None, **options):
        """New samples, as `generate` makes them.

        Args:
            n, seed: int.
            label: number or name of a class, or None for all in turn.
            options: keywords of the model's own `generate`; texts are read, empty ones left away.

        Returns:
            {"picture": base64 of a PNG} or {"texts": list of str}.

        Raises:
            InputError: one of them is not what the model takes.
        """
        samples = self._drawn(n, seed, label, options)
        return {"texts": samples} if self.kind.name == "text" else {"picture": self.sheet(samples)}

    def neighbours(self, n=16, seed=0, label=None, **options):
        """The first of the same samples, each at the head of a line of the training images nearest to it.

        Near are images whose pixels differ little, in the sum of squares.

        Raises:
            InputError: as `samples`, the data that it learnt from is not known or not here, or these are no images.
        """
        if self.kind.name != "images":
            raise InputError(f"{type(self.model).__name__} makes no images to compare.")
        samples = self._drawn(min(n, COMPARED), seed, label, options)
        table = self._trained_on()
        parts = (table.rows("images", part) for part in in_parts(np.arange(table.num_examples)))
        numbers = nearest_examples(samples, parts, NEIGHBOURS)
        found = table.rows("images", numbers.reshape(-1)).reshape(*numbers.shape, *samples.shape[1:])
        lines = np.concatenate([samples[:, None], found], axis=1)
        return {"picture": self.sheet(lines.reshape(-1, *samples.shape[1:]), 1 + NEIGHBOURS)}

    def point(self, seed=0, offsets=(), label=None, place=None):
        """The image at a point of the latent space.

        Args:
            seed: int, where one stands before the sliders are moved.
            offsets: floats, how far along each of the directions and, after these, towards each of the attributes.
            label: as in `samples`; by default the first class.
            place: (x, y) of a latent plane, in place of all that.
        """
        if not self.is_latent:
            raise InputError(f"{type(self.model).__name__} has no latent space with directions to go.")
        latent = self.latent_at(seed, offsets) if place is None else np.asarray(place, "float32")
        if latent.shape != self.model.latent_shape or not np.isfinite(latent).all():
            raise InputError(f"A place of this latent space has {self.model.latent_shape[0]} numbers.")
        return {"picture": self.sheet(self.images(latent[None], label), 1)}

    def between(self, seed=0, other=1, share=0.5, label=None):
        """The image on the way from the latent point of one seed to that of another."""
        if not self.is_latent:
            raise InputError(f"{type(self.model).__name__} has no latent space of images.")
        return {"picture": self.sheet(self.images(self.latent_between(seed, other, share)[None], label), 1)}

    def latent_at(self, seed, offsets=()):
        """The latent point of a seed and what is gone from there, `offsets` as in `point`: float32 array."""
        start = self.model.sample_latents(1, seed=self._seed(seed))[0]
        offsets = np.trim_zeros(np.asarray(offsets, "float32"), "b")  # where nobody goes needs no direction
        ways = self.directions
        if len(offsets) > len(ways):
            ways = np.concatenate([ways, self.attribute_directions])
        if len(offsets) > len(ways):
            raise InputError(f"Here are {len(ways)} directions to go, not {len(offsets)}.")
        return start + np.tensordot(offsets, ways[: len(offsets)], 1)

    def latent_between(self, seed, other, share):
        """A latent point between those of two seeds, as probable as both: float32 array."""
        return self.model.between(self.latent_at(seed), self.latent_at(other), float(share))

    @property
    def is_encoding(self):
        """Whether there is a way from images to latent points; where classes are asked for by name, none is needed."""
        return self.is_latent and hasattr(self.model, "encode") and not self.model.conditions

    @property
    def attribute_directions(self):
        """Whole ways towards attributes: float32 array (k, *latent_shape).

        Raises:
            InputError: as `neighbours`, the model does not encode, or its data has neither classes nor attributes.
        """
        return self._attributes.directions

    def images(self, latents, label=None):
        """What the model makes of latent points: float32 array (n, height, width, channels) in [0, 1]."""
        conditions = conditions_of(self.model, self.run, len(latents), label)
        return self.model.generate(latents=np.asarray(latents, "float32"), **conditions)

    def sheet(self, samples, columns=None):
        """A page of samples: base64 of a PNG."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"sheet{self.kind.sheet_suffix}"
            self.kind.write_sheet(samples, columns, path)
            return base64.b64encode(path.read_bytes()).decode()

    def _drawn(self, n, seed, label, options):
        check_whole("How many samples", n, 1)
        if n > MOST_SAMPLES:
            raise InputError(f"How many samples is at most {MOST_SAMPLES} here, not {n}: gdl sample makes more.")
        given = {name: value for name, value in options.items() if value != ""}
        read = keywords.read(given, self._options(), type(self.model).__name__)
        return self.model.generate(n, seed=self._seed(seed), **conditions_of(self.model, self.run, n, label), **read)

    @cached_property
    def _attributes(self):
        if not self.is_encoding:
            raise InputError(f"{type(self.model).__name__} does not say which latent points images have.")
        table = self._trained_on()
        found = attributes.Attributes(self.model, table)
        if not found.names:
            raise InputError(f"{table.name} has no class or attribute that some images have and others have not.")
        return found

    def _trained_on(self):
        if self._table is None:
            settings = settings_of(self.run) if folder_of(self.run).exists() else {}
            if "dataset" not in settings:
                raise InputError(f"{self.run} does not say which images it learnt from.")
            if not data.is_here(settings["dataset"]):
                name = settings["dataset"]
                raise InputError(f"{name}, which it learnt from, is not here: gdl data download {name} brings it.")
            train = self.kind.load(settings, "train", self.model)
            # What was learnt by heart may be a mirror image.
            self._table = train.mirrored() if settings.get("mirror") else train
        return self._table

    def _options(self):
        known = sampling_options(self.model)
        return {name: option for name, option in known.items() if name not in ("first", "batch_size")}

    def _labels(self):
        conditions = self.model.conditions
        if not conditions:
            return []
        return conditions.names or [str(number) for number in range(conditions.count)]

    def _seed(self, seed):
        check_whole("The seed", seed, 0)
        return seed


def directions(model):
    """Directions of a latent space in which the images change most: float32 array (k, latent_dim), each of length 1.

    The eigenvectors of A A^T, the largest first, where A (latent_dim, units) is the first layer that a latent point
    meets (Shen & Zhou 2021, arXiv:2007.06600, section 3).  Where that layer is not found, the axes.

    Returns:
        None where latent points are more than a few hundred numbers, or an image of them.
    """
    shape = model.latent_shape
    if len(shape) != 1 or shape[0] > MOST_NUMBERS:
        return None
    count = min(SLIDERS, shape[0])
    weights = model.decoding_network.trainable_weights if model.decoding_network is not None else []
    for weight in weights:
        if len(weight.shape) >= 2 and shape[0] in weight.shape:
            axis = list(weight.shape).index(shape[0])
            first = np.moveaxis(np.asarray(weight, "float64"), axis, 0).reshape(shape[0], -1)
            _, vectors = np.linalg.eigh(first @ first.T)
            return vectors.T[::-1][:count].astype("float32")
    return np.eye(shape[0], dtype="float32")[:count]
