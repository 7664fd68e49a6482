"""Settings and measurements as a person reads them."""

import math

from gdl_keras.printing import measured


def told(metric):
    """A measurement: its value, its standard error, and in brackets its floor."""
    return f"{measured(metric)} ({measured(metric['floor'])})" if metric.get("floor") else measured(metric)


def word(value):
    """A setting or a number as it is told: "-" for none, "yes", "no", four digits of a float."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return " ".join(map(word, value)) or "none"
    return str(value)
