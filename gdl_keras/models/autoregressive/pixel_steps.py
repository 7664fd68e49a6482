"""A network of masked convolutions, for one pixel after the other: what was computed once is kept.

Of all that a layer has made of earlier pixels, the next pixel needs a few neighbours.  So each masked convolution
remembers its inputs, and answers for one place by one product of a matrix; layers that look at single pixels are called
as ever.  Convolutions over whole rows run once a row, as soon as it is complete.

Paper: Ramachandran et al. 2017, Fast generation for convolutional autoregressive models, arXiv:1704.06001.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from gdl_keras.layers import Gate, MaskedConv2D, ReplicaDropout, RowAbove, UpperConv2D

# Layers that make a pixel of what stands in the same place, and of nothing else.
IN_PLACE = (
    *(layers.InputLayer, layers.Activation, layers.ReLU, layers.LeakyReLU, layers.Rescaling, layers.Dense),
    *(layers.Add, layers.Multiply, layers.Concatenate, layers.Dropout, ReplicaDropout, RowAbove, Gate),
)
# Stands, while a single pixel is computed, for what was made of whole rows before.
OF_ROWS = object()


def runs_in_steps(network):
    """Whether `PixelSteps` gives what the network gives: of any other one it cannot be told.

    All layers look at single pixels or have a way to run in steps, and are called once; those with mask A come first;
    of what is shown to the row below, nothing comes from convolutions that look at parts of a row.
    """
    if not all(map(_is_known, network.operations)) or _calls(network) != len(network.operations):
        return False
    first = [layer for layer in _looking_around(network) if layer.mask == "A"]
    crossings = [layer for layer in network.layers if isinstance(layer, RowAbove)]
    before = [operation for layer in first + crossings for operation in _before(network, layer)]
    of_rows = [operation for layer in crossings for operation in _before(network, layer)]
    return not any(isinstance(operation, RowAbove) or _looks_around(operation) for operation in before) and all(
        operation in of_rows for operation in network.operations if isinstance(operation, UpperConv2D)
    )


def _is_known(operation):
    if isinstance(operation, (MaskedConv2D, UpperConv2D, *IN_PLACE)):
        return True
    return isinstance(operation, layers.Conv2D) and {operation.kernel_size, operation.strides} == {(1, 1)}


def _calls(network):
    return sum(map(len, network._nodes_by_depth.values()))


def _looks_around(operation):
    return isinstance(operation, MaskedConv2D) and operation.kernel_size != (1, 1)


def _looking_around(network):
    return [layer for layer in network.layers if _looks_around(layer)]


def _before(network, layer):
    """All operations that a layer's input is made by."""
    return keras.Model(network.inputs, layer.input).operations


class PixelSteps:
    """Runs a network for the pixel that comes next.

    Args:
        network: `keras.Model` of which `runs_in_steps` is true, images (batch, height, width, channels) -> (batch,
            height, width, outputs).
    """

    def __init__(self, network):
        self.network = network
        self.shape = network.input_shape[1:]
        self.neighbours = {layer.name: Neighbours(layer, self.shape) for layer in _looking_around(network)}
        self.crossings = [layer for layer in network.layers if isinstance(layer, RowAbove)]
        self.of_rows = None
        if self.crossings:
            self.of_rows = keras.Model(network.inputs, [layer.input for layer in self.crossings])
        self.upper = [layer for layer in network.layers if isinstance(layer, UpperConv2D)]

    def initial_state(self, count):
        """What is remembered before the first pixel: {name: tensors}.

        Args:
            count: int, how many images are made at once.
        """
        _, width, channels = self.shape
        return {
            "pixel": tf.zeros((count, channels)),
            "neighbours": {name: neighbours.initial(count) for name, neighbours in self.neighbours.items()},
            "row": tf.zeros((count, width, channels)),
            "rows": [_rows_above(layer, count, width) for layer in self.upper],
            "crossings": [_zeros(layer, (count, *layer.input.shape[2:])) for layer in self.crossings],
        }

    def read(self, value, place, state):
        """Reads one number more of each image: (the network's outputs for the pixel at `place`, new state).

        Args:
            value: float32 tensor (batch,), the number before that place; 0 where there is none.
            place: int tensor, counted over channels, columns and rows.
            state: as `initial_state` gives it, or as it was given here for the place before.  Its "pixel" is the pixel
                that was read last, float32 (batch, channels), zeros for channels that are not known yet.

        Returns:
            float32 tensor (batch, outputs), new state.
        """
        _, width, channels = self.shape
        last = tf.maximum(place - 1, 0)
        known = tf.where(last % channels == 0, 0.0, state["pixel"])
        pixel = known + tf.one_hot(last % channels, channels) * value[:, None]
        state = {**state, "pixel": pixel}
        if self.crossings:
            state["row"] = _with(state["row"], last // channels % width, pixel)
            is_complete = (place > 0) & (place % (width * channels) == 0)
            state = tf.cond(is_complete, lambda: self._read_row(state), lambda: state)
        return self._outputs(pixel[:, None, None], last // channels, place // channels, state)

    def _read_row(self, state):
        rows = dict(zip((layer.name for layer in self.upper), state["rows"]))

        def operation(layer):
            return (lambda row: _next_row(layer, row, rows)) if isinstance(layer, UpperConv2D) else layer

        made = self.of_rows._run_through_graph([state["row"][:, None]], operation)
        crossings = [tf.cast(row[:, 0], old.dtype) for row, old in zip(tf.nest.flatten(made), state["crossings"])]
        return {**state, "rows": [rows[layer.name] for layer in self.upper], "crossings": crossings}

    def _outputs(self, pixel, last, place, state):
        column = place % self.shape[1]
        neighbours = dict(state["neighbours"])
        crossings = dict(zip((layer.name for layer in self.crossings), state["crossings"]))

        def operation(layer):
            if isinstance(layer, RowAbove):
                return lambda _: tf.gather(crossings[layer.name], [column], axis=1)[:, None]
            if isinstance(layer, UpperConv2D):
                return lambda _: OF_ROWS
            if layer.name not in neighbours:
                return lambda *inputs, **options: OF_ROWS if _are_of_rows(inputs) else layer(*inputs, **options)

            def look_around(features):
                # What a mask A looks at are the pixels themselves, of which the last known one is the one before.
                is_read = last if layer.mask == "A" else place
                around = self.neighbours[layer.name]
                neighbours[layer.name] = around.remember(neighbours[layer.name], features[:, 0, 0], is_read)
                return around.answer(neighbours[layer.name], place)[:, None, None]

            return look_around

        outputs = self.network._run_through_graph([pixel], operation)
        return tf.cast(outputs[:, 0, 0], tf.float32), {**state, "neighbours": neighbours}


class Neighbours:
    """What a masked convolution has been shown, as one long row of pixels with room for zeros between rows.

    Args:
        layer: a built `MaskedConv2D`.
        image_shape: (height, width, channels).
    """

    def __init__(self, layer, image_shape):
        self.layer = layer
        self.height, self.width, _ = image_shape
        self.above, self.aside = (size // 2 for size in layer.kernel_size)
        self.stride = self.width + self.aside
        looked_at = layer.visible.any(axis=(2, 3))
        self.taps = np.flatnonzero(looked_at)
        self.offsets = np.array([(i - self.above) * self.stride + j - self.aside for i, j in np.argwhere(looked_at)])

    def initial(self, count):
        """Zeros: tensor (places, count, inputs)."""
        places = (self.above + self.height) * self.stride + self.aside
        return _zeros(self.layer, (places, count, self.layer.kernel.shape[2]))

    def remember(self, memory, features, place):
        """The memory with the features of one more pixel, (count, inputs)."""
        at = tf.reshape(self._position(place), (1, 1))
        return tf.tensor_scatter_nd_update(memory, at, tf.cast(features, memory.dtype)[None])

    def answer(self, memory, place):
        """What the convolution makes of a pixel and its neighbours: tensor (count, filters)."""
        layer = self.layer
        inputs, filters = layer.kernel.shape[2:]
        around = tf.gather(memory, self._position(place) + self.offsets)
        kernel = tf.gather(tf.reshape(layer.masked_kernel(), (-1, inputs, filters)), self.taps)
        flat = tf.reshape(tf.transpose(around, (1, 0, 2)), (-1, len(self.taps) * inputs))
        return _ended(layer, flat @ tf.reshape(tf.cast(kernel, flat.dtype), (-1, filters)))

    def _position(self, place):
        return (self.above + place // self.width) * self.stride + self.aside + place % self.width


def _rows_above(layer, count, width):
    return _zeros(layer, (count, layer.kernel_size[0] - 1, width, layer.kernel.shape[2]))


def _next_row(layer, row, rows):
    """What a convolution over rows makes of one more row; `rows[layer.name]`, what it has been shown, moves on."""
    shown = tf.concat([rows[layer.name], tf.cast(row, rows[layer.name].dtype)], axis=1)
    rows[layer.name] = shown[:, 1:]
    aside = layer.kernel_size[1] // 2
    padded = tf.pad(shown, [[0, 0], [0, 0], [aside, aside], [0, 0]])
    return _ended(layer, tf.nn.conv2d(padded, tf.cast(layer.kernel, padded.dtype), 1, "VALID"))


def _are_of_rows(inputs):
    return any(value is OF_ROWS for value in tf.nest.flatten(inputs))


def _ended(layer, sums):
    sums += tf.cast(layer.bias, sums.dtype) if layer.use_bias else 0
    return layer.activation(sums)


def _zeros(layer, shape):
    return tf.zeros(shape, layer.compute_dtype)


def _with(row, column, pixel):
    here = tf.one_hot(column, row.shape[1], on_value=True, off_value=False, dtype=tf.bool)
    return tf.where(here[None, :, None], pixel[:, None], row)
