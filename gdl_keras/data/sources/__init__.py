"""Where data comes from, one source a file.

A source has `phrase` (what a message calls it), `needs_network`, `is_here()` (its files are on this machine),
`fetch(force)` (makes them be here; returns their folder) and, where it has images, `open(split)` (a RawImages).
"""
