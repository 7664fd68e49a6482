"""Training steps in plain Keras: one tape for each network, Keras' losses and metrics, no thought of speed."""

import keras
import tensorflow as tf
from keras import losses, metrics, ops


class VAE(keras.Model):
    """The variational autoencoder with the book's weight of 500 on the reconstruction."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.total, self.reconstruction, self.kl = (metrics.Mean(name=n) for n in ("loss", "reconstruction", "kl"))

    @property
    def metrics(self):
        return [self.total, self.reconstruction, self.kl]

    def train_step(self, data):
        with tf.GradientTape() as tape:
            z_mean, z_log_var = self.encoder(data)
            z = z_mean + ops.exp(0.5 * z_log_var) * tf.random.normal(ops.shape(z_mean))
            reconstruction = self.decoder(z)
            pixels = losses.binary_crossentropy(data, reconstruction)
            reconstruction_loss = ops.mean(500 * pixels)
            kl = -0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
            kl_loss = ops.mean(ops.sum(kl, axis=1))
            total_loss = reconstruction_loss + kl_loss
        gradients = tape.gradient(total_loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights))
        self.total.update_state(total_loss)
        self.reconstruction.update_state(reconstruction_loss)
        self.kl.update_state(kl_loss)
        return {m.name: m.result() for m in self.metrics}


class GAN(keras.Model):
    """Both networks learn from one pass, as in the book's DCGAN; soft labels within [0, 1]."""

    def __init__(self, generator, discriminator, latent_dim):
        super().__init__()
        self.generator, self.discriminator, self.latent_dim = generator, discriminator, latent_dim

    def compile(self, d_optimizer, g_optimizer, **options):
        super().compile(optimizer=None, **options)
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer
        self.loss_fn = losses.BinaryCrossentropy()
        self.d_loss, self.g_loss = metrics.Mean(name="d_loss"), metrics.Mean(name="g_loss")
        self.real_accuracy = metrics.BinaryAccuracy(name="real_accuracy")
        self.fake_accuracy = metrics.BinaryAccuracy(name="fake_accuracy")

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss, self.real_accuracy, self.fake_accuracy]

    def train_step(self, real_images):
        batch_size = ops.shape(real_images)[0]
        latents = tf.random.normal((batch_size, self.latent_dim))
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            generated = self.generator(latents, training=True)
            real = self.discriminator(real_images, training=True)
            fake = self.discriminator(generated, training=True)
            real_labels, fake_labels = ops.ones_like(real), ops.zeros_like(fake)
            noisy_real = real_labels - 0.1 * tf.random.uniform(ops.shape(real))
            noisy_fake = fake_labels + 0.1 * tf.random.uniform(ops.shape(fake))
            d_loss = (self.loss_fn(noisy_real, real) + self.loss_fn(noisy_fake, fake)) / 2
            g_loss = self.loss_fn(real_labels, fake)
        d_gradients = d_tape.gradient(d_loss, self.discriminator.trainable_variables)
        g_gradients = g_tape.gradient(g_loss, self.generator.trainable_variables)
        self.d_optimizer.apply_gradients(zip(d_gradients, self.discriminator.trainable_variables))
        self.g_optimizer.apply_gradients(zip(g_gradients, self.generator.trainable_variables))
        return self.tracked(d_loss, g_loss, real, fake)

    def tracked(self, d_loss, g_loss, real, fake):
        """Adds to the running averages, and returns them; `real` and `fake` are probabilities of being real."""
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        self.real_accuracy.update_state(ops.ones_like(real), real)
        self.fake_accuracy.update_state(ops.zeros_like(fake), fake)
        return {m.name: m.result() for m in self.metrics}


class DenseGAN(GAN):
    """First the discriminator, then the generator, from the same points, against the discriminator as it then is."""

    def train_step(self, real_images):
        latents = tf.random.normal((ops.shape(real_images)[0], self.latent_dim))
        with tf.GradientTape() as g_tape:
            generated = self.generator(latents, training=True)
            with tf.GradientTape() as d_tape:
                real = self.discriminator(real_images, training=True)
                fake = self.discriminator(generated, training=True)
                real_labels, fake_labels = ops.ones_like(real), ops.zeros_like(fake)
                d_loss = (self.loss_fn(real_labels, real) + self.loss_fn(fake_labels, fake)) / 2
            d_gradients = d_tape.gradient(d_loss, self.discriminator.trainable_variables)
            self.d_optimizer.apply_gradients(zip(d_gradients, self.discriminator.trainable_variables))
            g_loss = self.loss_fn(real_labels, self.discriminator(generated, training=True))
        g_gradients = g_tape.gradient(g_loss, self.generator.trainable_variables)
        self.g_optimizer.apply_gradients(zip(g_gradients, self.generator.trainable_variables))
        return self.tracked(d_loss, g_loss, real, fake)


class HingeGAN(GAN):
    """First the discriminator, then the generator from the same points and labels."""

    def train_step(self, data):
        real_images, labels = data
        latents = tf.random.normal((ops.shape(real_images)[0], self.latent_dim))
        with tf.GradientTape() as g_tape:
            generated = self.generator([latents, labels], training=True)
            with tf.GradientTape() as d_tape:
                real = self.discriminator([real_images, labels], training=True)
                fake = self.discriminator([generated, labels], training=True)
                d_loss = ops.mean(ops.relu(1 - real)) + ops.mean(ops.relu(1 + fake))
            d_gradients = d_tape.gradient(d_loss, self.discriminator.trainable_variables)
            self.d_optimizer.apply_gradients(zip(d_gradients, self.discriminator.trainable_variables))
            g_loss = -ops.mean(self.discriminator([generated, labels], training=True))
        g_gradients = g_tape.gradient(g_loss, self.generator.trainable_variables)
        self.g_optimizer.apply_gradients(zip(g_gradients, self.generator.trainable_variables))
        return self.tracked(d_loss, g_loss, ops.sigmoid(real), ops.sigmoid(fake))


class WGANGP(keras.Model):
    """The book's WGAN-GP, with weights of the mixture drawn from [0, 1); `unit`: as in `losses.gradient_penalty`."""

    def __init__(self, generator, critic, latent_dim, critic_steps, unit=1.0):
        super().__init__()
        self.generator, self.critic = generator, critic
        self.latent_dim, self.critic_steps, self.unit = latent_dim, critic_steps, unit

    def compile(self, c_optimizer, g_optimizer, **options):
        super().compile(optimizer=None, **options)
        self.c_optimizer, self.g_optimizer = c_optimizer, g_optimizer
        names = ("c_wass_loss", "c_gp", "c_loss", "g_loss")
        self.c_wass_loss, self.c_gp, self.c_loss, self.g_loss = (metrics.Mean(name=name) for name in names)

    @property
    def metrics(self):
        return [self.c_wass_loss, self.c_gp, self.c_loss, self.g_loss]

    def generate(self, batch_size, labels):
        return self.generator(tf.random.normal((batch_size, self.latent_dim)), training=True)

    def judge(self, images, labels):
        return self.critic(images, training=True)

    def gradient_penalty(self, real_images, fake_images, labels):
        alpha = tf.random.uniform((ops.shape(real_images)[0], 1, 1, 1))
        mixed = real_images + alpha * (fake_images - real_images)
        with tf.GradientTape() as tape:
            tape.watch(mixed)
            scores = self.judge(mixed, labels)
        gradient = tape.gradient(scores, mixed)
        norm = self.unit * ops.sqrt(ops.sum(ops.square(gradient), axis=(1, 2, 3)) + 1e-12)
        return ops.mean((norm - 1) ** 2)

    def train_step(self, data):
        real_images, labels = data if isinstance(data, tuple) else (data, None)
        batch_size = ops.shape(real_images)[0]
        for _ in range(self.critic_steps):
            with tf.GradientTape() as tape:
                fake_images = self.generate(batch_size, labels)
                fake = self.judge(fake_images, labels)
                real = self.judge(real_images, labels)
                c_wass_loss = ops.mean(fake) - ops.mean(real)
                c_gp = self.gradient_penalty(real_images, fake_images, labels)
                c_loss = c_wass_loss + 10 * c_gp
            gradients = tape.gradient(c_loss, self.critic.trainable_variables)
            self.c_optimizer.apply_gradients(zip(gradients, self.critic.trainable_variables))
        with tf.GradientTape() as tape:
            g_loss = -ops.mean(self.judge(self.generate(batch_size, labels), labels))
        gradients = tape.gradient(g_loss, self.generator.trainable_variables)
        self.g_optimizer.apply_gradients(zip(gradients, self.generator.trainable_variables))
        for metric, value in zip(self.metrics, (c_wass_loss, c_gp, c_loss, g_loss)):
            metric.update_state(value)
        return {m.name: m.result() for m in self.metrics}


class CGAN(WGANGP):
    """The same with labels: one-hot beside the latent point, and as further channels of the image."""

    def generate(self, batch_size, labels):
        vectors = ops.one_hot(labels, self.generator.inputs[1].shape[-1])
        return self.generator([tf.random.normal((batch_size, self.latent_dim)), vectors], training=True)

    def judge(self, images, labels):
        height, width, classes = self.critic.inputs[1].shape[1:]
        vectors = ops.one_hot(labels, classes)[:, None, None]
        planes = ops.repeat(ops.repeat(vectors, height, axis=1), width, axis=2)
        return self.critic([images, planes], training=True)
