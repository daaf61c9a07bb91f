import random

from hypothesis import given
from hypothesis import strategies as st

from goalcover.tools.diversity import distinct

WORDS = [f"word{i}" for i in range(400)]


def test_distinct_pairs_by_hand() -> None:
    texts = ["a b a b", "a b c d"]
    repeating, varied = distinct([[0], [1]], texts.__getitem__, 0)
    assert (repeating, varied) == (2 / 3, 1.0)


def test_larger_sets_of_the_same_kind_are_as_diverse() -> None:
    rng = random.Random(0)
    texts = [" ".join(rng.choice(WORDS) for _ in range(50)) for _ in range(400)]
    few, many = distinct([range(40), range(400)], texts.__getitem__, 0)
    assert few is not None and many is not None
    assert abs(few - many) < 0.02


def test_a_set_without_a_pair_of_words_has_none() -> None:
    assert distinct([[0], [1]], ["", "some words here"].__getitem__, 0) == [None, None]


@given(st.lists(st.text(max_size=40), min_size=1, max_size=20), st.integers(0, 3))
def test_it_is_a_share_and_follows_the_seed(texts: list[str], seed: int) -> None:
    sets = [list(range(len(texts))), [0]]
    found = distinct(sets, texts.__getitem__, seed)
    assert all(value is None or 0 < value <= 1 for value in found)
    assert found == distinct(sets, texts.__getitem__, seed)
