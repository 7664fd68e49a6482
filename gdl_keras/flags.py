"""The flags of every `gdl` command, but those of a chapter, a model, a kind of samples."""

import argparse
from pathlib import Path

import gdl_keras
from gdl_keras.parsers import Parser

RUN = "a run's folder, one of a stage in it, a .keras file, or a program whose trained model comes along"

EXAMPLES = """examples:
  gdl list                                            what can be run here
  gdl run 03_vae/02_vae_fashion                       train a model, in minutes on a laptop
  gdl run 03_vae/02_vae_fashion --help                every setting of that chapter
  gdl run 03_vae/02_vae_fashion --dataset ./photos    the same on your own images
  gdl sample 04_gan/05_hinge_gan -n 64                new images from a model that comes along, trained
  gdl sample runs/03_vae/02_vae_fashion/TIME -n 64    new images from what yours learnt
  gdl evaluate runs/03_vae/02_vae_fashion/TIME        how good they are
"""


def parser():
    """The parser of `gdl`."""
    whole = Parser(
        prog="gdl",
        description="The models of the book Generative Deep Learning: train them, look at them, sample from them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=gdl_keras.__version__)
    whole.add_argument("--debug", action="store_true", help="show the whole traceback of an error")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")

    commands.add_parser("list", help="chapters, data sets, and which data is here")
    _add_data_parser(commands.add_parser("data", help="list, download, preview or describe data sets"))

    run = commands.add_parser("run", help="train a chapter's model", add_help=False, allow_abbrev=False)
    run.add_argument("chapter", metavar="CHAPTER", nargs="?", help="a name from gdl list")
    run.add_argument("-h", "--help", action="store_true", help="the chapter's settings")

    sample = _command(commands, "sample", "new samples from a trained model", _sample_examples())
    sample.add_argument("run", metavar="RUN", type=Path, help=RUN)
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
    _add_animate_parser(commands)
    _add_explore_parser(commands)
    _add_export_parser(commands)
    _add_report_parsers(commands)
    doctor = commands.add_parser("doctor", help="what this machine has, and what is missing")
    doctor.add_argument("--gpu", action="store_true", help="a GPU is wanted: without one that computes, exit with 1")
    return whole


def _command(commands, name, about, examples):
    """The parser of a command, with examples under its flags as they are written."""
    return commands.add_parser(name, help=about, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter)


def _add_data_parser(parser):
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="every data set with a name, and which is here")
    download = actions.add_parser("download", help="fetch data sets")
    download.add_argument("names", nargs="+", metavar="NAME", help="such as faces, fashion, kaggle:OWNER/SLUG")
    download.add_argument("--force", action="store_true", help="fetch again what is here")
    preview = _command(
        actions,
        "preview",
        "a page of examples as a model would see them",
        "examples:\n  gdl data preview ./my_photos --image-size 32\n  gdl data preview austen_mini -n 5 -o novels.txt",
    )
    preview.add_argument("name", metavar="NAME_OR_FOLDER", help="such as ./my_photos, fashion")
    preview.add_argument("-n", type=int, default=64, help="how many (default: 64)")
    preview.add_argument("-o", "--output", type=Path, help="the page (default: preview.png, of text preview.txt)")
    preview.add_argument(
        "--image-size", type=_at_least_1, metavar="N", help="height and width that images are brought to"
    )
    preview.add_argument("--skip-unreadable", action="store_true", help="leave out images that cannot be read")
    info = actions.add_parser("info", help="what a data set is, where it comes from, its licence")
    info.add_argument("name", metavar="NAME_OR_FOLDER")


def _add_evaluate_parser(commands):
    evaluate = _command(
        commands,
        "evaluate",
        "how good a trained model is, against held-out data",
        "examples:\n  gdl evaluate runs/mine\n  gdl evaluate runs/mine -n 5000 --features inception --seed 7\n"
        "  gdl evaluate model.keras --dataset fashion --output",
    )
    evaluate.add_argument("run", metavar="RUN", type=Path, help=RUN)
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


def _add_animate_parser(commands):
    animate = _command(
        commands,
        "animate",
        "a moving picture: samples epoch by epoch, a walk in the latent space, or sampling itself",
        "examples:\n  gdl animate runs/mine\n  gdl animate runs/mine --walk -o walk.webp --seed 7\n"
        "  gdl animate 05_autoregressive/02_pixelcnn --sampling",
    )
    animate.add_argument("run", metavar="RUN", type=Path, help=RUN)
    animate.add_argument(
        "-o", "--output", type=Path, help="a .gif or .webp file (default: samples.gif; walk.gif, sampling.gif)"
    )
    animate.add_argument(
        "--milliseconds",
        type=_at_least_1,
        metavar="N",
        help="how long a page is seen (default: 400 for an epoch, else 90)",
    )
    walk = animate.add_argument_group("a walk, or sampling")
    walk.add_argument("--walk", action="store_true", help="go round in the latent space, with what the run has learnt")
    walk.add_argument("--sampling", action="store_true", help="how samples are made, step by step or pixel by pixel")
    walk.add_argument("--frames", type=_at_least_1, metavar="N", default=28, help="pages of it (default: 28)")
    walk.add_argument("--rows", type=_at_least_1, metavar="N", default=2, help="rows of samples (default: 2)")
    walk.add_argument(
        "--scale", type=_at_least_1, metavar="N", default=2, help="pixels for one of an image (default: 2)"
    )
    walk.add_argument("--seed", type=int, metavar="N", default=1, help="which points (default: 1)")


def _add_explore_parser(commands):
    explore = _command(
        commands,
        "explore",
        "a page in the browser to play with what was learnt",
        "examples:\n  gdl explore 03_vae/02_vae_fashion\n  gdl explore runs/mine --port 8000 --no-browser\n"
        "  gdl explore 04_gan/05_hinge_gan --export garments.html",
    )
    explore.add_argument("run", metavar="RUN", type=Path, help=RUN)
    explore.add_argument("--port", type=int, metavar="N", default=0, help="of 127.0.0.1 (default: one that is free)")
    explore.add_argument("--no-browser", action="store_true", help="only print the address")
    explore.add_argument(
        "--export", type=Path, metavar="FILE.html", help="write one page that needs no server, to send to a friend"
    )


def _add_export_parser(commands):
    export = _command(
        commands,
        "export",
        "a trained model for other programs: SavedModel, LiteRT, ONNX",
        "examples:\n  gdl export 04_gan/01_dcgan -o dcgan.tflite\n  gdl export runs/mine -o saved_model\n"
        "What was written is run and compared before it is kept; docs/guides/exporting.md says how to load it.",
    )
    export.add_argument("run", metavar="RUN", type=Path, help=RUN)
    export.add_argument(
        "-o", "--output", type=Path, required=True, help="a .tflite (LiteRT) or .onnx file, or a folder: a SavedModel"
    )


def _at_least_1(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"is a whole number of at least 1, not {text}")
    return int(text)


def _add_report_parsers(commands):
    report = _command(
        commands,
        "report",
        "a page about a run: settings, curves, numbers, pictures",
        "examples:\n  gdl report runs/mine\n  gdl report runs/mine/gan -o gan.html",
    )
    report.add_argument("run", metavar="RUN", type=Path, help=RUN)
    report.add_argument("-o", "--output", type=Path, help="the page, a .html file (default: report.html in the folder)")
    compare = _command(
        commands,
        "compare",
        "runs side by side, as a table and as a page",
        "examples:\n  gdl compare runs/beta_1 runs/beta_4\n  gdl compare runs/a runs/b runs/c -o all.html",
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
