"""Byte-pair pieces: frequent parts of words as tokens, learnt from the texts by the library SentencePiece.

Papers: Sennrich, Haddow & Birch 2016, Neural machine translation of rare words with subword units, arXiv:1508.07909;
Kudo & Richardson 2018, SentencePiece, arXiv:1808.06226.
"""

import base64
import io

from gdl_keras.errors import InputError

LONGEST_LINE = 2**20  # bytes


def learnt(texts, size, special, unknown_as):
    """The pieces of texts, which begin with all their characters, and grow by joining the most frequent neighbours.

    Args:
        texts: iterable of str.
        size: int, how many pieces at most, `special` and the end of a line included.
        special: names of the first two: the end of a text, what is in no piece.
        unknown_as: str, what the second one is read as.

    Returns:
        str, what `Pieces` takes.

    Raises:
        InputError: the library is not installed, or there are more characters than pieces.
    """
    library = _library()
    model = io.BytesIO()
    try:
        library.SentencePieceTrainer.train(
            sentence_iterator=(line for text in texts for line in text.split("\n") if line),
            model_writer=model,
            model_type="bpe",
            vocab_size=size,
            hard_vocab_limit=False,  # a short text has fewer
            character_coverage=1.0,
            # A text comes back as it was: nothing is normalised, and a space is part of a piece.
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            add_dummy_prefix=False,
            allow_whitespace_only_pieces=True,
            user_defined_symbols=["\n"],
            eos_id=0,
            eos_piece=special[0],
            unk_id=1,
            unk_piece=special[1],
            unk_surface=unknown_as,
            bos_id=-1,
            pad_id=-1,
            max_sentence_length=LONGEST_LINE,
            num_threads=1,  # so that the same texts give the same pieces
            minloglevel=2,
        )
    except RuntimeError as error:
        raise InputError(f"No {size} pieces can be learnt from these texts: {str(error).splitlines()[-1]}") from error
    return base64.b64encode(model.getvalue()).decode("ascii")


class Pieces:
    """Cuts texts into pieces, and puts them together.

    Args:
        model: str, as `learnt` gives it.

    Attributes:
        names: list of str, the pieces by number; SentencePiece writes a space in them as U+2581.
    """

    def __init__(self, model):
        self._processor = _library().SentencePieceProcessor()
        self._processor.LoadFromSerializedProto(base64.b64decode(model))
        self.names = [self._processor.id_to_piece(number) for number in range(self._processor.get_piece_size())]

    def encode(self, text):
        """The numbers of a text's pieces: list of int."""
        return self._processor.encode(text)

    def decode(self, numbers):
        """The text that pieces make, without any end: str."""
        return self._processor.decode(numbers)


def _library():
    try:
        import sentencepiece
    except ImportError as error:
        raise InputError(
            "Pieces are learnt by the library sentencepiece, which is not installed: pip install sentencepiece"
        ) from error
    return sentencepiece
