"""Several runs side by side: which settings differ, what the last epoch said, what was measured."""

from gdl_keras.reports.words import told, word

# How a measurement was taken, beside its numbers: where these differ, the numbers do not compare.
CIRCUMSTANCES = {
    "samples": lambda evaluation: evaluation.get("n"),
    "seed": lambda evaluation: evaluation.get("seed"),
    "data": lambda evaluation: evaluation.get("dataset"),
    "features": lambda evaluation: evaluation.get("extractor", {}).get("name"),
    "held out": lambda evaluation: evaluation.get("held_out", {}).get("identity"),
}


def lettered(accounts):
    """{"A": first account, "B": second ...}, numbers after "Z"."""
    return {chr(65 + place) if place < 26 else str(place + 1): account for place, account in enumerate(accounts)}


def comparison(accounts):
    """What differs between runs, and what was measured of any: {title: rows (name, a word for each run)}.

    Sections that would be empty are left out.
    """
    accounts = list(accounts)
    settings = _rows([account.own_settings for account in accounts])
    last = [{name: values[-1] for name, values in account.history.items() if name != "epoch"} for account in accounts]
    measured = [_measured(account) for account in accounts]
    circumstances = [
        {name: of(account.evaluation) for name, of in CIRCUMSTANCES.items()} if account.evaluation else {}
        for account in accounts
    ]
    sections = {
        "settings that differ": [row for row in settings if len(set(row[1:])) > 1],
        "in the last epoch": _rows(last),
        "found by the chapter": _rows([account.numbers for account in accounts]),
        "measured by gdl evaluate": _rows(measured),
        "measured otherwise, so these do not compare": [
            row for row in _rows(circumstances) if len({word for word in row[1:] if word != "-"}) > 1
        ],
    }
    return {title: rows for title, rows in sections.items() if rows}


def _measured(account):
    metrics = account.evaluation.get("metrics", {})
    return {f"{name} ({metric['better'].split(' (')[0]})": told(metric) for name, metric in metrics.items()}


def _rows(dictionaries):
    """[(name, a word from each dictionary)], in the order in which the names come."""
    names = dict.fromkeys(name for dictionary in dictionaries for name in dictionary)
    return [(name, *[word(dictionary.get(name)) for dictionary in dictionaries]) for name in names]
