"""What Keras's own callbacks need where a model reports no single loss, or is trained by no single optimizer."""

import math

import keras

from gdl_keras.errors import InputError

OF_RATES = (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)


class NaNInAnyValue(keras.callbacks.Callback):
    """Does for all values of a step that reports no "loss" what a `TerminateOnNaN` does for that one.

    Args:
        original: the `keras.callbacks.TerminateOnNaN`, which says whether to end quietly or with its error.
    """

    def __init__(self, original):
        super().__init__()
        self.original = original

    def on_train_batch_end(self, batch, logs=None):
        logs = logs or {}
        bad = next((value for value in logs.values() if not math.isfinite(value)), None)
        if bad is not None and "loss" not in logs:
            self.original.on_batch_end(batch, {"loss": bad})


def watched(model, callbacks):
    """The callbacks for `fit`, those added that theirs need for this model.

    Args:
        model: a `TapeModel`.
        callbacks: None, a `keras.callbacks.Callback`, a list of them, or a `CallbackList`.

    Raises:
        InputError: one of them is for an optimizer that the model has not.
    """
    if callbacks is None or isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    callbacks = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    swaps = [callback for callback in callbacks if isinstance(callback, keras.callbacks.SwapEMAWeights)]
    if swaps and "" not in model.optimizers:
        raise InputError(f"SwapEMAWeights finds no average in the optimizers of {type(model).__name__}: leave it away.")
    of_rates = [type(callback).__name__ for callback in callbacks if isinstance(callback, OF_RATES)]
    if of_rates and not model.optimizers:
        raise InputError(
            f"{type(model).__name__} is trained by no optimizer and has no learning rate: leave {of_rates[0]} away."
        )
    ends = [callback for callback in callbacks if isinstance(callback, keras.callbacks.TerminateOnNaN)]
    return [*callbacks, *map(NaNInAnyValue, ends)]
