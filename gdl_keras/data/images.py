"""A data set of images that is ready to train on."""

import copy

import numpy as np

from gdl_keras.data.order import BatchOrder
from gdl_keras.errors import InputError, nearest


class ImageData:
    """One split of a data set.  `gdl_keras.data.load` makes it.

    Attributes:
        name: the name or folder that was asked for.
        split: "train" or "test".
        source: where the images came from, as a phrase.
        identity: str, the same for the same images prepared in the same way.
        image_shape: (height, width, channels).
        num_images: how many.
        labels: int64 (num_images,), or None; class_names: list of str, or None.
        attributes: int8 or float32 (num_images, K), or None; attribute_names: list of str, or None.
        batch_size: images a batch, never more than there are.
    """

    def __init__(self, name, split, prepared, batch_size, seed, identity=None):
        self.name = name
        self.split = split
        self.source = prepared.meta.source
        self.identity = identity
        self.image_shape = tuple(prepared.images.shape[1:])
        self.num_images = len(prepared.images)
        self.labels = prepared.labels
        self.class_names = prepared.meta.class_names
        self.attributes = prepared.attributes
        self.attribute_names = prepared.meta.attribute_names
        self.seed = seed
        self.batch_size = min(batch_size, self.num_images)
        self._pixels = prepared.images

    def __len__(self):
        return self.steps_per_epoch

    def __repr__(self):
        return f"<{self.name} {self.split}: {self.num_images:,} images {self.image_shape} from {self.source}>"

    @property
    def steps_per_epoch(self):
        """Batches in one pass, the incomplete last one not counted."""
        return self.num_images // self.batch_size

    def images(self, indices):
        """Images by number (a slice or an integer array): float32 (n, H, W, C) in [0, 1]."""
        return self._pixels[indices].astype(np.float32) / np.float32(255)

    def sample(self, n, seed=0):
        """`n` distinct images, or all where there are fewer: float32 (n, H, W, C) in [0, 1]."""
        chosen = np.random.default_rng(seed).choice(self.num_images, min(n, self.num_images), replace=False)
        return self.images(chosen)

    def with_labels(self):
        """These images, for who needs labels; raises InputError where there are none."""
        if self.labels is None:
            raise self._no_labels()
        return self

    def labelled_by(self, attribute):
        """The same images with an attribute as their label: 1 where an image has it, 0 where not.

        Args:
            attribute: one of `attribute_names`, such as "Blond_Hair".

        Returns:
            an `ImageData` with two classes.

        Raises:
            InputError: the images have no such attribute.
        """
        names = self.attribute_names or []
        if attribute not in names:
            raise InputError(f"{self.name} has no attribute {attribute}.  {nearest(attribute, names)}")
        labelled = copy.copy(self)
        labelled.labels = (self.attributes[:, names.index(attribute)] > 0).astype(np.int64)
        labelled.class_names = [f"not {attribute}", attribute]
        return labelled

    def without(self, class_name):
        """The same images but for those of one class; the numbers of the other classes stay.

        Args:
            class_name: one of `class_names`.

        Returns:
            an `ImageData`.

        Raises:
            InputError: there are no labels, no such class, or no other one.
        """
        names = self.with_labels().class_names
        if class_name not in names:
            raise InputError(f"{self.name} has no class {class_name}.  {nearest(class_name, names)}")
        kept = np.flatnonzero(self.labels != names.index(class_name))
        if not len(kept):
            raise InputError(f"{self.name} has no images but those of {class_name}: leave out another class.")
        fewer = copy.copy(self)
        fewer.identity = f"{self.identity} without {class_name}"
        fewer.num_images = len(kept)
        fewer.labels = self.labels[kept]
        fewer.attributes = None if self.attributes is None else self.attributes[kept]
        fewer.batch_size = min(self.batch_size, len(kept))
        fewer._pixels = _Chosen(self._pixels, kept)
        return fewer

    def batches(self, first_batch=0, shuffle=True, repeat=True, labels=False, drop_remainder=True):
        """The images as batches.

        Args:
            first_batch: the stream starts where one from 0 would be after so many batches.
            shuffle: each pass in an order of its own, which the seed and its number fix; else the stored order.
            repeat: an endless stream; else one pass.
            labels: pairs (images, labels), or (images, attributes) where there are attributes and no labels.
            drop_remainder: leave out the incomplete batch at the end of a pass.

        Returns:
            tf.data.Dataset of float32 (batch, H, W, C) in [0, 1]; labels int64 (batch,), attributes (batch, K).

        Raises:
            InputError: labels are wanted and there are none.
        """
        from gdl_keras.data.stream import stream

        order = BatchOrder(self.num_images, self.batch_size, self.seed, shuffle, drop_remainder)
        return stream(self._pixels, self._targets() if labels else None, order, first_batch, repeat, drop_remainder)

    def _targets(self):
        if self.labels is not None:
            return self.labels
        if self.attributes is not None:
            return self.attributes
        raise self._no_labels()

    def _no_labels(self):
        attributes = "choose one of its attributes with --attribute, or " if self.attribute_names else ""
        return InputError(
            f"{self.name} has no labels: {attributes}sort its images into one sub-folder a class, or choose another "
            "data set."
        )


class _Chosen:
    """Some of a store's images, by number: read when they are asked for, like the store's own."""

    def __init__(self, pixels, numbers):
        self.shape = (len(numbers), *pixels.shape[1:])
        self._pixels = pixels
        self._numbers = numbers

    def __getitem__(self, indices):
        return self._pixels[self._numbers[indices]]
