"""Energy-based models, tiny, for the shared harness."""

from tests.harness import with_adam


def ebm(image_shape=(8, 8, 1), **options):
    """A tiny `EBM`."""
    from gdl_keras.models import EBM, build_energy_network

    network = build_energy_network(image_shape, (4, 4), 4)
    model = EBM(network, **{"steps": 3, "buffer_size": 12, "sampling_steps": 3, "seed": 1, **options})
    return with_adam(model)


def point_ebm(**options):
    """A tiny `PointEBM`."""
    from gdl_keras.models import PointEBM, build_point_energy_network

    network = build_point_energy_network(units=(4,))
    model = PointEBM(network, **{"steps": 3, "buffer_size": 12, "sampling_steps": 3, "seed": 1, **options})
    return with_adam(model)


def score_matching(units=(4,), **options):
    """A tiny `ScoreMatching`."""
    from gdl_keras.models import ScoreMatching, build_point_energy_network

    model = ScoreMatching(build_point_energy_network(units=units), **{"sampling_steps": 3, "seed": 1, **options})
    return with_adam(model)
