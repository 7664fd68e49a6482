"""Normalizing flows: models whose samples are latent points, sent through a map that can be gone both ways."""
