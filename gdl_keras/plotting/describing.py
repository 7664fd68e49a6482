"""What a picture says to those who do not see it."""

import re

LONGEST = 300  # characters
NUMBER = re.compile("[-\u2212+0-9.,e%]*")


def alternative_text(figure, name):
    """What a figure shows, by its name and its own letters: titles, axes, legends, labels of rows and bars; a str.

    Args:
        figure: matplotlib `Figure`.  What has few letters, as images do, says in its label (`set_label`) what it is.
        name: str, such as "latent_plane".
    """
    said = [str(figure.get_label()), figure.get_suptitle()]
    for axes in figure.axes:
        said.append(axes.get_title())
        said.append(" against ".join(filter(None, (axes.get_ylabel(), axes.get_xlabel()))))
        labels = [label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]
        said.append("; ".join(label for label in labels if not NUMBER.fullmatch(label)))
        legend = axes.get_legend()
        said.append("; ".join(text.get_text() for text in legend.get_texts()) if legend else "")
    said += ["; ".join(text.get_text() for text in legend.get_texts()) for legend in figure.legends]
    text = ". ".join(dict.fromkeys(" ".join(part.split()) for part in said if part.strip()))
    text = f"{name.replace('_', ' ')}: {text}" if text else name.replace("_", " ")
    return text if len(text) <= LONGEST else text[: LONGEST - 4].rstrip() + " ..."
