"""Pictures: grids of images, latent planes, curves.  Each function returns a matplotlib `Figure`; nothing is global."""

from gdl_keras.plotting.curves import bars, confusion, curves
from gdl_keras.plotting.densities import histograms
from gdl_keras.plotting.figures import save
from gdl_keras.plotting.images import grid, mosaic, numbered, panels, pictures, rows, save_mosaic
from gdl_keras.plotting.latent import latent_plane, latent_scatter, scatter_on, scatters
from gdl_keras.plotting.source import show_source
from gdl_keras.plotting.text import next_tokens, shaded, texts

__all__ = [
    "bars",
    "confusion",
    "curves",
    "grid",
    "histograms",
    "latent_plane",
    "latent_scatter",
    "mosaic",
    "next_tokens",
    "numbered",
    "panels",
    "pictures",
    "rows",
    "save",
    "save_mosaic",
    "scatter_on",
    "scatters",
    "shaded",
    "show_source",
    "texts",
]
