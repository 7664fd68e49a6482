"""`python -m gdl_keras` is `gdl`."""

import sys

from gdl_keras.cli import main

sys.exit(main())
