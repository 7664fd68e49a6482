"""The `gdl` command: parses its arguments and calls the package, nothing else."""

import argparse
import sys
from pathlib import Path

import gdl_keras
from gdl_keras.parsers import Parser
from gdl_keras.printing import print_anything

EXAMPLES = """examples:
  gdl list                                            what can be run here
  gdl run 03_vae/02_vae_fashion                       train a model, in minutes on a laptop
  gdl run 03_vae/02_vae_fashion --help                every setting of that chapter
  gdl run 03_vae/02_vae_fashion --dataset ./photos    the same on your own images
  gdl sample runs/03_vae/02_vae_fashion/TIME -n 64    new images from what it learnt
  gdl evaluate runs/03_vae/02_vae_fashion/TIME        how good they are
"""


def main(arguments=None):
    """Runs one command; returns the exit code: 0 done, 1 failed while running, 2 bad usage or input."""
    print_anything()
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in arguments  # wherever it stands
    arguments = [argument for argument in arguments if argument != "--debug"]
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.command not in TAKES_MORE:
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    if options.command == "run" and arguments[1:2] and arguments[1].startswith("-") and not options.help:
        _parser().error("the chapter comes first: gdl run CHAPTER [flags]")
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
    """gdl data list | download | info"""
    from gdl_keras import data

    if options.action == "list":
        _print_catalogue(data)
    elif options.action == "download":
        for name in options.names:
            print(data.download(name, force=options.force))
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
    "report": report_command,
    "compare": compare_command,
    "doctor": doctor_command,
}


def _parser():
    parser = Parser(
        prog="gdl",
        description="The models of the book Generative Deep Learning: train them, look at them, sample from them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=gdl_keras.__version__)
    parser.add_argument("--debug", action="store_true", help="show the whole traceback of an error")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    commands.add_parser("list", help="chapters, data sets, and which data is here")
    _add_data_parser(commands.add_parser("data", help="list, download or describe data sets"))

    run = commands.add_parser("run", help="train a chapter's model", add_help=False, allow_abbrev=False)
    run.add_argument("chapter", metavar="CHAPTER", nargs="?", help="a name from gdl list")
    run.add_argument("-h", "--help", action="store_true", help="the chapter's settings")

    sample = commands.add_parser("sample", help="new samples from a trained model", epilog=_sample_examples())
    sample.formatter_class = argparse.RawDescriptionHelpFormatter
    sample.add_argument("run", metavar="RUN", type=Path, help="a run's folder, one of a stage in it, or a .keras file")
    sample.add_argument("-n", type=int, default=64, help="how many (default: 64)")
    sample.add_argument(
        "-o",
        "--output",
        type=Path,
        help="of images a .png grid, an .npz array, or a folder of single pictures (default: samples.png)",
    )
    sample.add_argument("--seed", type=int, help="the same seed gives the same samples")
    sample.add_argument(
        "--label", help="for conditional models: the class to draw, its number or name (default: all in turn)"
    )

    _add_evaluate_parser(commands)
    _add_report_parsers(commands)
    doctor = commands.add_parser("doctor", help="what this machine has, and what is missing")
    doctor.add_argument("--gpu", action="store_true", help="a GPU is wanted: without one that computes, exit with 1")
    return parser


def _add_data_parser(parser):
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="every data set with a name, and which is here")
    download = actions.add_parser("download", help="fetch data sets")
    download.add_argument("names", nargs="+", metavar="NAME", help="such as faces, fashion, kaggle:OWNER/SLUG")
    download.add_argument("--force", action="store_true", help="fetch again what is here")
    info = actions.add_parser("info", help="what a data set is, where it comes from, its licence")
    info.add_argument("name", metavar="NAME_OR_FOLDER")


def _add_evaluate_parser(commands):
    evaluate = commands.add_parser(
        "evaluate",
        help="how good a trained model is, against held-out data",
        epilog="examples:\n  gdl evaluate runs/mine\n  gdl evaluate runs/mine -n 5000 --features inception --seed 7\n"
        "  gdl evaluate model.keras --dataset fashion --output",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    evaluate.add_argument(
        "run", metavar="RUN", type=Path, help="a run's folder, one of a stage in it, or a .keras file"
    )
    evaluate.add_argument(
        "-n", type=int, help="how many samples (default: half as many as are held out, at most what the model says)"
    )
    evaluate.add_argument("--seed", type=int, default=0, help="the same seed gives the same numbers (default: 0)")
    evaluate.add_argument(
        "--features",
        choices=("fashion", "emoji", "lite0", "inception"),
        help="of images: the network whose features are compared (default: fashion for grey ones, emoji for the emoji, "
        "lite0 for all others in colour where its package is installed, see docs/guides/own_data.md)",
    )
    evaluate.add_argument("--dataset", help="compare with this data (default: the run's own)")
    evaluate.add_argument("--output", action="store_true", help="for a .keras file: write NAME.metrics.json beside it")


def _add_report_parsers(commands):
    report = commands.add_parser(
        "report",
        help="a page about a run: settings, curves, numbers, pictures",
        epilog="examples:\n  gdl report runs/mine\n  gdl report runs/mine/gan -o gan.html",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.add_argument("run", metavar="RUN", type=Path, help="a run's folder, or one of a stage in it")
    report.add_argument("-o", "--output", type=Path, help="the page, a .html file (default: report.html in the folder)")
    compare = commands.add_parser(
        "compare",
        help="runs side by side, as a table and as a page",
        epilog="examples:\n  gdl compare runs/beta_1 runs/beta_4\n  gdl compare runs/a runs/b runs/c -o all.html",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    compare.add_argument("runs", metavar="RUN", type=Path, nargs="+", help="two runs or more")
    compare.add_argument(
        "-o", "--output", type=Path, default=Path("comparison.html"), help="the page (default: comparison.html)"
    )


def _sample_examples():
    return (
        "Any other flag is a keyword of the model's own generate; an unknown one is answered with those there are.\n\n"
        "examples:\n  gdl sample runs/mine -n 64 -o grid.png --seed 7\n  gdl sample runs/mine -n 10000 -o samples.npz\n"
        "  gdl sample runs/mine -n 16 --label boot"
    )


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
