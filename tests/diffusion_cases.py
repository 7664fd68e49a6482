"""Diffusion and flow matching, tiny, for the shared harness."""

from tests.harness import with_adam

IMAGE_SHAPE = (8, 8, 1)


def small_network(num_classes=None, **options):
    """A quick U-Net for images of 8x8."""
    from gdl_keras.models import build_quick_unet

    return build_quick_unet(IMAGE_SHAPE, (4, 4), units=8, num_classes=num_classes, **{"blocks": 0, **options})


def diffusion(network=None, **options):
    """A tiny `Diffusion`."""
    from gdl_keras.models import Diffusion

    num_classes = options.get("num_classes")
    model = Diffusion(network or small_network(num_classes), seed=1, steps=3, **{"ema_decay": 0.9, **options})
    return with_adam(model)


def book_diffusion():
    """A tiny `Diffusion` with the book's network and settings."""
    from gdl_keras.models import build_unet

    network = build_unet(IMAGE_SHAPE, (4, 4), blocks=1)
    return diffusion(network, schedule="offset_cosine", target="noise", error="absolute", times="uniform")


def diffusion_with_mixture(**options):
    """A tiny `Diffusion` behind one normal distribution; which of several it was hangs on the last bits of sums."""
    from gdl_keras.models import NormalMixture, build_quick_unet
    from tests.cases import images

    num_classes = options.get("num_classes")
    network = build_quick_unet(IMAGE_SHAPE, (4, 4), units=8, num_classes=num_classes, with_guess=True)
    model = diffusion(network, mixture=NormalMixture(IMAGE_SHAPE, clusters=1, axes=4, directions=8), **options)
    model.adapt(images())
    return model


def flow_matching(**options):
    """A tiny `FlowMatching`."""
    from gdl_keras.models import FlowMatching

    num_classes = options.get("num_classes")
    model = FlowMatching(small_network(num_classes), seed=1, steps=3, ema_decay=0.9, **options)
    return with_adam(model)
