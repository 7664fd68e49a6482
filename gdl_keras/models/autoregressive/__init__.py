"""Models that make a sample one token after the other."""
