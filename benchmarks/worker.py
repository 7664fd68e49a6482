"""One engine in a process of its own, which does what it is told and says how long it took.

Reads a line of JSON {"do": name, ...arguments} from standard input for each task, and answers with a line of JSON:
{"seconds": ...} and what the task gave, or {"error": ...}.  Started by `race.py`.
"""

import contextlib
import json
import os
import sys
import time
import traceback

from cases import CASES
from engines import Entry


def main():
    # What frameworks print must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    entry, case = json.loads(sys.argv[1]), CASES[sys.argv[2]].on(sys.argv[3])
    engine = None
    for line in sys.stdin:
        try:
            if engine is None:
                engine = Entry(**entry).make(case)
            answer = perform(engine, **json.loads(line))
        except Exception as error:
            traceback.print_exc()
            answer = {"error": " ".join(f"{type(error).__name__}: {error}".split())[:300]}
        print(json.dumps(answer), file=answers, flush=True)


def perform(engine, do, amount=None):
    """Does one task: "describe", "peak", or `amount` of "train" or "sample"."""
    if do == "describe":
        return {"parameters": engine.parameters, "work": engine.work}
    if do == "peak":
        return {"peak": engine.peak()}
    start = time.perf_counter()
    getattr(engine, do)(amount)
    return {"seconds": time.perf_counter() - start}


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
