"""The book's networks in plain Keras, for images in [-1, 1] (GANs) or [0, 1] (autoencoders)."""

import math

from keras import Input, Model, initializers, layers


def encoder(image_shape, latent_dim, heads):
    """Strided convolutions and one dense layer, or two."""
    images = x = Input(image_shape)
    for filters in (32, 64, 128):
        x = layers.Conv2D(filters, 3, strides=2, activation="relu", padding="same")(x)
    x = layers.Flatten()(x)
    outputs = [layers.Dense(latent_dim)(x) for _ in range(heads)]
    return Model(images, outputs if heads > 1 else outputs[0])


def decoder(image_shape, latent_dim):
    """The encoder backwards."""
    start = (image_shape[0] // 8, image_shape[1] // 8, 128)
    latents = Input((latent_dim,))
    x = layers.Reshape(start)(layers.Dense(math.prod(start))(latents))
    for filters in (128, 64, 32):
        x = layers.Conv2DTranspose(filters, 3, strides=2, activation="relu", padding="same")(x)
    return Model(latents, layers.Conv2D(image_shape[-1], 3, activation="sigmoid", padding="same")(x))


def generator(latents, channels, filters, use_bias):
    """The DCGAN's generator on a vector that may hold a label."""
    x = layers.Reshape((1, 1, latents.shape[-1]))(latents)
    for index, width in enumerate(filters):
        if index == 0:
            x = layers.Conv2DTranspose(width, 4, use_bias=False)(x)
        else:
            x = layers.Conv2DTranspose(width, 4, strides=2, padding="same", use_bias=False)(x)
        x = layers.LeakyReLU(0.2)(layers.BatchNormalization(momentum=0.9)(x))
    return layers.Conv2DTranspose(channels, 4, strides=2, padding="same", use_bias=use_bias, activation="tanh")(x)


def discriminator(image_shape):
    """The DCGAN's discriminator."""
    images = x = Input(image_shape)
    for index, width in enumerate((64, 128, 256, 512)):
        x = layers.Conv2D(width, 4, strides=2, padding="same", use_bias=False)(x)
        if index > 0:
            x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.Dropout(0.3)(layers.LeakyReLU(0.2)(x))
    x = layers.Conv2D(1, 4, use_bias=False, activation="sigmoid")(x)
    return Model(images, layers.Flatten()(x))


def critic(x, filters):
    """The WGAN-GP's critic on an image that may have further channels for a label."""
    for index, width in enumerate(filters):
        x = layers.LeakyReLU(0.2)(layers.Conv2D(width, 4, strides=2, padding="same")(x))
        if index > 0:
            x = layers.Dropout(0.3)(x)
    return layers.Flatten()(layers.Conv2D(1, 4)(x))


def dense_generator(image_shape, latent_dim):
    """The dense GAN's generator."""
    latents = x = Input((latent_dim,))
    for width in (100, 150):
        x = layers.Dense(width, activation="selu", kernel_initializer="lecun_normal")(x)
    x = layers.Dense(math.prod(image_shape), activation="sigmoid")(x)
    return Model(latents, layers.Reshape(image_shape)(x))


def dense_discriminator(image_shape):
    """The dense GAN's discriminator."""
    images = Input(image_shape)
    x = layers.Flatten()(images)
    for width in (150, 100):
        x = layers.Dense(width, activation="selu", kernel_initializer="lecun_normal")(x)
    return Model(images, layers.Dense(1, activation="sigmoid")(x))


def hinge_generator(image_shape, num_classes, latent_dim):
    """The hinge GAN's generator: dense layers, residual blocks, bilinear resizing."""
    start = (image_shape[0] // 4, image_shape[1] // 4, 16)
    latents, labels = Input((latent_dim,)), Input((), dtype="int64")
    points = layers.Concatenate()([latents, layers.Embedding(num_classes, 8)(labels)])
    x = points
    for width in (128, 128, math.prod(start)):
        x = layers.LeakyReLU(0.01)(layers.Dense(width)(x))
    x = layers.Reshape(start)(layers.Add()([x, layers.Dense(math.prod(start), use_bias=False)(points)]))
    x = _residual(x, 64)
    x = _residual(layers.UpSampling2D(2, interpolation="bilinear")(x), 64)
    x = _residual(layers.UpSampling2D(2, interpolation="bilinear")(x), image_shape[-1], last_activation=False)
    return Model([latents, labels], layers.Activation("tanh")(x))


def hinge_discriminator(image_shape, num_classes):
    """The hinge GAN's discriminator, with Keras' spectral normalisation and a projection of the label."""
    images, labels = Input(image_shape), Input((), dtype="int64")
    wrap = layers.SpectralNormalization
    x = _residual(images, 64, wrap)
    x = _residual(layers.AveragePooling2D(2)(x), 64, wrap)
    x = layers.Flatten()(_residual(layers.AveragePooling2D(2)(x), 16, wrap))
    for _ in range(2):
        x = layers.LeakyReLU(0.1)(wrap(layers.Dense(128))(x))
    embedding = layers.Embedding(num_classes, 128, embeddings_initializer=initializers.GlorotUniform())(labels)
    scores = wrap(layers.Dense(1))(x)
    return Model([images, labels], layers.Add()([scores, layers.Dot(axes=1)([x, embedding])]))


def _residual(x, filters, wrap=lambda layer: layer, last_activation=True):
    shortcut = wrap(layers.Conv2D(filters, 1, use_bias=False))(x)
    x = layers.LeakyReLU(0.01)(wrap(layers.Conv2D(filters, 3, padding="same"))(x))
    x = wrap(layers.Conv2D(filters, 3, padding="same"))(x)
    if last_activation:
        x = layers.LeakyReLU(0.01)(x)
    return layers.Add()([x, shortcut])
