"""What is raced: architectures and batches, the same for every engine."""

import argparse
from dataclasses import dataclass, replace

import numpy as np

# Distinct batches that training goes round in; they lie in memory before the clock starts.
PREPARED_BATCHES = 4


@dataclass(frozen=True)
class Case:
    """One model, with the sizes of the book; the two that the book does not have, with those of their chapters.

    Attributes:
        name: of the model, as a file of `gdl_keras/models` has it.
        image_shape: (height, width, channels), or of a point.
        batch_size: real images in one step of the judge, or of the autoencoder.
        latent_dim: numbers per latent point.
        judge_steps: steps of the critic for each of the generator, each with real images of its own.
        num_classes: classes, for a model with labels.
        steps: training steps in a turn, some seconds on two cores.
        samples: images in a turn of sampling.
        small: whether operations are so small that one thread for each may be quicker than all.
        has_plain: whether there is a plain Keras port.
        mixes: whether low precision is raced.
        sampling_steps: how many a sample takes, of a model whose samples are the ends of walks.
        gpu_batch_size: the batch size on a GPU, where it is not the same.
        device: "cpu" or "gpu".
    """

    name: str
    image_shape: tuple
    batch_size: int
    latent_dim: int
    judge_steps: int = 1
    num_classes: int | None = None
    steps: int = 3
    samples: int = 512
    small: bool = False
    has_plain: bool = True
    mixes: bool = True
    sampling_steps: int | None = None
    gpu_batch_size: int | None = None
    device: str = "cpu"

    def on(self, device):
        """The same on "cpu" or "gpu", in the batches that it has there."""
        batch_size = self.gpu_batch_size if device == "gpu" else None
        return replace(self, device=device, batch_size=batch_size or self.batch_size)

    @property
    def images_per_step(self):
        """Real images that a training step learns from."""
        return self.batch_size * self.judge_steps


POINTS = {"small": True, "mixes": False, "has_plain": False}

_ALL = [
    Case("autoencoder", (32, 32, 1), 100, 2, steps=60, samples=4096),
    Case("vae", (32, 32, 1), 100, 2, steps=60, samples=4096),
    Case("dcgan", (64, 64, 1), 128, 100),
    Case("wgan_gp", (64, 64, 3), 64, 128, judge_steps=3, steps=2, gpu_batch_size=512),
    Case("cgan", (64, 64, 3), 64, 32, judge_steps=3, num_classes=2, samples=1024),
    Case("hinge_gan", (28, 28, 1), 64, 64, num_classes=10, steps=4, samples=1024),
    Case("gan", (28, 28, 1), 32, 30, steps=500, samples=8192, small=True),
    Case("realnvp", (2,), 500, 2, steps=200, samples=8192, **POINTS),
    Case("continuous_flow", (2,), 250, 2, steps=20, samples=8192, **POINTS),
    Case("image_flow", (32, 32, 1), 32, 1024, steps=6, samples=256, has_plain=False),
    Case("ebm", (32, 32, 1), 64, 1024, steps=6, samples=256, has_plain=False, sampling_steps=60),
    Case("diffusion", (32, 32, 1), 32, 1024, steps=20, samples=256, has_plain=False, sampling_steps=20),
    Case("flow_matching", (32, 32, 1), 32, 1024, steps=20, samples=256, has_plain=False, sampling_steps=20),
    Case("book_diffusion", (64, 64, 3), 64, 12288, steps=1, samples=16, has_plain=False, sampling_steps=20),
]
CASES = {case.name: case for case in _ALL}


def prepared_data(case):
    """The batches of a case: (images, labels).

    Returns:
        float32 array (PREPARED_BATCHES, images a step, height, width, channels) in [0, 1], and int64 labels
        (PREPARED_BATCHES, images a step), or None.
    """
    generator = np.random.default_rng(0)
    shape = (PREPARED_BATCHES, case.images_per_step)
    images = generator.random((*shape, *case.image_shape), dtype=np.float32)
    return images, None if case.num_classes is None else generator.integers(case.num_classes, size=shape)


def add_models(parser):
    """Adds the argument MODEL..., which becomes `models`, a list of `Case`, empty for all."""
    parser.add_argument("models", nargs="*", type=_case, metavar="MODEL", help=f"of {', '.join(CASES)} (default: all)")


def _case(name):
    if name not in CASES:
        raise argparse.ArgumentTypeError(f"there is no model {name}; choose of {', '.join(CASES)}")
    return CASES[name]
