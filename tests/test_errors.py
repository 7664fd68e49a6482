"""How sentences count."""

import numpy as np

from gdl_keras.errors import counted


def test_one_is_no_plural():
    assert [counted(n, "image") for n in (0, 1, 2, 2000)] == ["no image", "1 image", "2 images", "2,000 images"]
    assert counted(np.int64(3), "image") == "3 images"
