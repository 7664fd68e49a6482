"""Pictures: grids of images, points and densities in the plane, curves, trees.

Each function returns a matplotlib `Figure`; nothing is global.
"""

from gdl_keras.plotting.attention import attention_html, attention_maps
from gdl_keras.plotting.attention_images import attended_places
from gdl_keras.plotting.curves import bars, confusion, curve_panels, curves, lines, paths
from gdl_keras.plotting.densities import densities, histograms, landscape, points, square_around
from gdl_keras.plotting.describing import alternative_text
from gdl_keras.plotting.fields import distributions, fields
from gdl_keras.plotting.figures import png, save
from gdl_keras.plotting.flows import bent_grid, ways
from gdl_keras.plotting.images import grid, mosaic, numbered, panels, pictures, rows, save_mosaic
from gdl_keras.plotting.latent import latent_plane, latent_scatter, scatter_on, scatters
from gdl_keras.plotting.source import show_source
from gdl_keras.plotting.text import next_tokens, shaded, texts
from gdl_keras.plotting.trees import tree

__all__ = [
    "alternative_text",
    "attended_places",
    "attention_html",
    "attention_maps",
    "bars",
    "bent_grid",
    "confusion",
    "curve_panels",
    "curves",
    "densities",
    "distributions",
    "fields",
    "grid",
    "histograms",
    "landscape",
    "latent_plane",
    "latent_scatter",
    "lines",
    "mosaic",
    "next_tokens",
    "numbered",
    "panels",
    "paths",
    "pictures",
    "png",
    "points",
    "rows",
    "save",
    "save_mosaic",
    "scatter_on",
    "scatters",
    "shaded",
    "show_source",
    "square_around",
    "texts",
    "tree",
    "ways",
]
