"""The implementations that are raced: this project, a plain Keras port, PyTorch.

An engine is a class with `parameters`, {network: number of trainable weights}, `work`, the floating-point operations
that its step needs per real image (None where it cannot count), and the methods `train(steps)`, `sample(images)`, both
of which return when the work is done, and `peak()`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """An engine and its settings.

    Attributes:
        engine: "ours", "plain" or "pytorch".
        policy: "float32" or "mixed_bfloat16".
        options: names of further settings that are on.  Of TensorFlow: "single" (one thread for each operation),
            "xla" (`jit_compile`), "ten" (ten steps per execution).  Of PyTorch: "compiled" (`torch.compile`), "stock"
            (its own dropout and LeakyReLU in place of the quicker ones that we wrote for it), "blocks" (convolutions of
            4x4 with stride 2 as our own, in place of its own).
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
