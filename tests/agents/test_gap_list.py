"""The analyzer without clusters: one call lists the gaps of all explanations."""

from pathlib import Path
from typing import Any

import pytest

from goalcover.agents.analyzer import analyze
from goalcover.agents.applicability import RowKind, RowKinds, SortAsk
from goalcover.agents.assignment import AssignAsk, Assigned, Assignment
from goalcover.agents.gap_list import ListedGap, ListedGaps, ListGapsAsk
from goalcover.agents.gap_names import ClaimReply, QuoteReply
from goalcover.memory.errors import ReplyFailure
from goalcover.memory.records import Analysis, Gap, GapKind, LowRow, Subgoal
from goalcover.memory.store import Store
from goalcover.memory.vectors import VectorStore
from goalcover.tools.embeddings import Embedder
from goalcover.tools.model import Door, Model
from goalcover.tools.scripted_model import ScriptedModel

RISKS = Subgoal(id="risks", name="Side effects", description="Warns about side effects.")
SAID = {
    "dose": "The dose of the tablet is never stated.",
    "bus": "The departure of the bus is left out.",
    "rose": "The row is about pruning roses in spring.",
}
KIND: dict[str, GapKind] = {"dose": "weak", "bus": "weak", "rose": "absent"}
ORDER = ["dose", "bus", "rose"] * 4
KINDS = tuple[GapKind, ...](KIND[word] for word in ORDER)
ROWS = [
    LowRow(row=n, sample_id=f"id{n}", score=0.2, explanation=f"{SAID[word]} Case {n}.",
           topic=word, excerpt=f"excerpt {n}")
    for n, word in enumerate(ORDER)
]  # fmt: skip


def gap(word: str, row: int | None = None, **changes: Any) -> ListedGap:
    place = ORDER.index(word) if row is None else row
    claim = ClaimReply(text=f"{word}.", quotes=[QuoteReply(row=place, text=SAID[word])])
    return ListedGap(**{"name": f"No {word}", "claims": [claim], "kind": KIND[word], **changes})


def listed(*gaps: ListedGap) -> ListedGaps:
    return ListedGaps(gaps=list(gaps))


def scripted(reply: ListedGaps | Exception) -> ScriptedModel:
    def answer(ask: Any) -> Any:
        if isinstance(ask, SortAsk):
            calls = [(row.row, KIND[ORDER[row.row]] == "weak") for row in ask.rows]
            return RowKinds(rows=[RowKind(row=row, calls_for_it=own) for row, own in calls])
        if isinstance(ask, AssignAsk):
            ids = {own.name: own.id for own in ask.gaps}
            only = next(iter(ids.values())) if len(ids) == 1 else "none"
            chosen = [(row.row, ids.get(f"No {ORDER[row.row]}", only)) for row in ask.rows]
            return Assignment(rows=[Assigned(row=row, gap=own) for row, own in chosen])
        assert isinstance(ask, ListGapsAsk), "nothing else is asked"
        if isinstance(reply, Exception):
            raise reply
        return reply

    return ScriptedModel(analyzer=answer)


async def found(
    model: Model, store: Store, embedder: Embedder, folder: Path
) -> tuple[list[Gap], Analysis]:
    vectors = VectorStore(folder, embedder.version)
    door = Door(model, store, "run")
    return await analyze(
        door, vectors, embedder, RISKS, ROWS, len(ROWS), 0.5, seed=0, clustering=False
    )


async def test_the_listed_gaps_get_their_rows(
    store: Store, embedder: Embedder, tmp_path: Path
) -> None:
    model = scripted(listed(gap("bus"), gap("dose"), gap("rose")))
    gaps, analysis = await found(model, store, embedder, tmp_path)
    members = {own.name: [ORDER[row] for row in own.members] for own in gaps}
    assert members == {f"No {word}": [word] * 4 for word in SAID}
    assert {own.name: own.kind for own in gaps} == {f"No {w}": kind for w, kind in KIND.items()}
    assert all(own.origin == "scripted" and own.claims[0].quotes for own in gaps)
    assert (analysis.clusters, analysis.seeds) == (3, None)
    (ask,) = [ask for ask in model.asked if isinstance(ask, ListGapsAsk)]
    prompt = ask.messages()[1]["content"]
    assert all(row.explanation in prompt for row in ROWS), "all explanations, in one call"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (listed(gap("bus")), "a gap of the kind 'absent'"),
        (listed(), "a gap of the kind"),
        (listed(gap("rose"), gap("bus", row=0)), "does not hold the words"),
        (listed(gap("rose"), gap("bus"), gap("dose", claims=[])), "at least one claim"),
        (listed(gap("rose"), *[gap("bus")] * 10), "at most 10"),
    ],
)
def test_what_a_reply_must_hold(reply: ListedGaps, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ListGapsAsk(subgoal=RISKS, rows=tuple(ROWS), kinds=KINDS).check(reply)


async def test_without_a_usable_reply_rules_list_one_of_each_kind(
    store: Store, embedder: Embedder, tmp_path: Path
) -> None:
    gaps, _ = await found(scripted(ReplyFailure("no reply")), store, embedder, tmp_path)
    assert [(own.kind, own.rows) for own in gaps] == [("weak", 8), ("absent", 4)]
    assert all("no usable reply" in own.origin for own in gaps)


async def test_the_embedded_answer_is_one_gap_of_each_kind(embedder: Embedder) -> None:
    ask = ListGapsAsk(subgoal=RISKS, rows=tuple(ROWS), kinds=KINDS)
    reply = await ask.embedded(embedder)
    assert [own.kind for own in reply.gaps] == ["weak", "absent"], "the more frequent kind first"
    ask.check(reply)
