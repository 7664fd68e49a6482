"""Data sets of images of TensorFlow Datasets."""

import contextlib
import shutil
import sys

from gdl_keras.data.paths import home, only_one
from gdl_keras.data.raw import Item, RawImages
from gdl_keras.errors import InputError, RunError, nearest


class TFDS:
    """The data set `name`, such as "mnist" or "oxford_flowers102"; "name/config" and "name:version" too."""

    needs_network = True

    def __init__(self, name):
        self.name = name
        self.phrase = f"TensorFlow Datasets, {name}"

    def is_here(self):
        # A data set under way is in a folder of another name, so this file means that all is there.
        return any(self._folder().glob("**/dataset_info.json"))

    def fetch(self, force=False):
        """Downloads and prepares, unless that was done before.

        Raises:
            InputError: there is no such data set, or it can only be fetched by hand.
            RunError: the network failed, or something else arrived than was expected.
        """
        builder = self._builder()
        with only_one(f"tfds-{self.name}"):
            self._prepare(builder, force)
        return self._folder()

    def image_size(self):
        """The side of the images where all are squares of one size, else None."""
        height, width, _ = self._features(self._builder())["image"].shape
        return height if height == width else None

    def open(self, split):
        import tensorflow_datasets as tfds

        builder = self._builder()
        features = self._features(builder)
        self.fetch()
        # Images stay as they are stored, PNG or JPEG: decoding is done once, for all sources alike.
        read = {"split": _split_of(builder, split), "shuffle_files": False}
        dataset = builder.as_dataset(**read, decoders={"image": tfds.decode.SkipDecoding()})
        label = features.get("label")
        names = list(label.names) if isinstance(label, tfds.features.ClassLabel) else None

        def items():
            for index, example in enumerate(dataset.as_numpy_iterator()):
                yield Item(f"{self.name} image {index}", example["image"], int(example["label"]) if names else None)

        return RawImages(_count(dataset), items, names)

    def _folder(self):
        return home() / "tfds" / self.name.split("/")[0].split(":")[0]

    def _builder(self):
        import tensorflow_datasets as tfds

        try:
            return tfds.builder(self.name, data_dir=str(home() / "tfds"))
        except (tfds.core.DatasetNotFoundError, ValueError, AttributeError):
            known = nearest(self.name, tfds.list_builders())
            raise InputError(f"TensorFlow Datasets has no data set {self.name!r}.  {known[:300]}") from None

    def _features(self, builder):
        import tensorflow_datasets as tfds

        features = builder.info.features
        features = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
        if not isinstance(features.get("image"), tfds.features.Image):
            raise InputError(
                f"{self.name} of TensorFlow Datasets is not made of images: it has no feature called image."
            )
        return features

    def _prepare(self, builder, force):
        import requests
        import tensorflow_datasets as tfds
        from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

        mode = tfds.GenerateMode.REUSE_CACHE_IF_EXISTS if force else tfds.GenerateMode.REUSE_DATASET_IF_EXISTS
        if not sys.stderr.isatty():
            tfds.disable_progress_bar()
        try:
            with _without_retries(), _without_leftovers(self._folder()), contextlib.redirect_stdout(sys.stderr):
                builder.download_and_prepare(download_config=tfds.download.DownloadConfig(download_mode=mode))
        except NonMatchingChecksumError:
            raise RunError(
                f"What arrived for {self.name} is not what was expected (its checksum differs): try again later."
            ) from None
        except (requests.exceptions.RequestException, tfds.download.DownloadError) as error:
            raise RunError(
                f"{self.name} could not be fetched ({type(error).__name__}): no network, or its server is down.  "
                "Run the same command again later; fashion_mini, emoji and folders of images need no network."
            ) from None
        except AssertionError as error:
            raise InputError(f"{self.name} must be fetched by hand, says TensorFlow Datasets: {error}") from None


@contextlib.contextmanager
def _without_retries():
    # Ten attempts with growing pauses take minutes before one hears that there is no network.
    from tensorflow_datasets.core.download import downloader

    before, downloader.MAX_RETRIES = downloader.MAX_RETRIES, 0
    try:
        yield
    finally:
        downloader.MAX_RETRIES = before


@contextlib.contextmanager
def _without_leftovers(folder):
    try:
        yield
    except BaseException:
        for partial in folder.parent.glob("downloads/**/*.tmp.*"):
            shutil.rmtree(partial) if partial.is_dir() else partial.unlink()
        for empty in [path for path in (folder, *folder.glob("*")) if path.is_dir() and not any(path.iterdir())]:
            empty.rmdir()
        raise


def _split_of(builder, split):
    known = list(builder.info.splits)
    if split == "test" and known and "test" not in known:
        return "validation" if "validation" in known else "train[90%:]"
    if split == "train" and known == ["train"]:
        return "train[:90%]"
    return split


def _count(dataset):
    known = int(dataset.cardinality())
    return known if known >= 0 else sum(1 for _ in dataset)
