"""`gdl explore`: a page in the browser where one plays with what a model has learnt.

`player.Player` answers what the page asks, `serve` carries it there, page.html is the page.
"""

from gdl_keras.explore.server import explore, serve

__all__ = ["explore", "serve"]
