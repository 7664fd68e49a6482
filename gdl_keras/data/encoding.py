"""What a trained first stage makes of a data set: worked out once, kept, one more column of the table."""

from pathlib import PurePath

import numpy as np

from gdl_keras.data.columns import Column
from gdl_keras.data.digests import digest, fingerprint
from gdl_keras.data.notices import bar
from gdl_keras.data.paths import file_name
from gdl_keras.data.store import allocate, kept, prepared_folder, read_arrays, write_about
from gdl_keras.errors import InputError

STORE_VERSION = 1  # raised when the same model and data come to give other codes


def encoded(table, model, column=None, into="latents", batch_size=256, **options):
    """A table with one more column: what a model's encoder makes of another one.

    It is kept in the prepared store under the identity of the table and the content of the model's weights: a second
    run, or the same one after a stop, reads it.

    Args:
        table: a `Table`.
        model: has `encode(array (n, ...), **options)`, which returns an array (n, ...), and `weights`.  The codes of an
            example must not depend on chance or on the batch that it is in.
        column: the name of the column that is encoded; by default the table's first.
        into: the name of the new column.
        batch_size: examples a call of `encode`.
        options: keywords for `encode`; numbers, strings, lists.

    Returns:
        a `Table` like the one given.

    Raises:
        InputError: there is no such column, or `encode` does not return one array with a row an example.
        RunError: the disk is full.
    """
    column = column or table.main_column
    table.rows(column, slice(0, 0))  # an unknown column is told before anything is worked out
    model_digest = _digest_of_weights(model)
    letters = fingerprint(STORE_VERSION, table.identity, column, type(model).__name__, model_digest, options)
    name = f"{file_name(PurePath(table.name).name)[:40]}-{table.split}-{into}-{letters}"

    def write(folder):
        codes = None
        for start in bar(range(0, table.num_examples, batch_size), desc="encoding", unit=" batches"):
            part = _encode(model, table.rows(column, slice(start, start + batch_size)), options)
            if codes is None:
                codes = allocate(folder / "codes.npy", (table.num_examples, *part.shape[1:]), part.dtype)
            codes[start : start + len(part)] = part
        codes.flush()
        write_about(folder, {"name": table.name, "identity": table.identity, "column": column, "model": model_digest})

    _, arrays = kept(prepared_folder(name), read_arrays, write, "codes")
    columns = {**table.columns, into: Column(arrays["codes"])}
    return table.changed(columns=columns, identity=f"{table.identity} with {into} {letters}")


def _encode(model, examples, options):
    codes = model.encode(examples, **options)
    if isinstance(codes, tuple | list | dict):
        raise InputError(
            f"{type(model).__name__}.encode returns several arrays; a column is one: give a model whose encode returns "
            "the one that is wanted."
        )
    codes = np.asarray(codes)
    if len(codes) != len(examples):
        raise InputError(f"{type(model).__name__}.encode made {len(codes)} codes of {len(examples)} examples.")
    return codes


def _digest_of_weights(model):
    # Not their names: those depend on how many layers were made before.
    return fingerprint([digest(Column(np.atleast_1d(weight))) for weight in model.weights])
