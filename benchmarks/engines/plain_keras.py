"""The models as a reader of the book ports them to Keras 3: a `train_step` in the obvious way, with Keras' own layers.

The steps follow the algorithms of the book's notebooks, so they do not do quite the work of the other engines: the
DCGAN judges generated images once and takes both gradients from there, and the WGAN-GP shows all steps of the critic
one batch of real images and drops out in the penalty.  `work` is what this step needs, and the speed of WGAN-GP counts
images that the critic sees.
"""

import keras
import numpy as np
import work
from cases import prepared_data
from keras.optimizers import Adam, RMSprop

from engines import plain_networks as networks
from engines import plain_steps as steps
from engines.tensorflow_engine import TensorFlowEngine


class PlainKeras(TensorFlowEngine):
    """Plain `keras.Model` subclasses."""

    def build(self, options):
        model, found, operations, of_model = BUILDERS[self.case.name](self.case)
        model.compile(**of_model, **options)
        return model, found, operations

    def data(self):
        images, labels = prepared_data(self.case)
        if self.case.name == "autoencoder":
            return images, images
        if self.case.name in ("vae", "gan"):
            return images
        # All steps of the critic see the same real images.
        images = 2 * images[:, : self.case.batch_size] - 1
        return images if labels is None else (images, labels[:, : self.case.batch_size])

    def sample(self, images):
        """Draws latent points and decodes them by `predict`, 256 at a time."""
        points = np.random.standard_normal((images, self.case.latent_dim)).astype("float32")
        inputs = points
        if self.case.num_classes is not None:
            inputs = [points, np.arange(images) % self.case.num_classes]
        if self.case.name == "cgan":
            inputs[1] = np.eye(self.case.num_classes, dtype="float32")[inputs[1]]
        network = self.networks.get("generator", self.networks.get("decoder"))
        return network.predict(inputs, batch_size=256, verbose=0)


def _autoencoder(case):
    encoder = networks.encoder(case.image_shape, case.latent_dim, heads=1)
    decoder = networks.decoder(case.image_shape, case.latent_dim)
    model = keras.Model(encoder.input, decoder(encoder.output))
    options = {"optimizer": "adam", "loss": "binary_crossentropy"}
    return model, {"encoder": encoder, "decoder": decoder}, work.reconstruction(encoder, decoder), options


def _vae(case):
    encoder = networks.encoder(case.image_shape, case.latent_dim, heads=2)
    decoder = networks.decoder(case.image_shape, case.latent_dim)
    model = steps.VAE(encoder, decoder)
    options = {"optimizer": Adam(5e-4)}
    return model, {"encoder": encoder, "decoder": decoder}, work.reconstruction(encoder, decoder), options


def _dcgan(case):
    latents = keras.Input((case.latent_dim,))
    images = networks.generator(latents, case.image_shape[-1], (512, 256, 128, 64), use_bias=False)
    return _adversarial(steps.GAN, keras.Model(latents, images), networks.discriminator(case.image_shape), case)


def _gan(case):
    generator = networks.dense_generator(case.image_shape, case.latent_dim)
    return _adversarial(steps.DenseGAN, generator, networks.dense_discriminator(case.image_shape), case)


def _hinge_gan(case):
    generator = networks.hinge_generator(case.image_shape, case.num_classes, case.latent_dim)
    judge = networks.hinge_discriminator(case.image_shape, case.num_classes)
    return _adversarial(steps.HingeGAN, generator, judge, case)


def _wgan_gp(case):
    latents, images = keras.Input((case.latent_dim,)), keras.Input(case.image_shape)
    made = networks.generator(latents, case.image_shape[-1], (512, 256, 128, 64), use_bias=True)
    generator = keras.Model(latents, made)
    critic = keras.Model(images, networks.critic(images, (64, 128, 256, 512)))
    return _wasserstein(steps.WGANGP, generator, critic, case)


def _cgan(case):
    latents, images = keras.Input((case.latent_dim,)), keras.Input(case.image_shape)
    label = keras.Input((case.num_classes,))
    x = keras.layers.Concatenate()([latents, label])
    generator = keras.Model([latents, label], networks.generator(x, case.image_shape[-1], (128, 128, 128, 64), True))
    planes = keras.Input((*case.image_shape[:2], case.num_classes))
    x = keras.layers.Concatenate()([images, planes])
    critic = keras.Model([images, planes], networks.critic(x, (64, 128, 128, 128)))
    return _wasserstein(steps.CGAN, generator, critic, case)


def _adversarial(model, generator, judge, case):
    operations = work.adversarial(generator, judge, passes_again=model is not steps.GAN)
    if case.name == "dcgan":
        optimizers = {"d_optimizer": Adam(2e-4, 0.5), "g_optimizer": Adam(2e-4, 0.5)}
    elif case.name == "gan":
        optimizers = {"d_optimizer": RMSprop(), "g_optimizer": RMSprop()}
    else:
        optimizers = {"d_optimizer": Adam(4e-4, 0.0, 0.9), "g_optimizer": Adam(2e-4, 0.0, 0.9, use_ema=True)}
    found = {"generator": generator, "judge": judge}
    return model(generator, judge, case.latent_dim), found, operations, optimizers


def _wasserstein(model, generator, critic, case):
    rate = 5e-5 if case.name == "cgan" else 2e-4
    optimizers = {"c_optimizer": Adam(rate, 0.5, 0.9), "g_optimizer": Adam(rate, 0.5, 0.9)}
    operations = work.wasserstein(generator, critic, case.judge_steps)
    found = {"generator": generator, "judge": critic}
    return model(generator, critic, case.latent_dim, case.judge_steps), found, operations, optimizers


BUILDERS = {
    "autoencoder": _autoencoder,
    "vae": _vae,
    "dcgan": _dcgan,
    "wgan_gp": _wgan_gp,
    "cgan": _cgan,
    "hinge_gan": _hinge_gan,
    "gan": _gan,
}
