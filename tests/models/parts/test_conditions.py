"""What conditional models are told: checked, dealt out, looked up."""

import numpy as np
import pytest

from gdl_keras.data import from_arrays
from gdl_keras.errors import InputError
from gdl_keras.models.parts.conditions import Attributes, Classes, Unconditional


def test_conditions_in_turn_and_the_same_for_all():
    np.testing.assert_array_equal(Classes(3).in_turn(7)["labels"], [0, 1, 2, 0, 1, 2, 0])
    np.testing.assert_array_equal(Classes(3).in_turn(7, each=3)["labels"], [0, 0, 0, 1, 1, 1, 2])
    np.testing.assert_array_equal(Classes(3).same(2, 4)["labels"], [2, 2, 2, 2])
    np.testing.assert_array_equal(Attributes(2).in_turn(3)["labels"], [[1, 0], [0, 1], [1, 0]])
    np.testing.assert_array_equal(Attributes(2).same(1, 2)["labels"], [[0, 1], [0, 1]])
    assert Unconditional().in_turn(4) == {} and not Unconditional() and Classes(2)
    with pytest.raises(InputError, match="between 0 and 2"):
        Classes(3).same(3, 1)
    with pytest.raises(InputError, match="not conditional"):
        Unconditional().same(0, 1)


@pytest.mark.parametrize(
    ("label", "number"), [("hill", 0), ("HILL", 0), ("deep sea", 1), ("deep", 1), ("sea", 2), ("2", 2), (2, 2)]
)
def test_a_label_is_a_name_or_a_number(label, number):
    for conditions in (Classes(3, ["hill", "deep sea", "sea"]), Attributes(3, ("hill", "deep sea", "sea"))):
        assert conditions.number(label) == number
        np.testing.assert_array_equal(conditions.same(label, 2)["labels"], conditions.same(number, 2)["labels"])


def test_names_that_are_numbers_come_before_numbers():
    """Folders called 3 and 7: --label 7 is the second of them, and there is no label 1 but that one."""
    assert [Classes(2, ["3", "7"]).number(label) for label in ("3", "7", "1", 1)] == [0, 1, 1, 1]
    assert [Classes(10, list("0123456789")).number(str(number)) for number in range(10)] == list(range(10))
    assert Classes(12, [f"class {number}" for number in range(12)]).number("1") == 1


@pytest.mark.parametrize(
    ("names", "label", "sentence"),
    [
        (["hill", "sea"], "hil l", "Did you mean hill?  Known are: hill, sea."),
        (["hill", "sea"], "xyz", "There is no label 'xyz'.  Known are: hill, sea."),
        (["hill", "sea"], "5", "between 0 and 1, not 5.  Known are: hill, sea."),
        (["hill", "mill"], "hilll", "Did you mean hill or mill?"),
        (["hill", "mill"], "ILL", "'ILL' fits several: hill, mill.  Write more of one, or its number."),
        ([f"name {number}" for number in range(30)], "name", "'name' fits several: name 0, name 1, "),
        (["0", "1"], "boot", "these have no names, a label is a number from 0 to 1"),
        (None, "boot", "not known here: a label is a number from 0 to 1"),
        (["a", "b", "c"], "b", "not known here"),  # names of other labels than these
        ([f"name {number}" for number in range(30)], "q", "name 19 and 10 more."),
    ],
)
def test_an_unknown_label_is_refused_with_those_that_there_are(names, label, sentence):
    with pytest.raises(InputError) as error:
        Classes(30 if names and len(names) == 30 else 2, names).number(label)
    assert sentence in str(error.value)


def test_conditions_like_those_of_real_examples():
    pixels = np.zeros((5, 4, 4, 1), "uint8")
    table = from_arrays(images=pixels, labels=np.array([2, 0, 1, 1, 0]), class_names=["a", "b", "c"])
    chosen = Classes(3).like(table, np.array([0, 3]), 5)["labels"]
    np.testing.assert_array_equal(chosen, [2, 1, 2, 1, 2])
    with pytest.raises(InputError, match="samples of 4 classes, and arrays has 3"):
        Classes(4).like(table, np.arange(2), 2)
    with pytest.raises(InputError, match="has 0"):
        Attributes(2).like(table, np.arange(2), 2)


@pytest.mark.parametrize(
    ("conditions", "given", "sentence"),
    [
        (Unconditional(), {"labels": [0, 1]}, "takes no labels"),
        (Classes(3), {}, "pass labels=..., 2 integers from 0 to 2"),
        (Classes(3), {"labels": [0, 3]}, "not 0 to 3"),
        (Classes(3), {"labels": [0.0, 1.0]}, "float64"),
        (Classes(3), {"labels": [0]}, "not an array of shape"),
        (Classes(3), {"labels": [0, 1], "colours": 3}, "takes no colours"),
        (Attributes(2), {"labels": [0, 1]}, "2 rows of 2 attributes"),
    ],
)
def test_what_does_not_fit_is_refused(conditions, given, sentence):
    with pytest.raises(InputError, match=sentence):
        conditions.check(2, "Model", **given)
