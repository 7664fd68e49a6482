"""A run of a small autoencoder, without batch statistics and without noise: N devices learn exactly what one would."""

from dataclasses import dataclass

from gdl_keras.training import ImageConfig, Run


@dataclass
class Settings(ImageConfig):
    """Nothing but the settings that every run has."""

    image_size: int = 8
    batch_size: int = 24
    epochs: int = 2
    steps_per_epoch: int | None = 5
    seed: int = 3


run = Run.start(Settings, chapter="00_test/02_one_autoencoder")

# TensorFlow comes now that the devices are known, as in the chapters.
from gdl_keras.models import Autoencoder, build_decoder, build_encoder  # noqa: E402
from gdl_keras.optimizers import FusedAdam  # noqa: E402

train = run.load("train")
test = run.load("test")
model = Autoencoder(build_encoder(train.image_shape, 2), build_decoder(train.image_shape, 2), seed=run.seed)
model.compile(FusedAdam(), **run.execution())
model.fit(train, validation_data=test, **run.schedule())
run.finish()
