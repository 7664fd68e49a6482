"""The answers to this chapter's exercises: `python chapters/02_deeplearning/answers.py` runs them all."""

from gdl_keras.exercises import run_all
from gdl_keras import data, load
from gdl_keras.models import Classifier, build_cnn, build_mlp

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from keras.optimizers import Adam


def matrix_of(kernel, stride=1):
    """A convolution of images of 6x6 pixels, (3, 3, 1, 1), as a matrix: column i is the image of pixel i."""
    pixels = np.eye(36, dtype="float32").reshape(36, 6, 6, 1)
    return np.asarray(ops.conv(pixels, kernel, stride, "same")).reshape(36, -1).T


def weights_by_hand():
    """Exercise 1: How many weights do the book's two networks have, for images of 32x32 in colour and ten classes?

    A dense layer from m to n numbers has (m + 1) n, a 3x3 convolution (9 m + 1) n, a batch normalisation four for each
    of its numbers, two of which no gradient moves.  The images are halved twice, to 8x8 with 64 channels.
    """

    def dense(inputs, outputs):
        return (inputs + 1) * outputs

    def convolution(inputs, outputs):
        return (9 * inputs + 1) * outputs + 4 * outputs

    mlp = dense(32 * 32 * 3, 200) + dense(200, 150) + dense(150, 10)
    cnn = convolution(3, 32) + convolution(32, 32) + convolution(32, 64) + convolution(64, 64)
    cnn += dense(8 * 8 * 64, 128) + 4 * 128 + dense(128, 10)
    assert build_mlp((32, 32, 3), 10).count_params() == mlp == 646_260
    assert build_cnn((32, 32, 3), 10).count_params() == cnn == 592_554
    return {"multilayer perceptron": mlp, "convolutional network": cnn}


def convolution_as_a_matrix():
    """Exercise 2: A convolution is linear in the image. What does its matrix look like?

    Column i is the answer to the image whose pixel i alone is 1.  For 6x6 pixels it has 1,296 entries, of which 256 are
    not zero, and these are the nine numbers of the kernel again and again.  With stride 2 the matrix has a quarter of
    the rows, and its transpose, which leads from small images to large ones, is the transposed convolution.
    """
    rng = np.random.default_rng(1)
    kernel = rng.normal(size=(3, 3, 1, 1)).astype("float32")
    image, small = rng.normal(size=(1, 6, 6, 1)).astype("float32"), rng.normal(size=(1, 3, 3, 1)).astype("float32")
    matrix = matrix_of(kernel)
    entries, different = np.count_nonzero(matrix), len(np.unique(matrix[matrix != 0]))
    assert (entries, different) == ((3 * 6 - 2) ** 2, 9)
    enlarged = ops.conv_transpose(small, kernel, 2, "same")
    np.testing.assert_allclose(matrix @ image.ravel(), np.ravel(ops.conv(image, kernel, 1, "same")), atol=1e-5)
    np.testing.assert_allclose(matrix_of(kernel, stride=2).T @ small.ravel(), np.ravel(enlarged), atol=1e-5)
    return {"entries that are not zero": entries, "different ones": different}


def pixels_in_another_order():
    """Exercise 3: The pixels of all images are put into one other order. Which network can learn as before?

    The dense one: with the rows of its first layer in that order it is the same network, and ends at the same loss.
    For a convolution there are no such weights: of its matrix in the other order not a hundredth is any convolution.
    """
    train = data.load("fashion_mini", "train", image_size=16)
    images, order = train.images(slice(None)).reshape(-1, 256, 1, 1), np.random.default_rng(1).permutation(256)
    network, reordered = (build_mlp((256, 1, 1), 10, units=(50,)) for _ in range(2))
    reordered.set_weights([network.get_weights()[0][order], *network.get_weights()[1:]])
    losses = []
    for each, pixels in ((network, images), (reordered, images[:, order])):
        model = Classifier(each)
        model.compile(Adam(1e-3))
        losses += model.fit(pixels, train.labels, batch_size=60, epochs=1, shuffle=False, verbose=0).history["loss"]

    matrix = matrix_of(np.random.default_rng(2).normal(size=(3, 3, 1, 1)).astype("float32"))
    order = np.random.default_rng(1).permutation(36)
    convolutions = [matrix_of(number.reshape(3, 3, 1, 1)) for number in np.eye(9, dtype="float32")]

    def share(matrix):  # of its square that the nearest convolution has
        return sum(np.sum(matrix * each) ** 2 / np.sum(each**2) for each in convolutions) / np.sum(matrix**2)

    of_convolution, of_reordered = share(matrix), share(matrix[:, order])
    assert abs(losses[0] - losses[1]) < 1e-3 < losses[0]
    assert of_convolution > 0.999 and of_reordered < 0.02
    return {"loss": losses[0], "in the other order": losses[1], "share of a convolution": of_reordered}


def receptive_field():
    """Exercise 4: How many pixels does a number behind the last convolution of the book's network look at?

    13x13.  Each 3x3 convolution adds two of its own pixels, which after n halvings are 2^n pixels of the image apart:
    1 + 2 + 2 + 4 + 4.  What the number's gradient is not zero for are those pixels.
    """
    network = build_cnn((32, 32, 3), 10)
    flatten = next(layer for layer in network.layers if isinstance(layer, layers.Flatten))
    features = keras.Model(network.inputs, flatten.input)
    image = tf.constant(np.random.default_rng(1).random((1, 32, 32, 3)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(image)
        number = features(image)[0, 4, 4, 0]
    rows, columns = np.nonzero(np.abs(tape.gradient(number, image)[0]).sum(axis=-1))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert (height, width, len(rows)) == (13, 13, 13 * 13)
    return {"rows": height, "columns": width}


def moved_pictures():
    """Exercise 5: Pictures move to the right. When do the features of the trained convolutional network move with them?

    When they move by four pixels, and not by less: two of its convolutions take every second place.  By four, the
    features move by one place, wherever the border is out of their sight.  But the dense layers behind know
    places: of its answers 44 % stay when pictures move by two, of those of the dense network 78 %.
    """
    images = data.load("emoji", "test", image_size=32).images(slice(None))
    mlp, cnn = (load(f"02_deeplearning/{name}") for name in ("01_mlp", "02_cnn"))
    flatten = next(layer for layer in cnn.network.layers if isinstance(layer, layers.Flatten))
    features = keras.Model(cnn.network.inputs, flatten.input)

    def is_moved(pixels, places):
        before, after = (features.predict(each, verbose=0) for each in (images, np.roll(images, pixels, axis=2)))
        return np.allclose(after[:, :, 2:5], before[:, :, 2 - places : 5 - places], atol=1e-4)

    assert is_moved(4, places=1)
    assert not any(is_moved(pixels, places) for pixels in (1, 2, 3) for places in (0, 1))
    told = {}
    for name, model in (("dense", mlp), ("convolutional", cnn)):
        before, after = (model.predict(each, verbose=0).argmax(axis=1) for each in (images, np.roll(images, 2, axis=2)))
        told[f"answers that stay, {name}"] = float((before == after).mean())
    np.testing.assert_allclose(list(told.values()), [0.78, 0.44], atol=0.03)
    return told


if __name__ == "__main__":
    run_all(globals())
