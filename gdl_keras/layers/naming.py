"""Names of our own for layers that are close relatives of Keras's."""

import keras


def stored_as(name):
    """Decorator of a layer's class: code calls it by its own name, and files call it `name`.

    Keras names after a class what it writes in a `.keras` file: the class to make again, and the places of the weights
    of each layer of that class, and of the next.  Under one name in files our layers can be called in code what tells
    them from Keras's, and files from before they were load as ever.

    Args:
        name: str, the class's name in files, in names of layers, and in `model.summary()`.
    """

    def decorate(layer_class):
        layer_class.__name__ = name
        return keras.saving.register_keras_serializable(package="gdl_keras")(layer_class)

    return decorate
