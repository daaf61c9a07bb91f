"""Agreement with labels: the arithmetic, and the embedded judge on judged rows where they lie."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.memory.records import Subgoal
from goalcover.tools.agreement import agreement, agreements
from goalcover.tools.embeddings import Embedder
from goalcover.tools.judge import JudgeAsk
from goalcover.tools.rubric import ANCHORS

GOLD = Path(__file__).parents[3] / "shared" / "data" / "gold"
TOPICS = {"cardiology_expertise", "ml_libraries", "web_frameworks", "healthcare_terminology"}


@given(st.lists(st.sampled_from(ANCHORS), min_size=2, max_size=30))
def test_a_judge_agrees_with_itself(labels: list[float]) -> None:
    found = agreement("s", labels, labels)
    assert found.error == found.shift == 0 and found.rows == len(labels)
    if len(set(labels)) > 1:
        assert found.spearman == pytest.approx(1) and found.kappa == pytest.approx(1)
    else:
        assert found.spearman is None and found.kappa is None


def test_missing_pairs_are_left_out_and_the_sign_of_the_shift() -> None:
    found = agreement("s", [1.0, None, 0.4, 0.2], [0.8, 1.0, None, 0.0])
    assert found.rows == 2 and found.shift == pytest.approx(0.2)
    nothing = agreement("s", [None], [1.0])
    assert (nothing.rows, nothing.error, nothing.shift, nothing.kappa) == (0, None, None, None)


def test_opposite_orders_disagree() -> None:
    found = agreement("s", [0.0, 0.4, 1.0], [1.0, 0.4, 0.0])
    assert found.spearman == pytest.approx(-1) and found.kappa is not None and found.kappa < 0


@pytest.mark.skipif(not GOLD.exists(), reason="the judged rows are not part of the project")
@pytest.mark.parametrize("domain", ["medical", "code", "legal"])
async def test_the_embedded_judge_sees_topics(domain: str, embedder: Embedder) -> None:
    """Topics from 0.4 up, and 0.65 in the mean of a domain; no claim about skills, which it is
    honest about not seeing. docs/embedded-judge.md has the figures."""
    rows = [json.loads(line) for line in (GOLD / f"{domain}.jsonl").open(encoding="utf-8")]
    subgoals = tuple(map(Subgoal.model_validate, json.loads(
        (GOLD / f"{domain}.subgoals.json").read_text())))  # fmt: skip
    values = []
    for row in rows:
        ask = JudgeAsk(
            system="", input=row["input"], output=row["output"], subgoals=subgoals, order=()
        )
        judged = (await ask.embedded(embedder)).judgements
        values.append({j.id: j.score for j in judged})
    found = agreements(values, [row["scores"] for row in rows])
    ranks = [own.spearman or 0 for own in found if own.subgoal_id in TOPICS]
    assert min(ranks) > 0.4 and sum(ranks) / len(ranks) > 0.65, found
