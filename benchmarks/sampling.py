"""Sampling speed, side by side: `generate` of this project, `predict` of a plain Keras port, PyTorch at its best.

    python benchmarks/sampling.py dcgan vae --rounds 5 --output results.json

Engines and turns as in `training_steps.py`.  A sample counts from the drawing of its latent point to a float32 array in
[0, 1]; ours and the plain port decode 256 points at a time.  The networks are those that training begins with: speed
does not depend on what they have learnt.
"""

import command
from line_up import sampling_entries
from race import race
from results import ratios, rows, speeds


def measure(case, racing, rules):
    """Results of one model: {"samples": n, "engines": {name: ...}, "ratios": {...}}."""
    racers, _ = race(racing, case, "sample", rules)
    return {"samples": rules.amount, "engines": speeds(racers), "ratios": ratios(racers)}


def table(case, result):
    """The results of one model as lines of text."""
    yield f"{case.name}, {'x'.join(map(str, case.image_shape))}, {result['samples']} samples"
    yield from rows(result)


def main():
    parser = command.parser_of(__doc__, "samples")
    arguments = command.parsed(parser)

    def compared(case, racing):
        return measure(case, racing, command.rules(arguments, case.samples))

    command.race_all(arguments, lambda case: sampling_entries(case, arguments.policy), compared, table, parser)


if __name__ == "__main__":
    main()
