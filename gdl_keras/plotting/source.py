"""The source of what lives in the library, shown where a notebook uses it."""

import inspect


def show_source(*things):
    """Shows the source of functions and classes: what lives in the library is read where it is used."""
    source = "\n\n".join(inspect.getsource(thing).rstrip() for thing in things)
    try:
        from IPython import get_ipython
        from IPython.display import Code, display
    except ImportError:
        return
    if get_ipython() is not None:
        display(Code(source, language="python"))
