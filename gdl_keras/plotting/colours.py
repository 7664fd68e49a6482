"""What classes are drawn with, so that they can be told apart: ten colours, and a shape for each ten."""

# Paul Tol's nine muted ones and a blue: any two differ, also to those who do not tell red from green.
COLOURS = (
    "#2255ee",
    "#cc6677",
    "#117733",
    "#ddcc77",
    "#88ccee",
    "#882255",
    "#332288",
    "#44aa99",
    "#999933",
    "#aa4499",
)
# Of classes 0 to 9, 10 to 19, and so on.
SHAPES = "o^sDPXv*"


def class_style(label):
    """The colour and the shape of a class, the same in every picture: {"color", "marker"}.

    More than ten classes share the ten colours and differ in their shapes: eighty can be told apart.

    Args:
        label: int, the class's number; None for what has no class, which is black.
    """
    if label is None:
        return {"color": "black", "marker": SHAPES[0]}
    return {"color": COLOURS[label % 10], "marker": SHAPES[label // 10 % len(SHAPES)]}
