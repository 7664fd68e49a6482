"""The `gdl` command: parses its arguments and calls the package, nothing else."""

import sys

from gdl_keras import flags
from gdl_keras.printing import print_anything


def main(arguments=None):
    """Runs one command; returns the exit code: 0 done, 1 failed while running, 2 bad usage or input."""
    print_anything()
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in arguments  # wherever it stands
    arguments = [argument for argument in arguments if argument != "--debug"]
    options, rest = flags.parser().parse_known_args(arguments)
    if rest and options.command not in TAKES_MORE:
        flags.parser().error(f"unrecognized arguments: {' '.join(rest)}")
    if options.command == "run" and arguments[1:2] and arguments[1].startswith("-") and not options.help:
        flags.parser().error("the chapter comes first: gdl run CHAPTER [flags]")
    try:
        code = COMMANDS[options.command](options, rest) or 0
        sys.stdout.flush()  # whether anybody reads it shows here
        return code
    except (Exception, KeyboardInterrupt) as error:
        from gdl_keras.training import reporting  # not before: gdl doctor runs where packages are missing

        return reporting.report(error, debug)


def list_command(options, rest):
    """gdl list"""
    from gdl_keras import data
    from gdl_keras.chapters import all_chapters

    print("Chapters (gdl run NAME):")
    for chapter in all_chapters():
        print(f"  {chapter.name:32} {chapter.title}")
    print()
    _print_catalogue(data)


def data_command(options, rest):
    """gdl data list | download | preview | info"""
    from gdl_keras import data

    if options.action == "list":
        _print_catalogue(data)
    elif options.action == "download":
        for name in options.names:
            print(data.download(name, force=options.force))
    elif options.action == "preview":
        from gdl_keras.preview import preview

        own = {"image_size": options.image_size} if options.image_size else {}
        print(preview(options.name, options.output, options.n, skip_unreadable=options.skip_unreadable, **own))
    else:
        from gdl_keras.data.left_out import told

        known = data.info(options.name)
        left_out = known.pop("left_out", {})
        for key, value in known.items():
            print(f"{key + ':':14} {_readable(value)}")
        if left_out:
            print(f"{'left out:':14} {told(left_out)}")


def run_command(options, rest):
    """gdl run CHAPTER [flags]"""
    from gdl_keras.chapters import find_chapter, run_program

    if options.chapter is None and options.help:
        print("usage: gdl run CHAPTER [flags]\n\nGive a name from gdl list; gdl run CHAPTER --help shows its flags.")
        return
    run_program(find_chapter(options.chapter), rest + ["--help"] * options.help)


def sample_command(options, rest):
    """gdl sample RUN"""
    from gdl_keras.keywords import from_words
    from gdl_keras.sampling import sample

    own = from_words(rest)
    print(sample(options.run, options.n, options.output, seed=options.seed, label=options.label, **own))


def evaluate_command(options, rest):
    """gdl evaluate RUN"""
    from gdl_keras.evaluation import evaluate_and_keep
    from gdl_keras.keywords import from_words

    own = from_words(rest) | ({"features": options.features} if options.features else {})
    print(
        evaluate_and_keep(options.run, options.output, n=options.n, seed=options.seed, dataset=options.dataset, **own)
    )


def animate_command(options, rest):
    """gdl animate RUN"""
    from gdl_keras.animation import animate

    names = ("walk", "sampling", "frames", "rows", "scale", "seed", "milliseconds")
    print(animate(options.run, options.output, **{name: getattr(options, name) for name in names}))


def explore_command(options, rest):
    """gdl explore RUN"""
    from gdl_keras.explore import explore

    explore(options.run, options.port, not options.no_browser, options.export)


def export_command(options, rest):
    """gdl export RUN"""
    from gdl_keras.exporting import export

    print(export(options.run, options.output))


def report_command(options, rest):
    """gdl report RUN"""
    from gdl_keras.reports import report

    print(report(options.run, options.output))


def compare_command(options, rest):
    """gdl compare RUN RUN ..."""
    from gdl_keras.reports import compare

    print(compare(options.runs, options.output))


def doctor_command(options, rest):
    """gdl doctor"""
    from gdl_keras.doctor import examine

    findings = examine(options.gpu)
    for finding in findings:
        print(finding)
    return 1 if any(finding.is_wrong for finding in findings) else 0


# Commands whose flags are also those of a chapter, a model, a kind of samples.
TAKES_MORE = ("run", "sample", "evaluate")
COMMANDS = {
    "list": list_command,
    "data": data_command,
    "run": run_command,
    "sample": sample_command,
    "evaluate": evaluate_command,
    "animate": animate_command,
    "explore": explore_command,
    "export": export_command,
    "report": report_command,
    "compare": compare_command,
    "doctor": doctor_command,
}


def _readable(value):
    if isinstance(value, dict):
        return ", ".join(f"{name} {_readable(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_readable, value)) or "none"
    if isinstance(value, bool) or value is None:
        return "yes" if value else "no" if value is False else "none"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _print_catalogue(data):
    from gdl_keras.chapters import sets_in_programs
    from gdl_keras.data.preparers import PREPARERS

    used = sets_in_programs(entry.name for entry in data.catalogue())
    print("Data sets (--dataset NAME; * is here already; + is in no preset of a program yet):")
    for entry in data.catalogue():
        marks = ("*" if data.is_here(entry.name) else " ") + (" " if entry.name in used else "+")
        nobody = "" if entry.kind in PREPARERS else "; no program reads it yet"
        print(f"{marks} {entry.name:14} {entry.kind:7} {entry.summary}{nobody}")
