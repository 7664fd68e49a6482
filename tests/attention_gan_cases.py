"""SAGAN and BigGAN, tiny, for the shared harness and for their own tests."""

IMAGE_SHAPE = (8, 8, 1)
TINY = {"channels": 4, "attention_size": 4}


def _compiled(model):
    from gdl_keras.optimizers import FusedAdam

    model.compile(FusedAdam(4e-4, 0.0, 0.9), FusedAdam(1e-4, 0.0, 0.9))
    return model


def sagan(image_shape=IMAGE_SHAPE, network=None, **options):
    """A tiny `SAGAN`.

    Args:
        network: further keywords of both `build_...`.
    """
    from gdl_keras.models.sagan import SAGAN, build_discriminator, build_generator

    sizes = {**TINY, **(network or {})}
    generator = build_generator(image_shape, 3, 4, **sizes)
    return _compiled(SAGAN(generator, build_discriminator(image_shape, 3, **sizes), 3, seed=1, **options))


def biggan(image_shape=IMAGE_SHAPE, network=None, generator=None, **options):
    """A tiny `BigGAN`, with `generator`, further keywords of its generator alone."""
    from gdl_keras.models.biggan import BigGAN, build_discriminator, build_generator

    sizes = {**TINY, **(network or {})}
    generator = build_generator(image_shape, 3, **{"latent_dim": 4, "shared_dim": 5, **sizes, **(generator or {})})
    return _compiled(BigGAN(generator, build_discriminator(image_shape, 3, **sizes), 3, seed=1, **options))


def without_classes_shared():
    """A tiny `BigGAN` as it is for CIFAR-10: tables in each block, latent points whole, no attention."""
    return biggan(network={"attention_size": None}, generator={"shared_dim": None, "hierarchical": False})
