"""What a race has found, as numbers and as text."""

import statistics

from race import NAME_WIDTH, fastest, ratio


def speeds(racers, images=1):
    """Images a second of engines that made or saw so many in each step.

    Returns:
        {engine: {"images_per_second": median, "range": [slowest, quickest]}}, or {"error": why it does not run}.
    """
    found = {}
    for racer in racers:
        of_turns = [images / seconds for seconds in racer.seconds]
        found[str(racer.entry)] = (
            {"error": racer.error}
            if racer.error
            else {"images_per_second": statistics.median(of_turns), "range": [min(of_turns), max(of_turns)]}
        )
    return found


def ratios(racers):
    """{"float32 over pytorch": (ratio, ours, peer), ...}, as far as these engines ran."""

    def some(engine, policy=None):
        return [r for r in racers if r.entry.engine == engine and policy in (None, r.entry.policy)]

    found = {
        "float32 over pytorch": ratio(fastest(some("ours", "float32")), some("pytorch", "float32")),
        "best over pytorch": ratio(fastest(some("ours")), some("pytorch")),
        "float32 over plain": ratio(fastest(some("ours", "float32")), some("plain")),
    }
    return {name: result for name, result in found.items() if result}


def rows(result, heading="", further=lambda engine: ""):
    """Lines of text: a heading, each engine, each ratio.

    Args:
        result: {"engines": as `speeds` returns them, "ratios": as `ratios` does}.
        heading: str, of further columns.
        further: function of an engine's numbers that returns those columns.
    """
    yield f"  {'':{NAME_WIDTH}}{'images/s':>10}{'slowest':>10}{'quickest':>10}{heading}"
    for name, engine in result["engines"].items():
        if "error" in engine:
            yield f"  {name:{NAME_WIDTH}}does not run: {engine['error']}"
        else:
            low, high = engine["range"]
            yield f"  {name:{NAME_WIDTH}}{engine['images_per_second']:10,.0f}{low:10,.0f}{high:10,.0f}{further(engine)}"
    for name, (number, ours, peer) in result["ratios"].items():
        yield f"  ours {name}: {number:.2f}  ({ours} over {peer})"
