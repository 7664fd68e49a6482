"""How good samples are, one formula a file; `gdl_keras.kinds` says which of them are measured of which samples."""

from gdl_keras.backend import use_tensorflow

use_tensorflow()

from gdl_keras.metrics.extractors import (  # noqa: E402
    InceptionExtractor,
    JudgeExtractor,
    Lite0Extractor,
    default_features,
    load_extractor,
)
from gdl_keras.metrics.frechet import Moments, extrapolated_frechet_distance, frechet_distance, moments  # noqa: E402
from gdl_keras.metrics.inception_score import inception_score  # noqa: E402
from gdl_keras.metrics.judge import Judge  # noqa: E402
from gdl_keras.metrics.kernel import kernel_distance  # noqa: E402
from gdl_keras.metrics.likelihood import bits_per_dim, nats  # noqa: E402
from gdl_keras.metrics.neighbours import density_coverage, precision_recall  # noqa: E402
from gdl_keras.metrics.networks import weights_digest  # noqa: E402
from gdl_keras.metrics.ranking import auroc  # noqa: E402
from gdl_keras.metrics.reconstruction import psnr, sharpness  # noqa: E402
from gdl_keras.metrics.sight import sight  # noqa: E402
from gdl_keras.metrics.similarity import ms_ssim, pairwise_ms_ssim, ssim  # noqa: E402

__all__ = [
    "InceptionExtractor",
    "Judge",
    "JudgeExtractor",
    "Lite0Extractor",
    "Moments",
    "auroc",
    "bits_per_dim",
    "default_features",
    "density_coverage",
    "extrapolated_frechet_distance",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "load_extractor",
    "moments",
    "ms_ssim",
    "nats",
    "pairwise_ms_ssim",
    "precision_recall",
    "psnr",
    "sharpness",
    "sight",
    "ssim",
    "weights_digest",
]
