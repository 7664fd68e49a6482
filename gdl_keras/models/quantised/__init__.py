"""Images as a few whole numbers: codecs that learn a codebook, and the transformer that writes in it."""
