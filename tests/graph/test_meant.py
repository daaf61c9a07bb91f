"""What a question about a run is taken to ask for."""

import pytest

from goalcover.graph.meant import Meant, meant, most_lacking
from goalcover.memory.records import Coverage, Subgoal
from goalcover.tools.coverage import coverage_of
from goalcover.tools.embeddings import Embedder

NAMES = {
    "dosing": ("Dosing of medicines", "States the dose of a medicine in mg."),
    "red.flags": ("Red flags", "Names signs that call for urgent care."),
    "lifestyle": ("Lifestyle advice", "Advises on diet, sleep and exercise."),
}


@pytest.fixture
def coverage() -> list[Coverage]:
    """Red flags lack most; nothing is known of lifestyle."""
    counts = {"dosing": {0.8: 3, 0.0: 7}, "red.flags": {0.8: 1, 0.0: 9}, "lifestyle": {None: 10}}
    subgoals = [Subgoal(id=k, name=name, description=text) for k, (name, text) in NAMES.items()]
    return [coverage_of(s, counts[s.id], 0.5, 5) for s in subgoals]


@pytest.mark.parametrize(
    ("question", "about", "kind", "ids"),
    [
        ("Show the worst rows for dosing", "", "lowest", ["dosing"]),
        ("the lowest rows of red.flags, please", "", "lowest", ["red.flags"]),
        ("Which rows are weakest on lifestyle advice and red flags?", "", "lowest",
         ["red.flags", "lifestyle"]),
        ("worst rows", "lifestyle", "lowest", ["lifestyle"]),
        ("why is this thin?", "dosing", "why", ["dosing"]),
        ("Why is dosing thin?", "lifestyle", "why", ["dosing"]),
        ("Why are there so few rows on warning signs for urgent care?", "", "why", ["red.flags"]),
        ("What is missing for lifestyle advice?", "", "why", ["lifestyle"]),
        ("Which rows show dosing?", "", "near", ["dosing"]),
        ("Which rows show this?", "dosing", "near", ["dosing"]),
        ("What is missing?", "lifestyle", "why", ["red.flags"]),
        ("Which rows tell of bicycles?", "dosing", "near", []),
        ("Why do rows tell of bicycles?", "dosing", "near", []),
        ("Which rows should I throw away?", "dosing", "useless", []),
        ("Which rows are of no use?", "", "useless", []),
        ("Which rows remove stains?", "", "near", []),
    ],
)  # fmt: skip
async def test_kind_and_subgoals_of_a_question(
    embedder: Embedder, coverage: list[Coverage], question: str, about: str, kind: str,
    ids: list[str],
) -> None:  # fmt: skip
    found = await meant(embedder, question, coverage, about)
    assert (found.kind, [s.id for s in found.subgoals], found.note) == (kind, ids, "")


async def test_a_question_without_a_subgoal_is_of_the_one_that_lacks_most(
    embedder: Embedder, coverage: list[Coverage]
) -> None:
    note = "No subgoal is named; “Red flags” lacks most."
    red_flags = most_lacking(coverage).subgoal
    assert red_flags.id == "red.flags", "what nothing is known of is not taken"
    for about in ("", "gone"):
        assert await meant(embedder, "Why is this thin?", coverage, about) == Meant(
            "why", [red_flags], note
        )
    assert most_lacking(coverage[2:]).subgoal.id == "lifestyle"
