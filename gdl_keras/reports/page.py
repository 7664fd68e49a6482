"""One page about a run, or about several side by side: a single file of HTML that needs no other and no network."""

import base64
from html import escape
from pathlib import Path

from gdl_keras import plotting
from gdl_keras.errors import InputError
from gdl_keras.files import check_is_page, write_text
from gdl_keras.pretrained import comes_along
from gdl_keras.printing import aligned
from gdl_keras.reports.account import account_of
from gdl_keras.reports.comparison import comparison, lettered
from gdl_keras.reports.words import told, word

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 64rem; margin: 2rem auto;
       padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #ddd; vertical-align: top; }
td + td { font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; } figcaption { font-size: .9rem; color: #555; }
img { max-width: 100%; min-width: 12rem; image-rendering: pixelated; }
img.drawn { image-rendering: auto; }
iframe { width: 100%; height: 20rem; border: 1px solid #ddd; }
pre { white-space: pre-wrap; background: #f6f6f6; padding: .8rem; max-height: 24rem; overflow: auto; }
.side { display: flex; flex-wrap: wrap; gap: 1rem; } .side > * { flex: 1 1 20rem; min-width: 0; }
.about { overflow-x: auto; }
"""
LONGEST_TEXT = 4000  # characters of a page of texts


def report(run, output=None):
    """Writes a page about a run: what it was told, how it went, what was measured, all its pictures.

    Args:
        run: a run's folder, or that of a stage of one.
        output: path that ends in .html; by default report.html in the run's folder, of one that came along here.

    Returns:
        `Path` of the page.

    Raises:
        InputError: it is no run, a file in it is damaged, or `output` ends in something else.
    """
    if output is not None:
        check_is_page(Path(output))
    account = account_of(run)
    here = Path() if comes_along(account.folder) else account.folder
    output = Path(output or here / "report.html")
    parts = [_story(account)]
    for stage in account.stages:
        parts += [f"<h1>{escape(stage.folder.name)}</h1>", _story(stage)]
    write_text(output, _page(_title(account), _about(account) + "".join(parts)))
    return output


def compare(runs, output):
    """Writes a page of several runs side by side.

    Args:
        runs: folders of two runs or more, or of stages of them.
        output: path that ends in .html.

    Returns:
        str, the same as a table for a person to read.

    Raises:
        InputError: these are fewer than two, one of them is no run or is damaged, or `output` ends in something else.
    """
    if len(runs) < 2:
        raise InputError("To compare takes two runs or more; gdl report RUN tells of one.")
    output = Path(output)
    check_is_page(output)
    accounts = lettered([account_of(run) for run in runs])
    sections = comparison(accounts.values())
    names = [(letter, account.name, str(account.epochs)) for letter, account in accounts.items()]
    tables = [_table(("", *accounts), rows, title[0].upper() + title[1:]) for title, rows in sections.items()]
    samples = [
        f"<div>{_figure(account.samples[-1], f'{letter}, at the end')}</div>"
        for letter, account in accounts.items()
        if account.samples
    ]
    parts = [
        _table(("", "run", "epochs"), names, "Runs"),
        *tables,
        _curves({letter: account.curves for letter, account in accounts.items()}),
        f'<h2>Samples</h2><div class="side">{"".join(samples)}</div>' if samples else "",
    ]
    write_text(output, _page("Runs side by side", "".join(parts)))
    lines = aligned([("", "run", "epochs"), *names], left=(0, 1))
    for title, rows in sections.items():
        lines += ["", *aligned([(title, *accounts), *rows])]
    return "\n".join([*lines, "", f"Written to {output}"])


def _page(title, body):
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{escape(title)}</title>\n'
        f"<style>{STYLE}</style>\n<h1>{escape(title)}</h1>\n{body}\n</html>\n"
    )


def _title(account):
    return f"{account.settings.get('chapter', 'A run')}: {account.folder.name}"


def _about(account):
    """The line under the title, and all that the run was told."""
    environment = account.environment
    packages = environment.get("packages", {})
    machine = [
        f"Python {environment['python']}" if "python" in environment else "",
        *[f"{name} {packages[name]}" for name in ("keras", "tensorflow") if name in packages],
        ", ".join(environment.get("devices", [])),
    ]
    rows = [(name, word(value)) for name, value in account.own_settings.items()]
    settings = f"<details><summary>Settings</summary>{_table(('setting', 'value'), rows)}</details>\n"
    return f"<p>{escape('; '.join(filter(None, machine)))}</p>{settings}"


def _story(account):
    """What a run or a stage did: numbers, curves, samples, pictures."""
    metrics = account.evaluation.get("metrics", {})
    measured = [(name, told(metric), metric["better"]) for name, metric in metrics.items()]
    found = [(name, word(value)) for name, value in account.numbers.items()]
    pages = account.samples
    chosen = [pages[place] for place in sorted({0, len(pages) // 2, len(pages) - 1})] if pages else []
    samples = "".join(f"<div>{_figure(page, page.stem.replace('_', ' '))}</div>" for page in chosen)
    return "".join(
        [
            _table(("measured by gdl evaluate", "value ± error (floor)", "better"), measured, "How good it is"),
            _table(("found by the chapter", "value"), found, "What the chapter found"),
            _curves({"": account.curves}) if account.curves else "",
            f'<h2>Samples while it learnt</h2><div class="side">{samples}</div>' if samples else "",
            "<h2>Pictures</h2>" if account.pictures else "",
            *[_figure(path, path.stem.replace("_", " "), "drawn") for path in account.pictures],
        ]
    )


def _table(head, rows, title=""):
    """A table under a heading; nothing where it has no rows."""
    if not rows:
        return ""
    lines = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    lines += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    table = "".join(f"<tr>{line}</tr>\n" for line in lines)
    return f'{f"<h2>{escape(title)}</h2>" if title else ""}<div class="about"><table>\n{table}</table></div>\n'


def _curves(histories):
    if not any(histories.values()):
        return ""
    drawn = plotting.png(plotting.curve_panels(histories))
    about = "Each number of the history, epoch by epoch; dashed: on held-out data"
    return f"<h2>How it went</h2>{_picture(drawn, about, 'drawn')}"


def _figure(path, caption, style=""):
    """A picture, a text or a page of its own, inside this page."""
    if path.suffix == ".png":
        return _picture(path.read_bytes(), caption, style)
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".html":
        inside = f'<iframe sandbox title="{escape(caption)}" srcdoc="{escape(text)}"></iframe>'
    else:
        cut = text[:LONGEST_TEXT] + ("\n[...]" if len(text) > LONGEST_TEXT else "")
        inside = f"<pre>{escape(cut)}</pre>"
    return f"<figure>{inside}<figcaption>{escape(caption)}</figcaption></figure>\n"


def _picture(content, caption, style=""):
    source = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    return (
        f'<figure><img class="{style}" alt="{escape(caption)}" src="{source}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>\n"
    )
