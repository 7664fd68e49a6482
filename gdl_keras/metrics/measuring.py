"""A trained model measured against held-out images, with what real images reach beside each number."""

from gdl_keras.metrics.of_models import as_asked, likelihood, reconstruction, smallest_diversity
from gdl_keras.metrics.samples import choose, generated_images, labels_like, real_images
from gdl_keras.metrics.summary import Summary, compare


def measure(model, extractor, train, test, n, seed=0):
    """Every metric that fits the model, of `n` new images against as many test images, or all where there are fewer.

    The floor of a metric is the same one of training images in the samples' place; of `share_as_asked`, of the test
    images.

    Args:
        model: a generative model.
        extractor: an `Extractor`.
        train, test: `ImageData` of the model's image shape.
        n: int, at least 20.
        seed: int; decides the samples and which real images are used.

    Returns:
        {name: {"value", "standard_error" where known, how it was measured, "floor": the same of the floor, or None}}.

    Raises:
        InputError: the model wants labels that the data does not have.
    """
    held_out, substitutes = choose(test.num_images, n, seed), choose(train.num_images, n, seed)
    labels = labels_like(model, test, held_out, n)
    reals = Summary(real_images(test, held_out), extractor)
    floor = Summary(real_images(train, substitutes), extractor)
    samples = Summary(generated_images(model, n, seed, labels), extractor)

    measured, floors = (compare(summary, reals, extractor.kind) for summary in (samples, floor))
    if labels is not None and test.class_names == extractor.class_names:
        real_labels, floor_labels = test.labels[held_out], train.labels[substitutes]
        measured |= as_asked(samples, labels) | smallest_diversity(samples, labels, reals, real_labels)
        floors |= as_asked(reals, real_labels) | smallest_diversity(floor, floor_labels, reals, real_labels)
    measured |= reconstruction(model, real_images(test, held_out)) | likelihood(model, real_images(test, held_out))
    return {name: {**metric, "floor": floors.get(name)} for name, metric in measured.items()}
