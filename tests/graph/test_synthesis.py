"""The loop of generator and discriminator over real HTTP, with candidates of every kind."""

import json
import re
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from answers import Body, cells_of, group_of, prompt_of, schema_of
from answers import answer as usual
from fake_server import Behaviour, FakeServer
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.runtime import Runtime
from synthesising import DATA, EXEMPLARS, GAP, RETURNS, Roles, box_of, item, run_loop, text

from goalcover.agents import planner
from goalcover.agents.budget import most_calls
from goalcover.graph import gaps, nodes, synthetic_files
from goalcover.graph.state import State
from goalcover.graph.toolbox import Toolbox
from goalcover.memory.errors import ModelUnavailable
from goalcover.memory.records import Coverage, Goal, Specification, Subgoal, SynthesisOutcome
from goalcover.memory.store import Store
from goalcover.tools import chat_model
from goalcover.tools.datasets import DataSource, load
from goalcover.tools.embedded_model import EmbeddedModel
from goalcover.tools.order_effect import order_effect

PATTERN = [
    "good", "bad", "good", "copy of data", "twin", "exemplar", "good", "empty", "JSON", "leak",
    "weak", "good",
]  # fmt: skip


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_model, "FIRST_WAIT", 0.01)


async def looped(
    folder: Path, store: Store, server: FakeServer, rows: int, *seconds: Subgoal, **fields: Any
) -> SynthesisOutcome:
    with server:
        found = await run_loop(box_of(folder, store, server), item(rows, **fields), *seconds)
    assert not server.errors
    return found


def table(outcome: SynthesisOutcome) -> list[tuple[int, int, int, dict[str, int], int]]:
    return [
        (line.asked, line.written, line.accepted, {str(k): n for k, n in line.refused.items()},
         len(line.failed))
        for line in outcome.rounds
    ]  # fmt: skip


def calls_of(server: FakeServer) -> Counter[str]:
    return Counter(map(schema_of, server.requests))


async def test_exactly_n_rows_and_a_yield_table_that_adds_up(tmp_path: Path, store: Store) -> None:
    server = FakeServer(Roles(PATTERN))
    outcome = await looped(tmp_path, store, server, 10)
    good = (100, 102, 106, 200, 202, 206, 211, 212, 300, 302)
    assert [(c.input, c.output) for c in outcome.accepted] == [text(number) for number in good]
    once = {
        "another format": 1, "below the anchor": 1, "below the bar": 1, "copies an exemplar": 1,
        "empty": 1, "leaks the prompt": 1, "near-duplicate of another synthetic row": 1,
        "near-duplicate of the data": 1,
    }  # fmt: skip
    assert table(outcome) == [
        # Ten of the twelve kinds: neither "weak" nor the last "good" is among them.
        (10, 10, 3, {reason: 1 for reason in once if reason != "below the anchor"}, 0),
        # 7 missing at a yield of 3 in 10 would be 24: at most twice the missing is asked for.
        (14, 14, 5, once | {"below the bar": 2}, 0),
        # 2 missing at a yield of 8 in 24 would be 6: at most twice the missing.
        (4, 4, 2, {"below the bar": 1, "near-duplicate of the data": 1}, 0),
    ]
    assert outcome.note == ""
    assert {c.refused for c in outcome.accepted} == {None}
    assert len({c.id for c in (*outcome.accepted, *outcome.rejected)}) == 28
    calls = calls_of(server)
    # Judged 4, 8 and 3 candidates: a group, two and one, the first of the item twice.
    assert calls == {"WrittenRows": 2 + 3 + 1, "GroupVerdicts": 4 + 1}
    assert calls.total() <= most_calls(10, 6).calls


async def test_no_more_than_n_rows_and_the_best_of_them(tmp_path: Path, store: Store) -> None:
    roles = Roles(["bad", "good"], ["weak", "good", "good"], score_without_anchor)
    outcome = await looped(tmp_path, store, FakeServer(roles), 3)
    # 1 of 3 was good; of the 4 that are written for the 2 that are missing, 4 are good enough.
    assert [c.output for c in outcome.accepted] == [text(n)[1] for n in (101, 201, 202)]
    assert table(outcome)[1] == (4, 4, 2, {}, 0)
    spare = [c for c in outcome.rejected if not c.refused]
    assert [c.score for c in spare] == [0.6, 0.6]


def score_without_anchor(row: str, place: int) -> float:
    return 0.2 if "Nonsense" in row else 0.6 if "Hardly" in row else 0.8


async def test_a_target_out_of_reach_is_said_with_reasons(tmp_path: Path, store: Store) -> None:
    server = FakeServer(Roles(["bad", "empty"]))
    outcome = await looped(tmp_path, store, server, 4)
    assert outcome.accepted == []
    assert [line.asked for line in outcome.rounds] == [4, 8], "two rounds without any are enough"
    assert outcome.note == (
        "0 of 4 rows after 2 rounds (2 rounds in a row accepted nothing): 12 candidates for 12 "
        "asked for; refused: 6 below the bar and 6 empty."
    )


async def test_the_budget_is_kept_and_said(tmp_path: Path, store: Store) -> None:
    kinds = ["good", *["bad"] * 29]  # one good row a round
    server = FakeServer(Roles(kinds))
    outcome = await looped(tmp_path, store, server, 10)
    assert [line.asked for line in outcome.rounds] == [10, 18, 16, 6]
    assert len(outcome.accepted) == 4
    assert "(no more than 50 candidates are planned)" in outcome.note
    bound = most_calls(10, 6)
    calls = calls_of(server)
    assert calls["WrittenRows"] <= bound.writes
    assert calls["GroupVerdicts"] <= bound.groups + bound.repeats


async def test_rounds_are_bounded(tmp_path: Path, store: Store) -> None:
    with FakeServer(Roles(["good", "bad", "bad"])) as server:
        box = box_of(tmp_path, store, server, {"synthesis_rounds": 2})
        outcome = await run_loop(box, item(8))
    assert len(outcome.rounds) == 2 and "(no more than 2 rounds are planned)" in outcome.note
    assert len(outcome.accepted) == 3 + 4


async def test_calls_that_fail_are_counted_and_made_up_for(tmp_path: Path, store: Store) -> None:
    def behaviour(n: int, body: Body) -> Behaviour:
        prompt = prompt_of(body)
        if "(round 1, part 1)" in prompt:
            return Behaviour("truncate")
        if schema_of(body) == "WrittenRows" and n % 2:
            return Behaviour("status", status=500) if n < 4 else Behaviour()
        return Behaviour()

    server = FakeServer(Roles(["good"]), behaviour=behaviour)
    outcome = await looped(tmp_path, store, server, 12)
    assert len(outcome.accepted) == 12
    (first, second) = outcome.rounds
    assert (first.asked, first.written, first.accepted, len(first.failed)) == (12, 6, 6, 1)
    assert (second.asked, second.accepted) == (12, 6)
    assert "Round 1: 1 call without rows: invalid reply" in outcome.note


async def test_a_group_that_is_not_judged_accepts_nothing(tmp_path: Path, store: Store) -> None:
    def behaviour(n: int, body: Body) -> Behaviour:
        first = schema_of(body) == "GroupVerdicts" and text(103)[1] in prompt_of(body)
        return Behaviour("wrong_schema") if first else Behaviour()

    server = FakeServer(Roles(["good"]), behaviour=behaviour)
    outcome = await looped(tmp_path, store, server, 8)
    first, second = outcome.rounds
    assert (first.accepted, first.refused) == (4, {"not judged": 4})
    assert second.accepted == 4 and len(outcome.accepted) == 8


async def test_rows_without_a_cell_of_their_own_are_refused(tmp_path: Path, store: Store) -> None:
    server = FakeServer(Roles(["good", "no cell", "twice", "good"], ["good"]))
    outcome = await looped(tmp_path, store, server, 4)
    assert outcome.rounds[0].refused == {"another format": 2}
    assert len(outcome.accepted) == 4


async def test_rejected_rows_go_back_with_their_cell_and_the_reasons(
    tmp_path: Path, store: Store
) -> None:
    server = FakeServer(Roles(["good", "bad", "JSON", "good"], ["good"]))
    outcome = await looped(tmp_path, store, server, 4)
    first, second = (b for b in server.requests if schema_of(b) == "WrittenRows")
    prompt = prompt_of(second)
    told = "Scored 0.2; it and every dimension must reach 0.6. Shows a return."
    assert f"because: below the bar: {told}" in prompt
    assert "because: another format: It holds a row as JSON" in prompt
    assert "rejected before" not in prompt_of(first)
    assert f"- {text(100)[0]}" in prompt, "what is accepted is not written again"
    returned = {c.cell.model_dump_json() for c in outcome.rejected if c.round == 1}
    again = {c.cell.model_dump_json() for c in (*outcome.accepted, *outcome.rejected)
             if c.round == 2}  # fmt: skip
    assert returned <= again
    cells = [c.cell for c in outcome.accepted]
    assert all(cells.count(cell) == 1 for cell in cells), "six points are enough for four rows"


async def test_groups_hold_an_anchor_and_are_even(tmp_path: Path, store: Store) -> None:
    server = FakeServer(Roles(["good"]))
    await looped(tmp_path, store, server, 8)
    groups = [group_of(prompt_of(b)) for b in server.requests if schema_of(b) == "GroupVerdicts"]
    assert [len(group) for group in groups] == [5, 5, 5], "4 and 4, and the first again"
    assert all(sum(DATA[0][1] in row for _, row in group) == 1 for group in groups)


async def test_small_groups_are_filled_with_real_rows(tmp_path: Path, store: Store) -> None:
    server = FakeServer(Roles(["good"]))
    await looped(tmp_path, store, server, 1)
    first, again = (group_of(prompt_of(b)) for b in server.requests if len(b["messages"]) == 2
                    and schema_of(b) == "GroupVerdicts")  # fmt: skip
    assert len(first) == 4 and sum(row[1] in text for _, text in first for row in DATA) == 3
    assert [row for _, row in again] == [row for _, row in reversed(first)]


async def test_a_judge_that_looks_at_places_is_found_out(tmp_path: Path, store: Store) -> None:
    """The upper half of a group gets 0.8, the lower 0.4: every row of it flips."""
    roles = Roles(["good"], score=lambda row, place: 0.8 if place < 4 else 0.4)
    outcome = await looped(tmp_path, store, FakeServer(roles), 7)
    found = order_effect([outcome])
    (first, *_) = outcome.reordered
    assert len(first) == 7
    assert all(one.accepts[0] != one.accepts[1] for one in first)
    assert found.groups == 1 and found.flips == found.rows == 7
    assert found.difference == pytest.approx(0.4)
    assert found.interval and found.interval[0] > 0.6
    accepted = sum(one.accepts[0] for one in first)
    assert outcome.rounds[0].accepted == accepted, "the first order decides"


async def test_a_judge_that_reads_has_no_order_effect(tmp_path: Path, store: Store) -> None:
    outcome = await looped(tmp_path, store, FakeServer(Roles(["good", "bad", "bad"])), 14)
    found = order_effect([outcome])
    assert (found.flips, found.difference) == (0, 0.0)
    assert found.groups == len(outcome.reordered) == 2, "groups 1 and 5 of 7"


async def test_every_fourth_row_shows_a_second_subgoal(tmp_path: Path, store: Store) -> None:
    billing = Subgoal(id="billing", name="Billing", description="Explains a charge.")
    server = FakeServer(Roles(["good"]))
    outcome = await looped(tmp_path, store, server, 4, billing, also=["billing"])
    assert [c.cell.also for c in outcome.accepted] == ["", "", "", "billing"]
    assert outcome.accepted[3].explanations["second"] == "Fine."
    write, judge, _ = map(prompt_of, server.requests)
    assert write.count("second subgoal: Billing. Explains a charge.") == 1
    assert judge.count("Billing. Explains a charge.") == 1


async def test_the_same_again_asks_nothing(tmp_path: Path, store: Store) -> None:
    """As after a kill: every node starts again, every reply is in the store."""
    with FakeServer(Roles(PATTERN)) as server:
        first = await run_loop(box_of(tmp_path, store, server), item(10))
        calls = server.calls
        assert await run_loop(box_of(tmp_path, store, server), item(10)) == first
        assert server.calls == calls


async def written_by(box: Toolbox, kept: BaseCheckpointSaver | None = None) -> list[bytes]:
    """The outcome, and the bytes of both files."""
    outcome = await run_loop(box, item(6), kept=kept)
    files = synthetic_files.write({"synthesis": [outcome], "subgoals": [RETURNS]}, box)
    return [outcome.model_dump_json().encode(), *(path.read_bytes() for path in files.values())]


async def test_a_loop_that_was_killed_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    """Wherever the server dies: rows, rounds and provenance are the same, and what was answered
    before is not asked again."""

    def folder_of(name: str) -> Path:
        (tmp_path / name).mkdir()
        return tmp_path / name

    def answered(server: FakeServer, numbers: range) -> Counter[str]:
        return Counter(json.dumps(server.requests[n], sort_keys=True) for n in numbers)

    folder, store = folder_of("whole"), Store(tmp_path / "whole.db")
    with FakeServer(Roles(PATTERN)) as server, closing(store):
        box = box_of(folder, store, server, {"out": str(folder)})
        expected = await written_by(box)
        whole, port = answered(server, range(server.calls)), server.port
    assert b'"number":2' in expected[0] and len(expected) == 3 and whole.total() >= 5
    for dies in range(whole.total()):
        folder, store = folder_of(f"killed{dies}"), Store(tmp_path / f"killed{dies}.db")

        def behaviour(n: int, body: Body, dies: int = dies) -> Behaviour:
            return Behaviour("status", status=401) if n >= dies else Behaviour()

        kept = InMemorySaver()
        with closing(store):
            with FakeServer(Roles(PATTERN), behaviour=behaviour, port=port) as dying:
                box = box_of(folder, store, dying, {"out": str(folder)})
                with pytest.raises(ModelUnavailable):
                    await run_loop(box, item(6), kept=kept)
            with FakeServer(Roles(PATTERN), port=port) as server:
                box = box_of(folder, store, server, {"out": str(folder)})
                assert await written_by(box, kept) == expected
        again = answered(server, range(server.calls))
        assert answered(dying, range(dies)) + again == whole
        assert len(server.requests) == whole.total() - dies


async def test_an_empty_reply_is_a_barren_round_and_not_the_end(
    tmp_path: Path, store: Store
) -> None:
    roles = Roles(["good"])

    def answer(body: Body) -> Body:
        empty = schema_of(body) == "WrittenRows" and "(round 1," in prompt_of(body)
        return {"rows": []} if empty else roles(body)

    outcome = await looped(tmp_path, store, FakeServer(answer), 3)
    assert [(line.written, line.accepted) for line in outcome.rounds] == [(0, 0), (6, 3)]
    assert outcome.note == ""


async def test_a_model_that_never_writes_ends_by_its_barren_rounds(
    tmp_path: Path, store: Store
) -> None:
    outcome = await looped(tmp_path, store, FakeServer(lambda body: {"rows": []}), 3)
    assert len(outcome.rounds) == 2
    assert "(2 rounds in a row accepted nothing)" in outcome.note and "near" not in outcome.note


async def test_ids_of_the_user_s_rows_may_stand_in_rows(tmp_path: Path, store: Store) -> None:
    roles = Roles(["good"])

    def answer(body: Body) -> Body:
        reply = roles(body)
        for row in reply.get("rows", []):
            row["output"] += " It came during covid-19."
        return reply

    with FakeServer(answer) as server:
        box = box_of(
            tmp_path, store, server,
            as_row=lambda x, y: {"id": "covid-19", "prompt": x, "completion": y},
        )  # fmt: skip
        outcome = await run_loop(box, item(2))
    assert "id: covid-19" in prompt_of(server.requests[0])
    assert len(outcome.accepted) == 2 and not any(c.refused for c in outcome.rejected)


async def test_marks_do_not_hide_a_copy_of_the_data(tmp_path: Path, store: Store) -> None:
    server = FakeServer(Roles(["good", "dashed copy of data"], ["good"]))
    outcome = await looped(tmp_path, store, server, 2)
    assert outcome.rounds[0].refused == {"near-duplicate of the data": 1}


async def test_the_judge_is_told_what_counts(tmp_path: Path, store: Store) -> None:
    billing = Subgoal(
        id="billing", name="Billing", description="Explains a charge.", counts="A sum is named.",
        does_not_count="A bare price.",
    )  # fmt: skip
    server = FakeServer(Roles(["good"]))
    await looped(tmp_path, store, server, 4, billing, also=["billing"])
    judge = next(prompt_of(b) for b in server.requests if schema_of(b) == "GroupVerdicts")
    assert f"\n- returns: {RETURNS.text}\nSUBGOAL" in judge
    line = "Explains a charge. Counts: A sum is named. Does not count: A bare price."
    assert re.search(rf"<<<SECOND SUBGOAL OF row\d \w+\n- billing: Billing. {line}\n", judge)


async def test_the_cost_that_was_foretold_is_kept(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exemplars are long and stand behind short rows, and rows are written as long as they."""
    monkeypatch.setattr(planner, "count_tokens", lambda text, model: -(-len(text) // 4))
    monkeypatch.setattr(planner, "how_counted", lambda model: "estimated")
    long = {row: " ".join(text(5_000 + 100 * n + k)[1] for k in range(40))
            for n, row in enumerate(DATA[:EXEMPLARS])}  # fmt: skip
    roles = Roles(["good", *["bad"] * 29])

    def answer(body: Body) -> Body:
        reply = roles(body)
        for row in reply.get("rows", []):
            number = int(row["output"].rstrip(".").rpartition(" ")[2])
            row["output"] += " ".join(text(9_000 + 60 * number + k)[1] for k in range(40))
        return reply

    with FakeServer(answer) as server:
        box = box_of(
            tmp_path, store, server,
            as_row=lambda x, y: {"prompt": x, "completion": long.get((x, y), y)},
        )  # fmt: skip
        samples = [sample for sample in box.table if sample]
        best = [samples[row] for row, _ in box.best_rows(RETURNS, planner.EXEMPLARS)]
        free, short = EmbeddedModel(box.embedder), samples[EXEMPLARS:]
        plan, blind = (
            planner.foretell([item(10)], box.door.model, free, short, [], 1, 6, best=known)
            for known in ({"returns": best}, None)
        )
        outcome = await run_loop(box, item(10))
    assert len(outcome.rounds) == 4 and outcome.rejected[0].refused == "below the bar"
    assert blind.tokens_in < box.spent.tokens_in <= plan.tokens_in < 3 * box.spent.tokens_in
    assert box.spent.tokens_out <= plan.tokens_out and box.spent.calls <= plan.calls


async def test_rows_are_drawn_and_those_that_are_shown_are_priced(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    real = planner.foretell
    monkeypatch.setattr(planner, "foretell", lambda *args: given.append(args) or real(*args))
    monkeypatch.setattr(gaps, "PRICED", 6)
    lacking = Coverage(
        subgoal=RETURNS, mean=0.1, judged=24, distinct=24, wanted=10, verdict="thin", gap=True
    )
    with FakeServer(usual) as server:
        box = box_of(tmp_path, store, server, as_row=as_chat)
        state: State = {
            "coverage": [lacking],
            "gaps": [GAP],
            "subgoals": [RETURNS],
            "specification": Specification(goal=Goal(text="Help.")),
        }
        found = await gaps.recommend(state, Runtime(context=box))
        await box.aclose()
    assert found["plan"] and [one.subgoal_id for one in found["plan"].items] == ["returns"]
    (rows, best) = given[0][3], given[0][8]
    assert len(rows) == 6 and {s.index for s in rows} != set(range(6))
    assert [(s.input, s.output) for s in best["returns"]] == DATA[:EXEMPLARS]


async def test_passages_of_code_are_not_extracted(tmp_path: Path, store: Store) -> None:
    def as_code(question: str, reply: str) -> Body:
        return {"prompt": question, "completion": f"{reply}\n```python\nprint(1)\n```"}

    with FakeServer(Roles([])) as server:
        box = box_of(tmp_path, store, server, {"model": None, "base_url": None}, as_code)
        outcome = await run_loop(box, item(3))
    assert outcome.accepted == [] and len(outcome.rounds) == 1
    assert "extracted passages of code would not run" in outcome.note


async def test_the_calls_of_a_round_run_together(tmp_path: Path, store: Store) -> None:
    server = FakeServer(Roles(["good"]), latency=0.05)
    outcome = await looped(tmp_path, store, server, 18)
    assert server.in_flight_peak >= 3 and len(outcome.accepted) == 18


def as_chat(question: str, reply: str) -> Body:
    texts = (("system", "Be brief."), ("user", "Hello?"), ("assistant", "Hello, how can I help?"),
             ("user", question), ("assistant", reply))  # fmt: skip
    return {"messages": [{"role": role, "content": text} for role, text in texts]}


async def test_of_chats_the_last_turns_are_the_form(tmp_path: Path, store: Store) -> None:
    """A synthetic row is one question and one answer: no labels of turns in either."""
    with FakeServer(Roles(["good", "roles"])) as server:
        outcome = await run_loop(box_of(tmp_path, store, server, as_row=as_chat), item(2))
    write = prompt_of(server.requests[0])
    assert "<<<SYSTEM MESSAGE BEFORE EACH ROW" in write and "\nBe brief.\n" in write
    assert f"\n{DATA[0][0]}\n---\n{DATA[0][1]}\n" in write and "Hello" not in write
    assert outcome.rounds[0].refused == {"another format": 1}
    assert len(outcome.accepted) == 2


async def test_the_ledger_judges_the_rows_that_the_file_holds(tmp_path: Path, store: Store) -> None:
    """With the data's usual system message before them."""
    roles = Roles(["good"])

    def answer(body: Body) -> Body:
        return usual(body) if schema_of(body) == "Judgements" else roles(body)

    with FakeServer(answer) as server:
        outcome = await run_loop(box_of(tmp_path, store, server, as_row=as_chat), item(2))
        box = box_of(tmp_path, store, server, {"out": str(tmp_path)}, as_chat)
        before = Coverage(subgoal=RETURNS, mean=0.1, judged=24, gap=True)
        state: State = {"synthesis": [outcome], "coverage": [before], "subgoals": [RETURNS]}
        await nodes.ledger(state, Runtime(context=box))
        await box.aclose()
    files = synthetic_files.write(state, box)
    written = load(DataSource(path=str(files["synthetic"])), tmp_path / "cache")
    samples = [written.sample(row) for row in range(len(written))]
    assert [sample and sample.system for sample in samples] == ["Be brief."] * 2
    for sample in samples:
        assert sample and RETURNS.hash in store.scores.get(box.judge.judge, sample.hash)
    judged = [prompt_of(b) for b in server.requests if schema_of(b) == "Judgements"]
    assert len(judged) == 2 and all("<<<SYSTEM MESSAGE" in prompt for prompt in judged)


async def test_all_that_is_asked_for_is_fenced(tmp_path: Path, store: Store) -> None:
    server = FakeServer(Roles(["good"]))
    await looped(tmp_path, store, server, 2)
    write = prompt_of(server.requests[0])
    assert f"\n{RETURNS.name}. {RETURNS.description}\nSUBGOAL" in write
    assert len(cells_of(write)) == 2 and write.count("; difficulty: basic; persona: ") == 2
