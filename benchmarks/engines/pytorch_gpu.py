"""What PyTorch needs to win on a GPU: its settings, and whole steps as CUDA graphs."""

import gc

import torch

WARM_UP = 5


def use_gpu():
    """Sets what PyTorch leaves off: TensorFloat-32 for float32, as TensorFlow has it, and a choice of cuDNN's kernels.

    Raises:
        RuntimeError: PyTorch finds no GPU.
    """
    if not torch.cuda.is_available():
        raise RuntimeError("PyTorch finds no GPU")
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True


class Captured:
    """A function of tensors as one CUDA graph, as PyTorch's manual captures a whole training step.

    The first calls run it as it is, on a stream of their own; what it compiles, allocates once or tries out is done by
    then.  Each later call copies the arguments to where the graph reads them, starts the graph, and returns the very
    tensors that it writes.

    Args:
        function: of tensors or None; returns tensors.  It must not wait for the GPU.
        arguments: of a first call; later ones have their shapes.
    """

    def __init__(self, function, *arguments):
        self.arguments = [None if argument is None else argument.clone() for argument in arguments]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                function(*self.arguments)
        torch.cuda.current_stream().wait_stream(stream)
        gc.collect()
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.results = function(*self.arguments)

    def __call__(self, *arguments):
        for place, argument in zip(self.arguments, arguments, strict=True):
            if place is not None:
                place.copy_(argument)
        self.graph.replay()
        return self.results
