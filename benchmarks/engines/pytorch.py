"""PyTorch, as somebody writes it who wants it to win.

Settings: channels last; fused Adam; gradients set to None; weights that are not to learn need no gradient; reals and
generated images joined to one batch where no normalisation ties a batch together; losses on logits; `torch.autocast`
for the mixed policies; no waiting for losses, no running averages of metrics.  For sampling `inference_mode`, and the
quickest of some batch sizes.  Dropout, and what a gradient penalty needs, are quicker than PyTorch's own layers;
"stock" takes its own.  "blocks" takes our convolutions.

On a processor: one thread or all (compiled: all), whichever is quicker; oneDNN on; denormal numbers flushed to zero;
memory that glibc keeps instead of giving it back; for sampling, compiled, frozen weights.

On a GPU: data in its memory; TensorFloat-32; cuDNN chooses among its kernels; "compiled" is
`torch.compile(mode="reduce-overhead")`, which runs CUDA graphs, all of a step in one generation; "captured" is a whole
step as one CUDA graph, that of the gradient penalty, which cannot be compiled, included; with both, the functions
within are compiled.  float16 has `GradScaler`, whose scales never leave the GPU.
"""

import contextlib
import itertools
import os
import time
from functools import partial

import numpy as np
import torch
from cases import prepared_data

from engines.pytorch_blocks import use_blocks
from engines.pytorch_gpu import Captured, use_gpu
from engines.pytorch_layers import DEVICE
from engines.pytorch_line_up import STEPS

torch.set_flush_denormal(True)


class PyTorch:
    """Eager PyTorch, or with "compiled" the networks by `torch.compile`; see the module for all settings."""

    work = None

    def __init__(self, case, policy, options=()):
        torch.manual_seed(0)
        self.case = case
        self.on_gpu = case.device == "gpu"
        if self.on_gpu:
            use_gpu()
        self.compiled, self.captured = "compiled" in options, "captured" in options
        self.has_graphs = self.on_gpu and self.compiled and not self.captured
        self.fast = _as_it_is
        if self.compiled:
            mode = "reduce-overhead" if self.has_graphs else None
            # Of each size of a batch its own code: for any size it is slower, and fails where weights are frozen.
            self.fast = partial(torch.compile, mode=mode, dynamic=False)
        with torch.device(DEVICE):
            self.step = STEPS[case.name](case, "stock" in options, self.fast)
        if "blocks" in options:
            for network in self.step.networks.values():
                use_blocks(network)
        low = torch.float16 if policy == "mixed_float16" else torch.bfloat16
        self.autocast = torch.autocast(DEVICE, low, enabled=policy != "float32")
        self.step.scales_losses = policy == "mixed_float16"
        self.parameters = {
            name: sum(parameter.numel() for parameter in network.parameters())
            for name, network in self.step.networks.items()
        }
        self.batches, self.steps_done = None, 0
        self.is_ready, self.is_tuned, self.graphs = False, False, {}

    def train(self, steps):
        """Trains for so many steps; returns the last losses."""
        if self.batches is None:
            self.batches = list(self.data())
            self.train_step = partial(self.step, autocast=self.autocast)
            if self.captured:
                self.train_step = Captured(self.train_step, *self.batches[0])
        self.tune(self.train, 2)
        for _ in range(steps):
            self.begin_step()
            losses = self.train_step(*self.batches[self.steps_done % len(self.batches)])
            self.steps_done += 1
        self.wait()
        return {name: float(value) for name, value in losses.items()}

    def begin_step(self):
        """What the graphs of one step hold lives until the next step begins."""
        if self.has_graphs:
            torch.compiler.cudagraph_mark_step_begin()

    def wait(self):
        if self.on_gpu:
            torch.cuda.synchronize()

    def tune(self, work, amount, batch_sizes=(None,)):
        """Chooses the number of threads, and the batch size of samples, by a try of each."""
        if self.is_tuned:
            return
        self.is_tuned = True
        seconds = {}
        threads = [os.cpu_count()] if self.compiled or self.on_gpu else [1, os.cpu_count()]
        choices = list(itertools.product(threads, batch_sizes))
        for settings in choices if len(choices) > 1 else []:
            self.set(*settings)
            for _ in range(3 if self.on_gpu else 1):
                work(amount)
            start = time.perf_counter()
            work(amount)
            seconds[settings] = time.perf_counter() - start
        self.set(*min(seconds, key=seconds.get, default=choices[0]))

    def set(self, threads, batch_size):
        torch.set_num_threads(threads)
        self.sample_batch = batch_size

    def data(self):
        """Batches (images or points, labels) as tensors; channels last in memory."""
        images, labels = prepared_data(self.case)
        if self.step.symmetric:
            images = 2 * images - 1
        for index, batch in enumerate(images):
            batch = torch.from_numpy(np.ascontiguousarray(batch)).to(DEVICE)
            batch = batch.permute(0, 3, 1, 2) if batch.dim() == 4 else batch
            yield batch, None if labels is None else torch.from_numpy(labels[index]).to(DEVICE)

    def sample(self, images):
        """Makes samples of latent points: float32 array (n, height, width, channels) in [0, 1], or (n, dimensions)."""
        if not self.is_ready:
            if self.compiled and not self.on_gpu:
                torch._inductor.config.freezing = True  # weights become constants, laid out as oneDNN wants them
            self.step.ready_to_sample()
            self.is_ready = True
        sizes = (32, 256, 4096) if self.case.small else (32, 256)
        self.tune(self.sample, images, batch_sizes=(256, images) if self.on_gpu else sizes)
        batches = []
        # Weights that autocast keeps at hand would be no part of a graph, and gone with the context.
        with self.step.while_sampling(), contextlib.nullcontext() if self.captured else self.autocast:
            for start in range(0, images, self.sample_batch):
                size = min(self.sample_batch, images - start)
                labels = None
                if self.case.num_classes is not None:
                    labels = torch.arange(start, start + size, device=DEVICE) % self.case.num_classes
                batches.append(self.sample_batch_of(size, labels))
            made = torch.cat(batches)
            return (made.permute(0, 2, 3, 1) if made.dim() == 4 else made).cpu().numpy()

    def sample_batch_of(self, size, labels):
        """A batch of samples, which no later one overwrites."""
        self.begin_step()
        latents = self.step.latents(size)
        if not self.captured:
            return self.decoded(latents, labels)
        if size not in self.graphs:
            self.graphs[size] = Captured(self.autocast(self.decoded), latents, labels)
        return self.graphs[size](latents, labels).clone()

    def decoded(self, latents, labels):
        return self.step.samples(latents, labels).to(torch.float32, copy=self.has_graphs)

    def peak(self, size=4096, rounds=5):
        """Speed of a product of two square float32 matrices, operations a second: the best of some rounds."""
        matrix = torch.randn(size, size, device=DEVICE)
        float(torch.mm(matrix, matrix)[0, 0])
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            float(torch.mm(matrix, matrix)[0, 0])
            seconds.append(time.perf_counter() - start)
        return 2 * size**3 / min(seconds)


def _as_it_is(function):
    return function
