"""Each of the mistakes gives its message of errors_golden.txt, which names the user's file and line and a way out that works.

`python tests/python/test_errors.py` writes the golden file anew.
"""

import os
import pickle
import re

import pytest

import mistakes
import secant

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "errors_golden.txt")
ROWS = list(mistakes.rows())


def text(wrong, line):
    """`Class: message`, with the path of the file and addresses taken out."""
    exception = mistakes.failure(wrong, line)
    message = str(exception).replace(os.path.dirname(mistakes.__file__) + os.sep, "")
    message = re.sub(r"mistakes\.py:\d+", "mistakes.py:LINE", message)
    message = re.sub(r" at 0x[0-9a-f]+", "", message)
    return f"{type(exception).__name__}: {message}"


def golden():
    with open(GOLDEN) as f:
        parts = f.read().split("\n>>> ")
    return {p.split("\n", 1)[0]: p.split("\n", 1)[1].rstrip("\n") for p in parts if "\n" in p and not p.startswith("#")}


@pytest.mark.parametrize("wrong, right, line", ROWS, ids=[r[0] for r in ROWS])
def test_message(wrong, right, line):
    assert text(wrong, line) == golden()[wrong]


@pytest.mark.parametrize("wrong, right, line", ROWS, ids=[r[0] for r in ROWS])
def test_place_and_correction(wrong, right, line):
    exception = mistakes.failure(wrong, line)
    own = line if not wrong.startswith("write") else mistakes.write.__code__.co_firstlineno + 1
    assert f"mistakes.py:{own}: " in str(exception)
    assert "\n  hint: " in str(exception)
    eval(right, mistakes.names())


def test_enough():
    assert len(ROWS) >= 40 and set(golden()) == {r[0] for r in ROWS}


def test_classes():
    try:
        secant.numpy.ones(3) + secant.numpy.ones(4)
    except secant.errors.ShapeError as error:
        assert isinstance(error, TypeError) and isinstance(error, secant.SecantError)
        assert type(error).__name__ == "TypeError"
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error) and str(again) == str(error)


def test_errors_of_the_user_are_left_alone():
    def wrong(x):
        raise ValueError("mine")

    with pytest.raises(ValueError, match="^mine$"):
        secant.grad(wrong)(1.0)
    with pytest.raises(ValueError, match="^mine$"):
        secant.vmap(wrong)(secant.numpy.ones(2))


if __name__ == "__main__":
    with open(GOLDEN, "w") as f:
        f.write("# what each mistake of mistakes.py says; written by test_errors.py\n")
        f.writelines(f"\n>>> {wrong}\n{text(wrong, line)}\n" for wrong, _, line in ROWS)
