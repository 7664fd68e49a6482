"""GANs that begin with images of 4x4 pixels and grow: ProGAN."""
