"""Models of the book *Generative Deep Learning*, on Keras 3 and TensorFlow.

    import gdl_keras
    vae = gdl_keras.load("runs/03_vae/02_vae_fashion/2026-01-31_120000")
    images = vae.generate(64, seed=7)          # float32 in [0, 1], shape (64, 32, 32, 1)

Importing this package is quick: TensorFlow is imported by the parts that compute.
"""

__version__ = "0.1.0"


def load(path):
    """The trained model of a run folder or of a `.keras` file, or one that came along.

    Args:
        path: a run's folder, or a `.keras` file that this project saved; or a program's name, such as
            "04_gan/05_hinge_gan", for the trained model that comes along.

    Returns:
        The `keras.Model`, compiled as it was, optimizers included; one that came along is not compiled.

    Raises:
        InputError: there is no such file, or it is not a whole model of this project.
    """
    from gdl_keras.training.checkpoint import load_model

    return load_model(path)
