"""How good generated images are."""

from gdl_keras.metrics.judge import Judge

__all__ = ["Judge"]
