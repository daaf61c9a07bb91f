"""The packaged encoder beside the plain one: rates, faithfulness, and what the judge adds.

Rates are ratios of turns taken one after the other in one run, because machines are shared:
`PYTHONPATH=tests python -m bench.encoder`
"""

import asyncio
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from scipy.stats import rankdata

from goalcover.memory.records import Sample, Subgoal
from goalcover.memory.store import Store
from goalcover.tools.embedded_model import EmbeddedModel
from goalcover.tools.embeddings import Embedder, packaged, sentence_transformer
from goalcover.tools.judge import JudgeAsk
from goalcover.tools.model import Door
from goalcover.tools.onnx_encoder import opened
from goalcover.tools.scorer import Scorer
from goalcover.tools.text import passages

EXAMPLE = Path(__file__).parents[2] / "examples" / "clinical_qa.jsonl"

SUBGOALS = [
    Subgoal(id=name.lower().replace(" ", "_"), name=name, description=description)
    for name, description in {
        "Medication advice": "States doses, interactions and side effects of medicines.",
        "Patient safety": "Warns about risks and says when to seek urgent care.",
        "Heart disease": "Answers questions about the heart, blood pressure and circulation.",
        "Plain language": "Explains medical terms in words that a patient understands.",
    }.items()
]


def example_rows() -> list[Sample]:
    """The rows of the example."""
    rows = []
    for index, line in enumerate(EXAMPLE.read_text().splitlines()):
        turns = {turn["role"]: turn["content"] for turn in json.loads(line)["messages"]}
        row = {"input": turns["user"], "output": turns["assistant"]}
        rows.append(Sample(index=index, id=str(index), **row))
    return rows


def texts_of(rows: Sequence[Sample]) -> list[str]:
    """What the judge has encoded for these rows, without the subgoals."""
    found = [p for row in rows for side in (row.input, row.output) for p in passages(side)]
    return list(dict.fromkeys(found))


class _Plain(Embedder):
    """The published weights on PyTorch in fp32, behind the same door."""

    def __init__(self) -> None:
        super().__init__()
        self.exact = sentence_transformer(str(packaged()))

    async def encode(self, texts: Sequence[str]) -> np.ndarray:
        return self.exact([text or " " for text in texts])


def long_texts(texts: Sequence[str]) -> list[str]:
    """The texts joined, ten at a time: about as many tokens as are read of a text."""
    return [" ".join(texts[start : start + 10]) for start in range(0, len(texts), 10)]


def measure(
    rows: Sequence[Sample] = (), subgoals: Sequence[Subgoal] = SUBGOALS, rounds: int = 5
) -> dict[str, float]:
    """Medians of `rounds` turns. `rows` are those of the example where none are given.

    texts_per_second, plain_texts_per_second: of the packaged encoder, and of PyTorch in fp32.
    ratio: of the two; long_ratio: the same for long texts. spearman: of the similarities between
    texts and subgoals with fp32. same_anchors: share of (row, subgoal) pairs. judge_ratio: time of
    a whole scoring by that of encoding the same texts.
    """
    rows = list(rows) or example_rows()
    return asyncio.run(_measure(rows, list(subgoals), rounds))


async def _measure(rows: list[Sample], subgoals: list[Subgoal], rounds: int) -> dict[str, float]:
    texts = texts_of(rows)
    aims = [text for subgoal in subgoals for text in (subgoal.name, subgoal.description)]
    plain, ours = _Plain(), Embedder()
    exact, near = [await e.encode(texts) @ (await e.encode(aims)).T for e in (plain, ours)]
    anchors = [await _anchors(rows, subgoals, embedder) for embedder in (plain, ours)]
    encode, all_texts, long = opened(packaged()).encode, [*texts, *aims], long_texts(texts)
    runs: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        runs["plain"].append(_seconds(lambda: plain.exact(all_texts)))
        runs["ours"].append(_seconds(lambda: encode(all_texts)))
        runs["plain long"].append(_seconds(lambda: plain.exact(long)))
        runs["ours long"].append(_seconds(lambda: encode(long)))
        fresh = await _fresh()
        start = time.perf_counter()
        await _score(rows, subgoals, fresh)
        runs["judge"].append(time.perf_counter() - start)
    slow, quick, slow_long, quick_long, whole = [median(seconds) for seconds in runs.values()]
    found = {
        "plain_texts_per_second": len(all_texts) / slow,
        "texts_per_second": len(all_texts) / quick,
        "ratio": slow / quick,
        "long_ratio": slow_long / quick_long,
        "spearman": _spearman(exact.ravel(), near.ravel()),
        "same_anchors": float(np.mean(np.equal(anchors[0], anchors[1]))),
        "judge_ratio": whole / quick,
    }
    return {name: round(value, 4) for name, value in found.items()}


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


async def _fresh() -> Embedder:
    """An embedder that is loaded and remembers nothing of the rows."""
    embedder = Embedder()
    await embedder.encode(["warm"])
    return embedder


async def _anchors(
    rows: Sequence[Sample], subgoals: Sequence[Subgoal], embedder: Embedder
) -> list[float]:
    found = []
    for row in rows:
        ask = JudgeAsk(
            system=row.system,
            input=row.input,
            output=row.output,
            subgoals=tuple(subgoals),
            order=tuple(subgoal.id for subgoal in subgoals),
        )
        found += [judgement.score for judgement in (await ask.embedded(embedder)).judgements]
    return found


async def _score(rows: list[Sample], subgoals: list[Subgoal], embedder: Embedder) -> None:
    """One whole scoring into a store of its own."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store.db")
        scorer = Scorer(Door(EmbeddedModel(embedder), store, "bench"), store)
        await scorer.score("bench", rows, len(rows), subgoals)
        store.close()


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:24} {value:,}")
