"""StyleGANs, tiny, for the shared harness."""

IMAGE_SHAPE = (8, 8, 1)


def stylegan2_networks(num_classes=None, image_shape=IMAGE_SHAPE, channels=4, mapping_layers=1):
    """(generator, discriminator) of a tiny `StyleGAN2`."""
    from gdl_keras.models.stylegan.networks import build_discriminator, build_generator

    options = {"num_classes": num_classes, "mapping_layers": mapping_layers, "channel_max": channels}
    generator = build_generator(image_shape, latent_dim=6, style_dim=5, **options)
    return generator, build_discriminator(image_shape, **options)


def stylegan2(num_classes=None, **options):
    """A tiny `StyleGAN2`."""
    from gdl_keras.models.stylegan import StyleGAN2
    from gdl_keras.optimizers import FusedAdam

    model = StyleGAN2(*stylegan2_networks(num_classes), num_classes=num_classes, seed=1, **options)
    model.compile(FusedAdam(2e-3, 0.0, 0.99), FusedAdam(2e-3, 0.0, 0.99))
    return model


def stylegan_networks(num_classes=None, size=8, channel_base=32):
    """(generator, discriminator) of a tiny `StyleGAN`: 4 channels at most."""
    from gdl_keras.models.stylegan.stylegan import build_discriminator, build_generator

    options = {"num_classes": num_classes, "channel_base": channel_base, "channel_max": 4}
    generator = build_generator((size, size, 1), latent_dim=6, style_dim=5, mapping_layers=1, **options)
    return generator, build_discriminator((size, size, 1), **options)


def stylegan(num_classes=None, size=8, **options):
    """A tiny `StyleGAN` that soon begins to fade in images of 8x8, where all its weights are at work."""
    from gdl_keras.models.stylegan import StyleGAN
    from gdl_keras.optimizers import FusedAdam

    growth = {"first_size": 4, "stable_kimg": 0.008, "transition_kimg": 0.2}
    networks = stylegan_networks(num_classes, size)
    model = StyleGAN(*networks, **{"num_classes": num_classes, "seed": 1, **growth, **options})
    model.compile(FusedAdam(2e-3, 0.0, 0.99), FusedAdam(2e-3, 0.0, 0.99))
    return model


def augmented_stylegan2():
    """One whose discriminator sees augmented images, soon more strongly."""
    from gdl_keras.layers import AdaptiveAugmentation

    groups = dict.fromkeys(("filtering", "noise", "cutout"), 1.0)
    return stylegan2(augmentation=AdaptiveAugmentation(**groups, ramp_kimg=0.1, interval=1, seed=2), path_weight=0.0)
