"""Which images make up which batch: a pure function of the seed and the batch's number.

That is what lets an interrupted run go on with exactly the batches that it would have seen.
"""

from functools import lru_cache

import numpy as np


class BatchOrder:
    """The batches of an endless stream over `num_images` images.

    Pass number `epoch` is `np.random.default_rng([seed, epoch]).permutation(num_images)`, or the stored order.

    Attributes:
        batch_size: as asked for, but never more than there are images.
        steps_per_epoch: batches in one pass, at least one.
    """

    def __init__(self, num_images, batch_size, seed, shuffle=True, drop_remainder=True):
        self.num_images = num_images
        self.batch_size = min(batch_size, num_images)
        self.seed = seed
        self.shuffle = shuffle
        self.steps_per_epoch = num_images // self.batch_size
        if not drop_remainder and num_images % self.batch_size:
            self.steps_per_epoch += 1
        # Two passes: workers that read ahead are in the next one while others finish this one.
        self._order = lru_cache(maxsize=2)(self._make_order)

    def indices(self, batch):
        """The images of batch number `batch` of the stream: int64 (batch_size,), shorter only where a pass ends."""
        epoch, step = divmod(int(batch), self.steps_per_epoch)
        return self._order(epoch)[step * self.batch_size : (step + 1) * self.batch_size]

    def _make_order(self, epoch):
        if not self.shuffle:
            return np.arange(self.num_images)
        return np.random.default_rng([self.seed, epoch]).permutation(self.num_images)
