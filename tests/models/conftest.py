"""What tests of models share."""

import numpy as np
import pytest


@pytest.fixture
def cloud():
    """Correlated points with a mean of their own, float32 (300, 2)."""
    rng = np.random.default_rng(1)
    return (rng.normal(size=(300, 2)) @ [[1.0, 0.4], [0.0, 0.5]] + [0.3, -1.0]).astype("float32")
