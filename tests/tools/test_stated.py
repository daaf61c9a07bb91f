"""What an output states on its face, and which subgoal asks for it."""

import time

import numpy as np
import pytest

from goalcover.tools.stated import ASKED_FOR, FULL, KINDS, Stated, asked_for, stated

BY_NAME = {kind.name: kind for kind in KINDS}
AXES = np.eye(len(KINDS))


def count(name: str, text: str) -> int:
    return len(BY_NAME[name].pattern.findall(text))


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [
        ("amounts of money", "It costs $3,000, or 40 euros.", "It costs a lot of dollars."),
        ("dates or durations", "By 1 May 2019, within 30 days.", "Soon, and for a long time."),
        ("figures", "It weighs 5.3 kg, about 20%.", "It weighs little; see B12 and x2."),
        ("program code", "def f(x):\n    return x;", "For example, a class in school."),
        ("sources or links", "See https://x.org or Smith et al.", "See the book (page two)."),
        ("numbered steps", "1. Mix.\n2. Bake.", "Mix 1. part. Then bake."),
    ],
)
def test_a_kind_is_found_where_it_is_stated(name: str, yes: str, no: str):
    assert count(name, yes) >= 2 and count(name, no) == 0


@pytest.mark.parametrize(
    "unit", ["1", "1,", "a(", "<a", "; ", "\n", "[1", "(a", "one ", " = ", "- "]
)
def test_no_text_takes_long(unit: str):
    start = time.process_time()
    for kind in KINDS:
        stated(kind, unit * 50_000)
        kind.pattern.findall(unit * 5_000)
    assert time.process_time() - start < 5  # quadratic patterns take minutes


def test_a_subgoal_asks_for_the_kind_it_is_nearest_to_and_only_if_near():
    assert asked_for(AXES[0] * 0.9 + AXES[1] * 0.6, AXES) is KINDS[0]
    assert asked_for(AXES[0] * (ASKED_FOR - 0.01), AXES) is None


def test_evidence_runs_from_nothing_to_full():
    found = [stated(KINDS[0], "$1 " * n) for n in range(6)]
    assert found[2] == Stated("amounts of money", 2)
    values = [own.evidence for own in found]
    assert values[0] == -0.5 and values[FULL:] == [0.5] * 3 and values == sorted(values)
    assert str(found[0]) == "No amounts of money in the output."
    assert str(found[2]) == "Amounts of money in the output: 2."
    assert str(found[5]) == "Amounts of money in the output: 3 or more."
