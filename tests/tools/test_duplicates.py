import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.memory.records import Sample
from goalcover.tools.duplicates import TOKEN, NearDuplicates, first_of, text_of

WORDS = [f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(26 * 26)]
ROW = (
    "Write a function that takes a list of numbers and returns the largest of them. "
    "Say in one sentence what it does when the list is empty."
)
texts = st.text(max_size=200)


def sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words))


def jaccard(a: str, b: str) -> float:
    grams = [{tuple(t.split()[i : i + 3]) for i in range(len(t.split()) - 2)} for t in (a, b)]
    return len(grams[0] & grams[1]) / len(grams[0] | grams[1])


def test_copies_but_for_case_and_space_are_near_duplicates() -> None:
    rows = [ROW, "Something else entirely, about the heart.", ROW.upper(), ROW.replace(" ", "\n ")]
    assert first_of(enumerate(rows)) == {2: 0, 3: 0}


def test_a_few_edited_words_do_not_hide_a_copy() -> None:
    rng = random.Random(0)
    row = sentence(rng, 100)
    edited = row.split()
    edited[10], edited[60] = "other", "another"
    assert first_of([(4, row), (7, " ".join(edited))]) == {7: 4}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 12 + 5?\nThe sum is the answer.", "What is 12 - 5?\nThe sum is the answer."),
        ("def f(a, b): return a+b", "def f(a, b): return a-b"),
        ("if x < y: swap(x, y)", "if x > y: swap(x, y)"),
        (f"{ROW} Give 5 mg twice a day.", f"{ROW} Give 50 mg twice a day."),
        (f"{ROW * 5} x = a * b", f"{ROW * 5} x = a / b"),
    ],
)
def test_rows_that_differ_in_a_number_or_an_operator_are_not_merged(one: str, other: str) -> None:
    assert first_of([(0, one), (1, other)]) == {}
    assert first_of([(0, one), (1, other), (2, other.upper())]) == {2: 1}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("if x == y: stop(x)", "if x != y: stop(x)"),
        ("for (i = 0; i < n; i++) f(i);", "for (i = 0; i < n; i--) f(i);"),
        ("Store it at -5 degrees at most.", "Store it at 5 degrees at most."),
        ("total = price * count(rows)", "total = price - count(rows)"),
        ("x = a - b + c", "x = a + b - c"),
    ],
)
def test_operators_between_operands_count(one: str, other: str) -> None:
    assert first_of([(0, f"{ROW} {one}"), (1, f"{ROW} {other}")]) == {}


@pytest.mark.parametrize(
    ("plain", "marked"),
    [
        ("Say in one", "- Say in one"),
        ("Say in one", "* Say in one"),
        ("in one sentence", "in *one* sentence"),
        ("in one sentence", "in one **sentence**"),
        ("numbers and returns", "numbers - and returns"),
        ("numbers and returns", "numbers | and returns"),
        ("Say in one", "\n=====\nSay in one"),
        ("one sentence", "one-sentence"),
    ],
)
def test_marks_of_prose_are_no_operators(plain: str, marked: str) -> None:
    row = f"{ROW} {sentence(random.Random(0), 40)}"
    assert plain in row
    assert first_of([(0, row), (1, row.replace(plain, marked))]) == {1: 0}


EDITS = {
    "dashes": lambda row: row.replace(", ", " - "),
    "bullets": lambda row: "- " + row.replace(". ", ".\n- "),
    "italics": lambda row: row.replace("numbers", "*numbers*"),
    "equals": lambda row: row.replace(". ", " = "),
    "digits": lambda row: row.replace("17", "23"),
    "no digits": lambda row: row.replace("17 ", "17x "),
}


@pytest.mark.parametrize("name", EDITS)
def test_by_words_alone_no_mark_and_no_number_hides_a_copy(name: str) -> None:
    rng = random.Random(0)
    rows = [f"{sentence(rng, 8)}, {sentence(rng, 4)} of 17 numbers. Then, {sentence(rng, 6)}."
            for _ in range(50)]  # fmt: skip
    known = NearDuplicates.of(enumerate(rows), signs=False)
    edited = [EDITS[name](row) for row in rows]
    assert not {*edited} & {*rows}
    assert [known.find(row) for row in edited] == list(range(50))
    assert known.find(f"{sentence(rng, 8)}, {sentence(rng, 4)} of 17 numbers. Then, a.") is None


def test_bare_sums_are_told_apart_by_their_numbers() -> None:
    known = NearDuplicates.of([(0, "What is 12 + 5?\n17")], signs=False)
    assert known.find("What is 31 + 8?\n39") is None
    assert known.find("What is 12 + 5?\n17!") == 0
    assert NearDuplicates.of([(0, "?!"), (1, "+ -")], signs=False).find("+ -") == 1


def test_a_sentence_without_spaces_is_more_than_one_word() -> None:
    chinese = (
        "退回商品之前请先把标签贴在盒子上然后把盒子交给柜台的工作人员并保留收据直到退款到账为止"
    )
    thai = "ก่อนส่งสินค้าคืนให้ติดฉลากบนกล่องแล้วนำกล่องไปส่งที่เคาน์เตอร์และเก็บใบเสร็จไว้จนกว่าจะได้รับเงินคืน"
    japanese = "商品を返品する前にラベルを箱に貼り、箱を窓口の係員に渡し、返金まで領収書を保管する"
    for text in (chinese, thai, japanese):
        edited = text[:20] + text[21:]
        other = text[len(text) // 2 :] + chinese[::-1]
        assert first_of([(0, text), (1, edited), (2, other)]) == {1: 0}
        known = NearDuplicates.of([(0, text)], signs=False)
        assert (known.find(edited), known.find(other)) == (0, None)
    assert TOKEN.findall("GPU显卡 v2 ok") == ["GPU", "显", "卡", "v2", "ok"]


def test_revisions_of_a_long_document_are_near_duplicates() -> None:
    document = sentence(random.Random(0), 400)
    assert first_of([(0, f"{document} in 2019."), (1, f"{document} in 2021.")]) == {1: 0}


def test_rows_from_one_template_are_not_merged() -> None:
    """Else a data set with one long instruction would shrink to a single row."""
    rng = random.Random(0)
    instruction = sentence(rng, 200)
    rows = [f"{instruction} {sentence(rng, 4)}" for _ in range(100)]
    assert first_of(enumerate(rows)) == {}
    assert first_of(enumerate([*rows, rows[3].upper()])) == {100: 3}
    known = NearDuplicates.of((row, text) for row, text in enumerate(rows))
    assert known.find(f"{instruction} {sentence(rng, 4)}") is None
    assert known.find(rows[5]) == 5


def test_copies_are_found_among_rows_from_many_templates() -> None:
    """Rows half alike crowd the buckets: copies share others."""
    rng = random.Random(0)
    templates = [sentence(rng, 60) for _ in range(20)]
    rows = [f"{templates[i % 20]} {sentence(rng, 20)}" for i in range(2_000)]
    copies = [f"{row} indeed" for row in rows[-100:]]
    found = first_of(enumerate([*rows, *copies]))
    assert found == {2_000 + i: 1_900 + i for i in range(100)}


def test_likeness_does_not_chain() -> None:
    words = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(100)]
    rows = [" ".join(words[shift : shift + 60]) for shift in (0, 6, 12)]
    assert jaccard(rows[0], rows[1]) >= 0.8 > jaccard(rows[0], rows[2])
    assert first_of(enumerate(rows)) == {1: 0}


def test_long_rows_are_compared_as_a_whole() -> None:
    rng = random.Random(0)
    words = [rng.choice(WORDS) for _ in range(5_000)]
    edited = list(words)
    for at in range(0, len(edited), 200):
        edited[at] = "other"
    half = [*words[: len(words) // 2], *sentence(rng, len(words) // 2).split()]
    rows = [" ".join(row) for row in (words, edited, half)]
    assert first_of(enumerate(rows)) == {1: 0}


def test_few_pairs_above_the_threshold_are_missed_and_none_below_is_found() -> None:
    rng = random.Random(0)
    similar = found = 0
    for _ in range(300):
        row = sentence(rng, 60)
        other = row.split()
        for at in rng.sample(range(60), rng.randint(0, 4)):
            other[at] = "other"
        merged = bool(first_of([(0, row), (1, " ".join(other))]))
        alike = jaccard(row, " ".join(other)) >= 0.8
        assert alike or not merged
        similar, found = similar + alike, found + merged
    assert similar > 100
    assert found >= 0.97 * similar


def test_rows_of_very_few_words() -> None:
    rows = ["", " ", "yes", "Yes", "no", "yes .", "?", "? ", "a b", "b a"]
    assert first_of(enumerate(rows)) == {1: 0, 3: 2, 7: 6}


@given(st.lists(texts, max_size=12))
def test_every_copy_is_found_and_points_to_a_first_of_its_kind(rows: list[str]) -> None:
    found = first_of(enumerate([*rows, *rows]))
    assert all(row in found for row in range(len(rows), 2 * len(rows)))
    assert all(first < row and first not in found for row, first in found.items())
    assert found == first_of(enumerate([*rows, *rows]))


@given(texts, texts)
def test_two_texts_are_alike_both_ways(one: str, other: str) -> None:
    assert bool(first_of([(0, one), (1, other)])) == bool(first_of([(0, other), (1, one)]))


def test_candidates_against_data_and_one_another() -> None:
    known = NearDuplicates()
    known.add("row 7", ROW)
    known.add("row 9", ROW)
    assert known.find(ROW.lower()) == "row 7"
    assert known.find("A candidate of another kind, about something else.") is None
    known.add("candidate 1", "A candidate of another kind, about something else.")
    assert known.find("a candidate  of another kind, about something else.") == "candidate 1"


def test_lone_surrogates_are_text_like_any_other() -> None:
    assert first_of(enumerate(["half \ud83d an emoji", "half \ud83d an emoji"])) == {1: 0}


def test_input_and_output_are_compared() -> None:
    sample = Sample(index=0, id="", system="You help.", input="Why?", output="Because.")
    assert text_of(sample) == "Why?\nBecause."
