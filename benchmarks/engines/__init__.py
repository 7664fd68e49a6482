"""The implementations that are raced: this project, a plain Keras port, PyTorch.

An engine is a class with `parameters`, {network: number of trainable weights}, `work`, the floating-point operations
that its step needs per real image (None where nobody has counted), and the methods `train(steps)`, `sample(images)`,
both of which return when the work is done, and `peak()`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """An engine and its settings.

    Attributes:
        engine: "ours", "plain" or "pytorch".
        policy: "float32", "mixed_bfloat16" or "mixed_float16" (PyTorch: on a GPU).
        options: names of further settings that are on.  Of TensorFlow: "single" (one thread for each operation),
            "xla" and "no_xla" (`jit_compile=True` and `False`; neither: as the model's `compile` has it), "ten" (ten
            steps per execution), "fed" (a GPU gets its batches from the processor's memory), "graphs" (on a GPU
            XLA's loops are CUDA graphs).  Of PyTorch: "compiled" (`torch.compile`; on a GPU with its CUDA graphs),
            "captured" (on a GPU: the whole step as one CUDA graph, with "compiled" of compiled functions), "stock" (its
            own dropout and LeakyReLU in place of the quicker ones that we wrote for it), "blocks" (convolutions of 4x4
            with stride 2 as our own, in place of its own).
    """

    engine: str
    policy: str = "float32"
    options: tuple = ()

    def __str__(self):
        return " ".join([self.engine, self.policy.removeprefix("mixed_"), *self.options])

    def make(self, case):
        """The engine itself; imports its framework."""
        if self.engine == "pytorch":
            from engines.pytorch import PyTorch as engine
        elif self.engine == "plain":
            from engines.plain_keras import PlainKeras as engine
        else:
            from engines.ours import Ours as engine
        return engine(case, self.policy, self.options)
