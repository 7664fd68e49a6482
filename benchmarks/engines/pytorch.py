"""PyTorch, as somebody writes it who wants it to win on a processor.

Settings: channels last; fused Adam; gradients set to None; weights that are not to learn need no gradient; reals and
generated images joined to one batch where no normalisation ties a batch together; losses on logits; one thread or all
(compiled: all), whichever is quicker; oneDNN on; denormal numbers flushed to zero; memory that glibc keeps instead of
giving it back; `torch.autocast` with bfloat16 for the mixed policy; no waiting for losses, no running averages of
metrics.  For sampling `inference_mode`, batches of 32 or 256, whichever is quicker, and, compiled, frozen weights.
Dropout, and what a gradient penalty needs, are quicker than PyTorch's own layers; "stock" takes its own.  "blocks"
takes our convolutions.
"""

import itertools
import os
import time

import numpy as np
import torch
from cases import prepared_data

from engines import pytorch_steps
from engines.pytorch_blocks import use_blocks

torch.set_flush_denormal(True)


class PyTorch:
    """Eager PyTorch, or with "compiled" the networks by `torch.compile`; see the module for all settings."""

    work = None

    def __init__(self, case, policy, options=()):
        torch.manual_seed(0)
        self.case = case
        self.compiled = "compiled" in options
        self.step = pytorch_steps.STEPS[case.name](case, "stock" in options, self.compiled)
        if "blocks" in options:
            for network in self.step.networks.values():
                use_blocks(network)
        self.autocast = torch.autocast("cpu", torch.bfloat16, enabled=policy == "mixed_bfloat16")
        self.parameters = {
            name: sum(parameter.numel() for parameter in network.parameters())
            for name, network in self.step.networks.items()
        }
        self.batches, self.steps_done = None, 0
        self.sampler, self.is_tuned = None, False

    def train(self, steps):
        """Trains for so many steps; returns the last losses."""
        if self.batches is None:
            self.batches = list(self.data())
        self.tune(self.train, 2)
        for _ in range(steps):
            losses = self.step(*self.batches[self.steps_done % len(self.batches)], self.autocast)
            self.steps_done += 1
        return {name: float(value) for name, value in losses.items()}

    def tune(self, work, amount, batch_sizes=(None,)):
        """Chooses the number of threads, and the batch size of samples, by a try of each."""
        if self.is_tuned:
            return
        self.is_tuned = True
        seconds = {}
        threads = [os.cpu_count()] if self.compiled else [1, os.cpu_count()]
        for settings in itertools.product(threads, batch_sizes):
            self.set(*settings)
            work(amount)
            start = time.perf_counter()
            work(amount)
            seconds[settings] = time.perf_counter() - start
        self.set(*min(seconds, key=seconds.get))

    def set(self, threads, batch_size):
        torch.set_num_threads(threads)
        self.sample_batch = batch_size

    def data(self):
        """Batches (images, labels) as tensors; channels last in memory."""
        images, labels = prepared_data(self.case)
        if self.step.symmetric:
            images = 2 * images - 1
        for index, batch in enumerate(images):
            batch = torch.from_numpy(np.ascontiguousarray(batch)).permute(0, 3, 1, 2)
            yield batch, None if labels is None else torch.from_numpy(labels[index])

    def sample(self, images):
        """Draws latent points and decodes them: float32 array (images, height, width, channels) in [0, 1]."""
        if self.sampler is None:
            self.sampler = self.step.sampler.eval()
            if self.compiled:
                torch._inductor.config.freezing = True  # weights become constants, laid out as oneDNN wants them
                self.sampler = torch.compile(self.sampler)
        self.tune(self.sample, images, batch_sizes=(32, 256))
        batches = []
        with torch.inference_mode(), self.autocast:
            for start in range(0, images, self.sample_batch):
                size = min(self.sample_batch, images - start)
                inputs = [torch.randn(size, self.case.latent_dim)]
                if self.case.num_classes is not None:
                    inputs.append(torch.arange(start, start + size) % self.case.num_classes)
                batches.append(self.step.images(self.sampler(*inputs)).float())
            return torch.cat(batches).permute(0, 2, 3, 1).numpy()

    def peak(self, size=4096, rounds=5):
        """Speed of a product of two square float32 matrices, operations a second: the best of some rounds."""
        matrix = torch.randn(size, size)
        torch.mm(matrix, matrix)
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            torch.mm(matrix, matrix)
            seconds.append(time.perf_counter() - start)
        return 2 * size**3 / min(seconds)
