"""The flows of the project, tiny, for the shared harness."""

import numpy as np

from tests.harness import with_adam


def arc(n=16):
    """Points along an arc, float32 (n, 2)."""
    angles = np.linspace(0, 3, n)
    return np.stack([3 + 2 * np.cos(angles), np.sin(angles)], axis=1).astype("float32")


def real_nvp(count=3, l2=0.0, units=(6,), dimensions=2, **options):
    """A tiny `RealNVP`."""
    from gdl_keras.models.flows import RealNVP, build_coupling_networks

    networks = build_coupling_networks(count, dimensions=dimensions, units=units, l2=l2)
    model = RealNVP(networks, dimensions=dimensions, seed=1, **options)
    if dimensions == 2:
        model.standardise_by(arc())
    return with_adam(model)


def continuous_flow(method="rk4", steps=2, dimensions=2, **options):
    """A tiny `ContinuousFlow`."""
    from gdl_keras.models.flows import ContinuousFlow, build_velocity_network

    network = build_velocity_network(dimensions, (6,))
    model = ContinuousFlow(network, method, steps, dimensions=dimensions, seed=1, **options)
    if dimensions == 2:
        model.standardise_by(arc())
    return with_adam(model)


def image_flow(image_shape=(8, 8, 1), levels=2, **options):
    """A tiny `ImageFlow`."""
    from gdl_keras.models import ImageFlow
    from gdl_keras.optimizers import FusedAdam

    model = ImageFlow(image_shape, levels, steps=1, filters=4, seed=1, **options)
    model.compile(FusedAdam())
    return model
