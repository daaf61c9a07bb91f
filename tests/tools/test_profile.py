"""The profile of data under the default embedder and language detector."""

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goalcover.memory.records import DataProfile, Sample
from goalcover.memory.vectors import VectorStore
from goalcover.tools import profile as module
from goalcover.tools.datasets import DataSource, load
from goalcover.tools.embeddings import Embedder
from goalcover.tools.forms import forms_of
from goalcover.tools.languages import language
from goalcover.tools.oddities import oddity
from goalcover.tools.profile import lines, profile
from goalcover.tools.topics import find_topics

THINGS = [
    "statins",
    "aspirin",
    "a stent",
    "warfarin",
    "an ECG",
    "CPR",
    "beta blockers",
    "a pacemaker",
]
WHEN = ["after surgery", "in old age", "at night", "during pregnancy"]
HEART = [
    (
        f"When do cardiologists use {thing} {when}?",
        f"They use {thing} {when} for weak hearts. " * 10,
    )
    for thing in THINGS
    for when in WHEN
]


async def profiled(folder: Path, rows: list[Any], embedder: Embedder, seed: int = 0) -> DataProfile:
    """Of (input, output) pairs, or of whole rows."""
    whole = [r if isinstance(r, dict) else {"prompt": r[0], "completion": r[1]} for r in rows]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in whole))
    table = load(DataSource(path=str(folder / "rows.jsonl")), folder / "cache")
    vectors = VectorStore(folder, "e")
    topics = await find_topics(table, vectors, embedder, seed)
    return await profile(table, topics, vectors, embedder, seed)


def row(text_in: str, text_out: str) -> Sample:
    return Sample(index=0, id="", input=text_in, output=text_out)


async def test_rows_are_counted_and_measured(tmp_path, embedder):
    found = await profiled(tmp_path, [*HEART, ("no answer here", "")], embedder)
    assert (found.read, found.looked_at, found.embedded) == (33, 32, 32)
    assert found.format == "prompt/completion"
    low, middle, high = found.input_lengths
    assert min(len(q) for q, _ in HEART) <= low <= middle <= high <= max(len(q) for q, _ in HEART)
    assert found.languages == {"English": 1.0}
    assert sum(topic.share for topic in found.topics) == pytest.approx(1)
    assert {t.example.input for t in found.topics} <= {q for q, _ in HEART}
    assert "seed 0" in found.how and not found.odd and not found.forms


async def test_turns_and_system_messages(tmp_path, embedder):
    system, ask = {"role": "system", "content": "Be kind."}, {"role": "user", "content": "user: hi"}
    answer = {"role": "assistant", "content": "Hello."}
    chats = [[system, ask, answer], [ask, answer, {"role": "user", "content": "And?"}, answer]]
    found = await profiled(tmp_path, [{"messages": [*c]} for c in [*chats, *chats[:1]]], embedder)
    assert found.system == pytest.approx(2 / 3)
    assert found.multi_turn > 0
    plain = await profiled(tmp_path, [("user: hi\n\nuser: there", "Hello.")], embedder)
    assert plain.multi_turn == 0


async def test_languages_are_named_by_their_share(tmp_path, embedder):
    german = (
        "Wie kann ich meine Rechnung ändern?",
        "Sie finden sie im Kundenkonto unter Rechnungen.",
    )
    english = (
        "Where can I change my invoice?",
        "You will find it in your account, under invoices.",
    )
    found = await profiled(tmp_path, [english] * 3 + [german, ("x = 1", "y = 2")], embedder)
    assert found.languages == {"English": 0.75, "German": 0.25}
    assert list(found.languages) == ["English", "German"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("¿Dónde está mi factura? Está en su cuenta de cliente.", "Spanish"),
        ("Où est ma facture ? Elle est dans votre compte.", "French"),
        ("我的发票在哪里?它在您的账户里,请登录后查看所有的账单。", "Chinese"),
        ("Где мой счёт? Он в вашем аккаунте.", "Russian"),
        ("私の請求書はどこですか？あなたのアカウントにあります。", "Japanese"),
        ("मेरी फ़ाइल कहाँ है और मैं उसे कैसे खोल सकता हूँ? वह आपके खाते में है, कृपया लॉग इन करें।", "Hindi"),
        ("Why?", None),
        ("x1 = f(x2); y7 = g(x3); z9 = q(w)", None),
    ],
)
def test_a_language_is_named_or_left_out(text, name):
    assert language(row("", text), forms_of(text)) == name


def test_rare_languages_are_the_noise_of_the_detector():
    shares = module._named(Counter(English=199, Latin=1))
    assert shares == {"English": 0.995, "other": 0.005}


@pytest.mark.parametrize(
    ("output", "forms"),
    [
        ('{"a": [1, 2]}', ["JSON"]),
        ("[1, 2, 3]", ["JSON"]),
        ("[" * 100_000, []),
        ("Here you are:\n```python\nx = 1\n```\nIt sets x.", ["code"]),
        ("def f(x):\n    return x + 1", ["code"]),
        ("SELECT name FROM users WHERE id = 3;", ["code"]),
        ("SELECT * \nFROM users \nWHERE name LIKE '%a%'", ["code"]),
        ("<p>Hello</p>", ["code"]),
        ("Do this:\n- rest\n- drink water", ["list"]),
        ("1. Rest.\n2) Drink.", ["list"]),
        ("- only one", []),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |", ["table"]),
        ("If you feel unwell, return to the clinic.\nFor more, ask a nurse; we help.", []),
        ("Update your details from the app or set them by phone.", []),
        ("Select a chair from the shop.", []),
        ("", []),
    ],
)
def test_forms_of_outputs(output, forms):
    assert forms_of(output) == forms


async def test_copies_differ_in_case_space_and_punctuation_alone(tmp_path, embedder):
    rows = [
        ("What is a stent?", "A small tube."),
        ("what is  a STENT", "a small tube!"),
        ("How do I feel?", "👍"),
        ("How do I feel?", "👎"),
    ]
    found = await profiled(tmp_path, rows, embedder)
    assert found.copies == 1


async def test_near_duplicates_are_no_copies(tmp_path, embedder):
    question, answer = HEART[0]
    rows = [
        *HEART[:1],
        (question + " Tell me", answer),
        (question.upper(), answer),
        ("Bread?", "Yes."),
    ]
    found = await profiled(tmp_path, rows, embedder)
    assert (found.copies, found.near_duplicates) == (1, 1)


async def test_words_the_encoder_does_not_know_are_no_near_duplicates(tmp_path, embedder):
    rows = [("ගිණුම කොහෙද", "එය මෙහි ඇත"), ("පාන් හදන්නේ කෙසේද", "පිටි සහ ජලය")]
    vectors = await embedder.encode(["\n".join(r) for r in rows])
    assert vectors[0] @ vectors[1] > module.NEAR
    assert (await profiled(tmp_path, rows, embedder)).near_duplicates == 0


@pytest.mark.parametrize(
    ("text_in", "text_out", "reason"),
    [
        ("q?", " n/a.", "placeholder"),
        ("q?", "TODO", "placeholder"),
        ("q?", "<nooutput>", "placeholder"),
        ("q?", "As an AI language model, I cannot say.", "refusal"),
        ("q?", "I'm sorry, but I can't help with that.", "refusal"),
        ("q?", "It isnâ€™t so", "broken"),
        ("caf\ufffd?", "Yes", "broken"),
        ("", "Yes", "input"),
        ("q?", "...", "output"),
        ("Same  text", "Same text", "repeats"),
        ("How much is 5 + 3?", "8", None),
        ("q?", "Sorry seems to be the hardest word.", None),
        ("q?", "São Paulo, À bientôt, ÃO", None),
    ],
)
def test_a_row_that_is_odd_by_itself(text_in, text_out, reason):
    found = oddity(row(text_in, text_out))
    assert found is None if reason is None else found and reason in found


async def test_odd_rows_are_few_and_say_why(tmp_path, embedder):
    odd = {
        "placeholder": ("What of statins?", "N/A"),
        "an input of more than 2,000": ("Long " * 4_000, HEART[0][1]),
        "fewer": ("Is aspirin used?", "Yes it"),
        "unlike any other": (
            "Bake sourdough",
            "Knead the dough of rye flour and bake a loaf. " * 8,
        ),
    }
    found = await profiled(
        tmp_path, [*HEART * 2, *odd.values(), *[odd["placeholder"]] * 5], embedder
    )
    reasons = {r.row: r.reason for r in found.odd}
    for place, words in enumerate(odd, start=2 * len(HEART)):
        assert words in reasons[place]
    assert len(found.odd) <= 8 and [r.row for r in found.odd] == sorted(reasons)
    assert sum("placeholder" in reason for reason in reasons.values()) == 2
    assert "so in 6 rows" in reasons[2 * len(HEART)]


async def test_what_most_rows_show_is_not_odd(tmp_path, embedder):
    found = await profiled(tmp_path, [("", f"Answer {i}") for i in range(20)], embedder)
    assert found.odd == []


@pytest.mark.parametrize("rows", [[("q", "a")], [("q", "")]], ids=["one row", "no output"])
async def test_hardly_any_rows(tmp_path, embedder, rows):
    found = await profiled(tmp_path, rows, embedder)
    assert (found.read, found.near_duplicates, found.odd) == (1, 0, [])
    assert 6 <= len(lines(found)) <= 14


async def test_hostile_rows(tmp_path, embedder):
    rows = [
        ("a\u2028b", "c\u2029d"),
        ("\ud83d", "half \udc00"),
        ("👩\u200d👧", "🏳️\u200d🌈"),
        ("x" * 100_000, "y|" * 50_000),
        ("\x00\x1b[31m", "-" * 100_000),
        ("```" * 9_000, "Ã" * 20_000),
    ]
    found = await profiled(tmp_path, rows, embedder)
    assert found.looked_at == 6
    told = lines(found)
    assert 6 <= len(told) <= 14
    assert all(len(line.splitlines()) == 1 and len(line) < 700 for line in told)
    "\n".join(told).encode()


async def test_a_large_table_is_sampled_and_the_same_every_time(tmp_path, embedder, monkeypatch):
    monkeypatch.setattr(module, "LOOKED_AT", 10)
    first = await profiled(tmp_path, HEART, embedder, seed=1)
    assert first.looked_at == 10 and first.embedded == len(HEART)
    assert first == await profiled(tmp_path, HEART, embedder, seed=1)
    assert first != await profiled(tmp_path, HEART, embedder, seed=2)


async def test_lines_count_rows_from_one(tmp_path, embedder):
    found = await profiled(tmp_path, [("q?", "N/A"), *HEART], embedder)
    told = lines(found)
    assert told[0] == "33 rows of prompt/completion; 33 looked at, 33 embedded"
    assert "Languages: English 100 %" in told
    assert any(line.startswith("Odd: row 1: the output is a placeholder") for line in told)


class Quick(Embedder):
    """Random directions: what a text means is not tested with it."""

    async def encode(self, texts):
        vectors = np.array([np.random.default_rng(len(t)).normal(size=8) for t in texts])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@settings(max_examples=15)
@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), min_size=1, max_size=12))
async def test_any_rows_have_a_profile(rows):
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        found = await profiled(Path(folder), rows, Quick())
    shares = [found.system, found.multi_turn, *found.languages.values(), *found.forms.values()]
    assert all(0 <= share <= 1 for share in [*shares, *(t.share for t in found.topics)])
    assert found.copies + found.near_duplicates <= found.looked_at <= found.read == len(rows)
    assert len(found.odd) <= 8
    assert 6 <= len(lines(found)) <= 14


@given(st.text(), st.text())
def test_any_text_has_its_forms_and_its_oddity(text_in, text_out):
    text = text_out.encode("utf-8", "replace").decode()
    assert set(forms_of(text)) <= {"JSON", "code", "list", "table"}
    language(row(text_in, text), forms_of(text))
    assert oddity(row(text_in, text)) is None or oddity(row(text_in, text))
