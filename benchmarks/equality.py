"""Whether the engines do the same work: operations counted in three ways, and numbers from equal weights.

`python benchmarks/training_steps.py --check` runs it.
"""

import math
import sys

# A PyTorch for GPUs brings Triton, whose LLVM does not live in one process with TensorFlow's.
sys.modules.setdefault("triton", None)

import equal_walks_and_flows  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import torch  # noqa: E402
from engines import Entry  # noqa: E402
from equal_weights import as_in_pytorch, copy_weights  # noqa: E402
from graph import graph_operations  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

TOLERANCE = 1e-4


def check(cases):
    """Prints the operations per real image where they are counted, and the largest differences in numbers.

    Raises:
        AssertionError: PyTorch does not do the counted work, the numbers of weights differ, or numbers do.
    """
    differences = {}
    print(f"{'MFLOP/image':14}{'counted':>12}{'TensorFlow':>12}{'PyTorch':>12}")
    for case in cases:
        ours, pytorch = Entry("ours").make(case), Entry("pytorch").make(case)
        assert ours.parameters == pytorch.parameters, case.name
        assert not case.has_plain or ours.parameters == Entry("plain").make(case).parameters, case.name
        if case.name in NUMBERS:
            others = [pytorch] + [Entry("pytorch", options=("blocks",)).make(case)] * (case.name in HALVING)
            difference = max(NUMBERS[case.name](ours, other) for other in others)
            assert difference < TOLERANCE, f"From equal weights, numbers of {case.name} differ by {difference:.1e}"
            differences[case.name] = difference
        if ours.work is not None:
            _check_operations(case, ours, pytorch)
    for name, difference in differences.items():
        print(f"From equal weights, numbers of {name} differ by {difference:.1e} at most.")


def _check_operations(case, ours, pytorch):
    graph = graph_operations(ours.model, ours.data()) / case.images_per_step
    counter = FlopCounterMode(display=False)
    with counter:
        pytorch.step(*next(pytorch.data()), pytorch.autocast)
    counted = counter.get_total_flops() / case.images_per_step
    print(f"{case.name:14}{ours.work / 1e6:12,.2f}{graph / 1e6:12,.2f}{counted / 1e6:12,.2f}", flush=True)
    assert math.isclose(counted, ours.work, rel_tol=1e-4), f"PyTorch's step of {case.name} does other work"
    # The matrices of embeddings and of spectral normalisation are a matter of how they are written, and images that
    # are computed over blocks of pixels have a margin that is cut off.
    allowed = 0.02 if case.name == "hinge_gan" else 1e-3
    assert math.isclose(graph, ours.work, rel_tol=allowed), f"Our step of {case.name} does other work than counted"


def _autoencoder_numbers(ours, pytorch):
    """Losses of five steps of gradient descent from equal weights; the two Adams place their epsilon differently."""
    ours.model.compile(keras.optimizers.SGD(1.0))
    parameters = [*pytorch.step.encoder.parameters(), *pytorch.step.decoder.parameters()]
    pytorch.step.optimizer = torch.optim.SGD(parameters, 1.0)
    copy_weights(ours.networks["encoder"], pytorch.step.encoder, turned=(16, 128))
    copy_weights(ours.networks["decoder"], pytorch.step.decoder, turned=(16, 128))
    # Dark images: there is something to learn from the first step on.
    images = ours.data()[0] ** 4
    turned = torch.from_numpy(images[:, ::-1, ::-1].copy()).permute(0, 3, 1, 2)
    differences = []
    for _ in range(5):
        ours.model.reset_metrics()
        loss = float(ours.model.train_step(tf.constant(images))["loss"])
        differences.append(abs(loss - float(pytorch.step(turned, None, pytorch.autocast)["loss"])))
    return max(differences)


def _dcgan_numbers(ours, pytorch):
    """Outputs of both networks with equal weights, in training mode but for dropout."""
    copy_weights(ours.networks["generator"], pytorch.step.generator)
    copy_weights(ours.networks["judge"], pytorch.step.judge)
    points = np.random.default_rng(0).standard_normal((8, pytorch.case.latent_dim)).astype("float32")
    fakes = ours.networks["generator"](points, training=True)
    scores = ours.networks["judge"](fakes, training=False)
    with torch.no_grad():
        theirs = pytorch.step.generator(torch.from_numpy(points))
        their_scores = pytorch.step.judge.eval()(theirs)
        theirs = pytorch.step.images(theirs).permute(0, 2, 3, 1)
    return max(np.abs(fakes - theirs.numpy()).max(), np.abs(scores - their_scores.numpy()).max())


def _wgan_gp_numbers(ours, pytorch):
    """The gradient penalty, and its own gradient as a share of its largest entry: the critic's second order."""
    critic = ours.networks["judge"]
    copy_weights(critic, pytorch.step.critic)
    images = 2 * np.random.default_rng(0).random((8, *pytorch.case.image_shape), "float32") - 1
    # Between an image and itself there is one mixture, whatever is drawn; PyTorch's side sees images in [-1, 1].
    with tf.GradientTape() as tape:
        penalties, _ = ours.model.penalty(critic, *[images / 2 + 0.5] * 2)
        penalty = tf.reduce_mean(penalties)
    gradients = tape.gradient(penalty, critic.trainable_variables)
    turned = torch.from_numpy(images).permute(0, 3, 1, 2)
    their_penalty = pytorch.step.penalty(turned, turned, None)
    their_penalty.backward()
    differences = [abs(float(penalty) - their_penalty.item())]
    for gradient, parameter in zip(gradients, pytorch.step.critic.parameters(), strict=True):
        if gradient is None:  # no bias has a part in a slope
            assert parameter.grad is None or not parameter.grad.any()
        else:
            difference = (as_in_pytorch(np.asarray(gradient)) - parameter.grad).abs().max()
            differences.append((difference / parameter.grad.abs().max()).item())
    return max(differences)


HALVING = ("dcgan", "wgan_gp")
NUMBERS = equal_walks_and_flows.NUMBERS | {
    "autoencoder": _autoencoder_numbers,
    "dcgan": _dcgan_numbers,
    "wgan_gp": _wgan_gp_numbers,
}
