"""Which engines race."""

from engines import Entry

POLICIES = {"cpu": ("float32", "mixed_bfloat16"), "gpu": ("float32", "mixed_float16")}
PYTORCH = [(), ("captured",), ("compiled",), ("compiled", "captured")]


def entries(case, policies, further=()):
    """The engines of a race: list of `Entry`.

    On a processor, where operations are small, TensorFlow tries one thread, too, as PyTorch does anyway.

    Args:
        case: `Case`.
        policies: dtype policies.
        further: names of options that each have a row of their own: "xla", "no_xla", "ten", "fed", "graphs", "stock",
            "blocks".
    """
    plain = [Entry("plain")] + [Entry("plain", options=("single",))] * case.small
    ours, pytorch = [()] + [("single",)] * case.small, [(), ("compiled",)]
    if case.device == "gpu":
        plain, ours, pytorch = plain[:1], [()], PYTORCH
    ours = ours + [(name,) for name in ("xla", "no_xla", "ten", "fed", "graphs") if name in further]
    pytorch = pytorch + [(name,) for name in ("stock", "blocks") if name in further]
    found = plain * case.has_plain
    for policy in policies if case.mixes else ["float32"]:
        found += [Entry("ours", policy, options) for options in ours]
        found += [Entry("pytorch", policy, options) for options in pytorch]
    return found


def sampling_entries(case, policies):
    """The same for sampling: options of a training step are none here."""
    steps = {"xla", "no_xla", "ten", "graphs"}
    return [entry for entry in entries(case, policies) if entry.engine == "pytorch" or not steps & set(entry.options)]
