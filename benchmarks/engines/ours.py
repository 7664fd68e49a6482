"""This project's models, with the networks and settings of the book, as a chapter's program builds them."""

import numpy as np
import tensorflow as tf
import work
from keras.optimizers import Adam, RMSprop

from engines import ours_walks_and_flows
from engines.tensorflow_engine import TensorFlowEngine
from gdl_keras import data
from gdl_keras.models import autoencoder, cgan, dcgan, gan, hinge_gan, vae, wgan_gp
from gdl_keras.models.parts import blocks

# Steps in an epoch, of which there is one.
EVER = 10**9


class Ours(TensorFlowEngine):
    """`gdl_keras` models, trained by their own `train_step`, sampled by their own `generate`."""

    def build(self, options):
        if self.case.name in ours_walks_and_flows.BUILDERS:
            model, networks, *optimizers = ours_walks_and_flows.BUILDERS[self.case.name](self.case)
            operations = None
        else:
            model, networks, operations, optimizers = BUILDERS[self.case.name](self.case)
        model.compile(*optimizers, **options)
        return model, networks, operations

    def _device_batches(self):
        """As `fit` has them: blocks of steps on a table that lies there, where XLA compiles single steps."""
        if not self.model.jit_compile or self.steps_per_call > 1:
            return super()._device_batches()
        columns = zip(self.model.learns_from, tf.nest.flatten(self.data()))
        columns = {name: array.reshape(-1, *array.shape[2:]) for name, array in columns}
        kind = "images" if "images" in columns else "points"
        table = data.from_arrays(kind=kind, batch_size=self.case.batch_size, **columns)
        self.steps_per_call = blocks.STEPS
        return self.model.in_blocks(table, EVER, self.model.batches_per_step, first_epoch=0)

    def sample(self, images):
        """Makes samples: float32 array (images, height, width, channels), or (images, dimensions)."""
        options = {} if self.case.num_classes is None else {"labels": np.arange(images) % self.case.num_classes}
        if self.case.name == "ebm":
            options["start"] = "noise"
        return self.model.generate(images, **options)


def _autoencoder(case):
    encoder = autoencoder.build_encoder(case.image_shape, case.latent_dim)
    decoder = autoencoder.build_decoder(case.image_shape, case.latent_dim)
    model = autoencoder.Autoencoder(encoder, decoder)
    return model, {"encoder": encoder, "decoder": decoder}, work.reconstruction(encoder, decoder), [Adam()]


def _vae(case):
    encoder = vae.build_variational_encoder(case.image_shape, case.latent_dim)
    decoder = autoencoder.build_decoder(case.image_shape, case.latent_dim)
    model = vae.VAE(encoder, decoder, weighting="book")
    return model, {"encoder": encoder, "decoder": decoder}, work.reconstruction(encoder, decoder), [Adam(5e-4)]


def _dcgan(case):
    generator = dcgan.build_generator(case.image_shape, case.latent_dim)
    judge = dcgan.build_discriminator(case.image_shape)
    return dcgan.DCGAN(generator, judge), *_adversarial(generator, judge, Adam(2e-4, 0.5), Adam(2e-4, 0.5))


def _gan(case):
    generator = gan.build_generator(case.image_shape, case.latent_dim)
    judge = gan.build_discriminator(case.image_shape)
    return gan.GAN(generator, judge), *_adversarial(generator, judge, RMSprop(1e-3), RMSprop(1e-3))


def _hinge_gan(case):
    generator = hinge_gan.build_generator(case.image_shape, case.num_classes, case.latent_dim)
    judge = hinge_gan.build_discriminator(case.image_shape, case.num_classes)
    optimizers = Adam(1e-3, 0.0, 0.9), Adam(5e-4, 0.0, 0.9)
    model = hinge_gan.HingeGAN(generator, judge, case.num_classes, ema_decay=0.999)
    return model, *_adversarial(generator, judge, *optimizers)


def _wgan_gp(case):
    generator = wgan_gp.build_generator(case.image_shape, case.latent_dim)
    critic = wgan_gp.build_critic(case.image_shape)
    return wgan_gp.WGANGP(generator, critic, case.judge_steps), *_wasserstein(case, generator, critic)


def _cgan(case):
    generator = cgan.build_generator(case.image_shape, case.num_classes, case.latent_dim)
    critic = cgan.build_critic(case.image_shape, case.num_classes)
    model = cgan.CGAN(generator, critic, case.num_classes, critic_steps=case.judge_steps)
    return model, *_wasserstein(case, generator, critic)


def _adversarial(generator, judge, *optimizers):
    return {"generator": generator, "judge": judge}, work.adversarial(generator, judge), optimizers


def _wasserstein(case, generator, critic):
    rate = 5e-5 if case.name == "cgan" else 2e-4
    optimizers = Adam(rate, 0.5, 0.9), Adam(rate, 0.5, 0.9)
    return {"generator": generator, "judge": critic}, work.wasserstein(generator, critic, case.judge_steps), optimizers


BUILDERS = {
    "autoencoder": _autoencoder,
    "vae": _vae,
    "dcgan": _dcgan,
    "wgan_gp": _wgan_gp,
    "cgan": _cgan,
    "hinge_gan": _hinge_gan,
    "gan": _gan,
}
