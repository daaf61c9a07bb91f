"""Judging some rows in the other mode: the difference is found as it is, and paid for once."""

import json
import math
import random
from collections import Counter, defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from fake_server import Body, FakeServer
from judging import THREE, asked_ids, scorer_of

from goalcover.memory.records import Agreement
from goalcover.memory.store import Store
from goalcover.tools.audit import audit
from goalcover.tools.chat_model import ChatModel
from goalcover.tools.datasets import DataSource, Table, load
from goalcover.tools.judge import Mode
from goalcover.tools.scorer import ignore

ANCHORS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
COUNT = 40


@pytest.fixture
def table(tmp_path: Path) -> Table:
    rows = [{"prompt": f"question {i}", "completion": f"answer {i}"} for i in range(COUNT)]
    rows[7]["completion"] = " "  # has no output
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return load(DataSource(path=str(path)), tmp_path / "datasets")


def row_of(body: Body) -> int:
    return int(body["messages"][1]["content"].split("\nanswer ")[1].split("\n")[0])


def value(row: int, name: str, mode: Mode) -> float:
    return random.Random(f"{row} {name} {mode}").choice(ANCHORS)


def answer(body: Body) -> dict[str, Any]:
    names = asked_ids(body)
    mode: Mode = "joint" if len(names) > 1 else "pairwise"
    found = [
        {"id": name, "explanation": "", "score": value(row_of(body), name, mode)} for name in names
    ]
    return {"judgements": found}


async def audited(
    server: FakeServer, store: Store, table: Table, mode: Mode = "joint", **options: Any
) -> list[Agreement]:
    """Judges the table in one mode, and audits it in the other."""
    model = ChatModel("m", server.base_url)
    try:
        scorer = scorer_of(model, store, mode=mode)
        other = scorer_of(model, store, mode="pairwise" if mode == "joint" else "joint")
        await scorer.score("run", table, len(table), THREE)
        given: dict[str, Any] = {"share": 0.5, "seed": 1, "on_progress": ignore}
        given["among"] = range(len(table))
        return await audit(scorer, other, store, "run", table, THREE, **(given | options))
    finally:
        await model.aclose()


def pairwise_rows(server: FakeServer) -> set[int]:
    return {row_of(body) for body in server.requests if len(asked_ids(body)) == 1}


@pytest.mark.parametrize("mode", ["joint", "pairwise"])
async def test_the_difference_is_pairwise_minus_joint(
    mode: Mode, store: Store, table: Table
) -> None:
    with FakeServer(answer) as server:
        found = await audited(server, store, table, mode, share=1.0)
    assert [agreement.subgoal_id for agreement in found] == [subgoal.id for subgoal in THREE]
    rows = [row for row in range(COUNT) if row != 7]
    for agreement in found:
        joint = [value(row, agreement.subgoal_id, "joint") for row in rows]
        pairwise = [value(row, agreement.subgoal_id, "pairwise") for row in rows]
        differences = [p - j for p, j in zip(pairwise, joint, strict=True)]
        by_chance = fmean((p - j) ** 2 for p in pairwise for j in joint)
        assert agreement.rows == len(rows)
        assert agreement.shift == pytest.approx(fmean(differences))
        assert agreement.error == pytest.approx(fmean(map(abs, differences)))
        kappa = 1 - fmean(d * d for d in differences) / by_chance
        assert agreement.kappa == pytest.approx(kappa)
        assert agreement.shift_interval and agreement.shift is not None
        assert agreement.shift_interval[0] < agreement.shift < agreement.shift_interval[1]


@pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
async def test_the_sample_is_seeded_and_of_the_asked_share(
    share: float, store: Store, table: Table, tmp_path: Path
) -> None:
    drawn = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        with FakeServer(answer) as server:
            other = Store(tmp_path / f"{name}.db")
            await audited(server, other, table, share=share, seed=seed)
            other.close()
        drawn.append(pairwise_rows(server))
    picked = math.ceil(share * COUNT)
    assert all(len(rows) in (picked, picked - 1) for rows in drawn)  # row 7 has no output
    assert drawn[0] == drawn[1]
    assert share == 1.0 or drawn[0] != drawn[2]


async def test_nothing_is_judged_twice(store: Store, table: Table) -> None:
    with FakeServer(answer) as server:
        first = await audited(server, store, table)
        calls = server.calls
        assert calls == COUNT - 1 + len(THREE) * len(pairwise_rows(server))
        assert await audited(server, store, table) == first
        assert server.calls == calls
        await audited(server, store, table, share=1.0)  # only what is new
        assert server.calls == (COUNT - 1) * (1 + len(THREE))


async def test_prompts_share_what_comes_first(store: Store, table: Table) -> None:
    """What the next call repeats: of one row all but the capability, and of one call the row."""
    with FakeServer(answer) as server:
        await audited(server, store, table, share=1.0)
    prompts: dict[bool, dict[int, list[str]]] = {True: defaultdict(list), False: defaultdict(list)}
    for body in server.requests:
        system, user = (message["content"] for message in body["messages"])
        prompts[len(asked_ids(body)) == 1][row_of(body)].append(f"{system}\n\n{user}")
    pairwise, joint = prompts[True], prompts[False]
    assert pairwise.keys() == joint.keys() == {*range(COUNT)} - {7}
    for row, texts in pairwise.items():
        assert len(texts) == len(THREE)
        ((shared, times),) = Counter(text.partition("Capabilities:")[0] for text in texts).items()
        assert times == len(THREE) and f"\nanswer {row}\n" in shared
    assert all(len(texts) == 1 for texts in joint.values())
    assert len({text.partition("<<<INPUT")[0] for (text,) in joint.values()}) == 1
    assert all(
        "- referral: Referral." in text.partition("<<<INPUT")[0] for (text,) in joint.values()
    )


async def test_without_a_pair_there_is_no_agreement(store: Store, table: Table) -> None:
    def fails_for_risks(body: Body) -> dict[str, Any]:
        names = [name for name in asked_ids(body) if name != "risks"]
        return {"judgements": [{"id": name, "explanation": "", "score": 1} for name in names]}

    with FakeServer(fails_for_risks) as server:
        found = await audited(server, store, table)
    assert [(a.rows > 0, a.shift, a.error, a.kappa) for a in found] == [
        (True, 0, 0, None),
        (False, None, None, None),
        (True, 0, 0, None),
    ]
