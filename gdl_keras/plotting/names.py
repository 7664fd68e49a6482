"""The columns of a history as axes and legends name them: "kl_loss" is the "KL loss"."""

# What is written otherwise in a sentence than in a column's name, or is another word there.
WORDS = {"fake": "generated", "frechet": "Fréchet", "kl": "KL", "lite0": "Lite0", "wasserstein": "Wasserstein"}


def in_words(column):
    """A column's name as a reader says it; what is in words already stays as it is."""
    return " ".join(WORDS.get(part, part) for part in column.split("_"))


def common_and_own(columns):
    """What several columns are called together, and what each is besides.

    Returns:
        (str, list of str): ("loss", ["discriminator", "generator"]) of discriminator_loss and generator_loss.  A column
        that is called nothing else is the "total" of those beside it, and "" where it stands alone.  Without a common
        end ("", their names).
    """
    [first, *others] = columns
    parts = first.split("_")
    ends = ("_".join(parts[start:]) for start in range(len(parts)))
    common = next((end for end in ends if all(f"_{column}".endswith(f"_{end}") for column in others)), "")
    own = [f"_{column}".removesuffix(f"_{common}").removeprefix("_") if common else column for column in columns]
    return in_words(common), [in_words(name) or "total" * bool(others) for name in own]
