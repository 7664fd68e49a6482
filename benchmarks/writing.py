"""How fast text is written: `generate`, which carries a state from token to token, against one `predict` a token.

    python benchmarks/writing.py runs/05_autoregressive/01_lstm/TIME --tokens 100 --rounds 5

The second is what the book's notebooks do: the whole text so far goes through the network for each token.  Both write
one text, greedily, so that both must write the same; they take turns, and the median of each is printed.
"""

import argparse
import statistics
import time

import numpy as np

import gdl_keras


def written_by_predict(model, count):
    """One `predict` a token: int array (count,)."""
    tokens = [model.vocabulary.end]
    for _ in range(count):
        logits = model.network.predict(np.array([tokens], "int32"), verbose=0)
        tokens.append(int(logits[0, -1].argmax()))
    return tokens[1:]


def written_by_generate(model, count):
    """The same by the model's own loop: int array (count,)."""
    return model.draw(1, seed=0, length=count, temperature=0)[0].tolist()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="the folder of a run, or a .keras file, of a language model")
    parser.add_argument("--tokens", type=int, default=100, help="tokens in a text (default 100)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (default 5)")
    arguments = parser.parse_args()
    model = gdl_keras.load(arguments.run)
    ways = {"predict": written_by_predict, "generate": written_by_generate}
    texts = {name: way(model, arguments.tokens) for name, way in ways.items()}  # traced, and warm
    same = np.mean(np.equal(*texts.values()))
    seconds = {name: [] for name in ways}
    for _ in range(arguments.rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way(model, arguments.tokens)
            seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, median in medians.items():
        print(f"{name:>9}: {arguments.tokens / median:>10,.0f} tokens a second")
    print(f"{medians['predict'] / medians['generate']:.0f} times as fast; {same:.0%} of the tokens are the same")


if __name__ == "__main__":
    main()
