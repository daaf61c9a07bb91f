"""The embedded judge's match: contrast with what is general, and what an output states."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.agents.gap_names import not_mentioned
from goalcover.memory.records import Subgoal
from goalcover.tools.contrast import GENERAL, NEAREST, spread, to_general
from goalcover.tools.embedded_judge import CUTS, UNNAMED, explain, matches_of
from goalcover.tools.embeddings import Embedder
from goalcover.tools.kinds import kind_of

HEART = Subgoal(id="heart", name="Heart disease", description="Answers questions on the heart.")
PRICES = Subgoal(id="prices", name="Prices", description="States amounts of money in figures.")
EXPECTING = Subgoal(id="p", name="Pregnancy", description="Answers questions on pregnancy.")
QUESTION = "Which drug lowers the pressure?"
ANSWER = "Ramipril lowers blood pressure after a myocardial infarction."


async def test_a_match_does_not_depend_on_what_else_is_asked(embedder: Embedder):
    together = await matches_of(embedder, QUESTION, ANSWER, [PRICES, HEART])
    alone = [(await matches_of(embedder, QUESTION, ANSWER, [own]))[0] for own in (PRICES, HEART)]
    for one, other in zip(together, alone, strict=True):
        assert (one.score, one.near, one.passage) == (other.score, other.near, other.passage)
        assert one.topic == pytest.approx(other.topic, abs=1e-4)
    assert await matches_of(embedder, QUESTION, ANSWER, []) == []


async def test_words_count_that_are_near_and_not_the_same(embedder: Embedder):
    (match,) = await matches_of(embedder, "Is it safe while pregnant?", "Yes.", [EXPECTING])
    assert "pregnancy" in match.found and match.near[0] == "pregnant"
    (heart, prices) = await matches_of(embedder, QUESTION, ANSWER, [HEART, PRICES])
    assert "myocardial" in heart.near and heart.topic > prices.topic + 1


async def test_a_row_without_any_of_the_words_is_weak_at_most(embedder: Embedder):
    feeding = Subgoal(id="f", name="Breastfeeding", description="Advises on breastfeeding.")
    text = "How do I give my baby milk from the bottle, and how often should the mother do so?"
    (match,) = await matches_of(embedder, text, text, [feeding])
    assert not match.found and match.topic > CUTS[2] and match.score == UNNAMED
    (named,) = await matches_of(embedder, text, f"{text} Breastfeeding too.", [feeding])
    assert named.score > UNNAMED


async def test_a_form_that_is_asked_for_is_looked_for_in_the_output(embedder: Embedder):
    said, unsaid = [
        (await matches_of(embedder, "What does it cost, $5?", answer, [PRICES]))[0]
        for answer in ("It costs $5, with a fee of $2 and $1 of tax.", "It costs little.")
    ]
    assert said.evidence == 0.5 and unsaid.evidence == -0.5 and said.score > unsaid.score
    assert "Amounts of money in the output: 3 or more." in explain(said)
    assert "No amounts of money in the output." in explain(unsaid)
    (match,) = await matches_of(embedder, "Why?", ANSWER, [HEART])
    assert match.stated is None and match.evidence == 0


async def test_explanations_are_read_by_those_who_name_gaps(embedder: Embedder):
    (match,) = await matches_of(embedder, "What is a cat?", "A small animal.", [HEART])
    told = explain(match)
    assert match.score == 0 and set(not_mentioned(told)) == {"heart", "disease"}
    assert f"Nearest passage (similarity {match.similarity:.2f}, to general" in told
    assert kind_of(told, match.score) == "absent" and kind_of(told, 0.4) == "weak"


async def test_words_in_any_script_or_none_are_taken(embedder: Embedder):
    for text in ("心臓病の薬について教えてください。" * 40, "🙂 !!! 1 2 3", "a" * 90_000, "\ud800"):
        (match,) = await matches_of(embedder, text, text, [HEART])
        assert np.isfinite(match.topic) and explain(match)


@given(st.floats(0, 3), st.integers(0, 1_000))
def test_an_embedder_for_which_all_texts_are_alike_gives_the_same_match(shift: float, seed: int):
    """A part that all vectors share makes all cosines high; in units of the spread it is gone."""
    draw = np.random.default_rng(seed)
    plain = draw.normal(size=(12, 8))
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    alike = np.column_stack([plain, np.full(12, shift)]) / np.sqrt(1 + shift**2)

    def topic(vectors: np.ndarray) -> np.ndarray:
        aim, rows, general = vectors[:1], vectors[1:4], vectors[4:]
        return ((rows @ aim.T)[:, 0] - to_general(rows, general)) / spread(general)

    np.testing.assert_allclose(topic(alike), topic(plain), atol=2e-3)


def test_nearness_to_general_is_the_mean_of_the_nearest():
    general = np.eye(8)
    vector = np.array([[8.0, 7, 6, 5, 4, 3, 2, 1]])
    assert to_general(vector, general) == pytest.approx([np.mean([8, 7, 6, 5, 4])]) and NEAREST == 5
    assert spread(np.ones((3, 2))) > 0  # nothing told apart: no division by nothing
    assert len(set(GENERAL)) == len(GENERAL)
