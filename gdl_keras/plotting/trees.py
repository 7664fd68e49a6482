"""A tree of names: what belongs to what."""

from gdl_keras.plotting.figures import figure_with_axes

WIDTH, HEIGHT = 2.1, 0.5  # inches of a step to the right, and of a leaf


def tree(root, branches):
    """A tree that grows to the right, a box for each name.

    Args:
        root: str.
        branches: {name: branches of it, or a str beside a leaf}.
    """
    depth, leaves = _size(branches)
    figure, axes = figure_with_axes(WIDTH * (depth + 1.9), HEIGHT * leaves + 0.2)
    axes.set(xlim=(-0.5, depth + 1.4), ylim=(leaves - 0.5, -0.5))
    axes.set_axis_off()
    _draw(axes, root, branches, 0, 0)
    figure.set_label(f"a tree: {', '.join(text.get_text() for text in axes.texts)}")
    return figure


def _size(branches):
    """(how many steps deep, how many leaves)."""
    if isinstance(branches, str):
        return 0, 1
    sizes = [_size(branch) for branch in branches.values()]
    return 1 + max(depth for depth, _ in sizes), sum(leaves for _, leaves in sizes)


def _draw(axes, name, branches, depth, first_leaf):
    """Draws a box and all to the right of it; returns the height of its middle."""
    is_leaf = isinstance(branches, str)
    heights = [] if is_leaf else [*_draw_all(axes, branches, depth + 1, first_leaf)]
    height = first_leaf if is_leaf else (heights[0] + heights[-1]) / 2
    for other in heights:
        axes.plot((depth, depth + 0.5, depth + 0.5, depth + 1), (height, height, other, other), color="grey", zorder=0)
    colour = "aliceblue" if is_leaf else "white"
    box = {"boxstyle": "round,pad=0.4", "facecolor": colour, "edgecolor": "tab:blue"}
    axes.text(depth, height, name, ha="center", va="center", fontsize=9, bbox=box)
    if is_leaf:
        axes.text(depth + 0.48, height, branches, ha="left", va="center", fontsize=8, color="dimgrey")
    return height


def _draw_all(axes, branches, depth, first_leaf):
    for name, branch in branches.items():
        yield _draw(axes, name, branch, depth, first_leaf)
        first_leaf += _size(branch)[1]
