"""A run of two stages, which tests start, kill and resume: an autoencoder, then a VAE whose decoder is that one's."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from gdl_keras.models import VAE, Autoencoder, build_decoder, build_encoder, build_variational_encoder
from gdl_keras.optimizers import FusedAdam
from gdl_keras.training import ImageConfig, Run, at_least


@dataclass
class Settings(ImageConfig):
    """Two small models, the second made of a part of the first."""

    image_size: int = 8
    batch_size: int = 16
    epochs: int = 4
    steps_per_epoch: int | None = 8
    codec_epochs: int = 4
    # A run whose autoencoder to take instead of training one.
    codec: Path | None = None

    ranges: ClassVar = {"codec_epochs": at_least(1)}


run = Run.start(Settings, chapter="00_test/01_two_stages")

train = run.load("train")
test = run.load("test")
codec = run.former("codec")
if codec is None:
    stage = run.stage("codec", epochs=run.codec_epochs, steps_per_epoch=run.steps_per_epoch)
    codec = Autoencoder(build_encoder(train.image_shape, 2), build_decoder(train.image_shape, 2), seed=run.seed)
    codec.compile(FusedAdam(), **run.execution())
    codec.fit(train, validation_data=test, **stage.schedule())

decoder = codec.decoder
decoder.trainable = False
model = VAE(build_variational_encoder(train.image_shape, 2), decoder, seed=run.seed)
model.compile(FusedAdam(), **run.execution())
model.fit(train, **run.schedule())
run.finish()
