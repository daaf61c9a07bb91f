"""The passes of the passport over real HTTP: the judges see prompts alone."""

import json
import random
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answers import judged_row
from fake_server import FakeServer
from judging import asked_ids
from passports import FLIP, domain, holds, only

from goalcover.evals.passport import evaluation as passports
from goalcover.evals.passport.evaluation import Passport
from goalcover.evals.passport.retest import passes_of
from goalcover.memory.records import Spent
from goalcover.tools.settings import ModelConfig

ROWS, SUBGOALS = 36, 4
NAMES = [f"s{place}" for place in range(SUBGOALS)]


class Judges:
    """ "noisy" moves to a neighbouring anchor now and then; "first" gives what is asked for first
    0.2 more. Keeps what was said: (model, row, subgoals asked) → replies."""

    def __init__(self, labels: np.ndarray) -> None:
        self.labels = labels
        self.said: dict[tuple[str, int, str], list[dict[str, float]]] = defaultdict(list)

    def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        found = re.search(r"question (\d+)", judged_row(body))
        assert found
        row, ids, model = int(found.group(1)), asked_ids(body), body["model"]
        listed = re.findall(r"^- (s\d):", body["messages"][1]["content"], re.MULTILINE)
        assert sorted(listed) == sorted(ids)
        replies = self.said[model, row, f"{listed} {ids}"]
        values = {name: float(self.labels[row, NAMES.index(name)]) for name in ids}
        if model == "noisy":
            draw = random.Random(f"{row} {listed} {ids} {len(replies)}")
            for name, value in values.items():
                step = draw.choices([-0.2, 0, 0.2], [FLIP / 2, 1 - FLIP, FLIP / 2])[0]
                values[name] = round(min(1, max(0, value + step)), 1)
        elif len(ids) > 1:
            values[ids[0]] = round(values[ids[0]] + 0.2, 1)
        replies.append(values)
        return {"judgements": [{"id": name, "explanation": "so", "score": values[name]}
                               for name in ids]}  # fmt: skip


@pytest.fixture
def labelled(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A file of rows, and its labels: between 0.2 and 0.8, so that 0.2 more fits the scale."""
    labels = np.random.default_rng(5).integers(1, 5, (ROWS, SUBGOALS)) / 5
    own = domain(labels)
    path = tmp_path / "rows.jsonl"
    rows = [
        {"id": s.id, "input": s.input, "output": s.output,
         "scores": dict(zip(NAMES, row.tolist(), strict=True))}
        for s, row in zip(own.samples, labels, strict=True)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    subgoals = [s.model_dump(include={"id", "name", "description"}) for s in own.subgoals]
    (tmp_path / "rows.subgoals.json").write_text(json.dumps(subgoals))
    return path, labels


async def judge(server: FakeServer, path: Path, name: str, **options: Any) -> Passport:
    config = ModelConfig(judge=name, base_url=server.base_url)
    listen = options.pop("listen", lambda done, total, spent: None)
    found, _ = await passports.run(config, path, listen, [name], **options)
    return found


async def test_flips_are_those_of_real_new_calls(labelled: tuple[Path, np.ndarray]) -> None:
    path, labels = labelled
    with FakeServer(judges := Judges(labels)) as server:
        found = await judge(server, path, "noisy", order=False, pairwise=False)
        assert server.calls == 2 * ROWS and not server.errors
        repeated = [replies for replies in judges.said.values() if len(replies) == 2]
        assert len(repeated) == ROWS, "the very same prompt, twice"
        changed = [a[name] != b[name] for a, b in repeated for name in NAMES]
        flips = only(found, "noisy").figures["retest_changed"]
        assert flips.value == pytest.approx(np.mean(changed)) and flips.of == ROWS * SUBGOALS
        assert np.mean(changed) > 0.2
        again = await judge(server, path, "noisy", order=False, pairwise=False)
        assert server.calls == 2 * ROWS and again == found, "kept: nothing is paid for twice"
        await judge(server, path, "noisy", repeats=3, order=False, pairwise=False)
        assert server.calls == 3 * ROWS


async def test_what_is_asked_first_and_gets_more_is_caught(
    labelled: tuple[Path, np.ndarray],
) -> None:
    path, labels = labelled
    with FakeServer(Judges(labels)) as server:
        found = await judge(server, path, "first")
    shifts = found.judges[0].places
    assert shifts and shifts.first_asked.value == pytest.approx(0.2)
    assert shifts.first_asked.interval == pytest.approx((0.2, 0.2))
    assert sum(rate.value or 0 for rate in shifts.asked) == pytest.approx(0, abs=1e-9)
    assert shifts.first_listed.value == pytest.approx(0, abs=1e-9)
    whole = only(found, "first").figures
    assert whole["retest_changed"].value == 0 and found.judges[0].same is True
    beyond = whole["order_beyond"].interval
    assert beyond and beyond[0] > 0.2
    # Asked alone it gives no bonus: a quarter of the joint judgements has 0.2 more.
    assert whole["pairwise_shift"].value == pytest.approx(-0.2 / SUBGOALS)
    assert all(e.verdict == "use with care" for e in found.entries if e.subgoal)
    assert "asked first, it gives +0.20" in only(found, "first", "s0").reasons


async def test_noise_alone_is_no_order_effect(labelled: tuple[Path, np.ndarray]) -> None:
    path, labels = labelled
    with FakeServer(Judges(labels)) as server:
        found = await judge(server, path, "noisy", pairwise=False)
    assert holds(only(found, "noisy").figures["order_beyond"], 0)
    assert (only(found, "noisy").figures["order_changed"].value or 0) > 0.2


async def test_a_run_that_was_stopped_goes_on_where_it_was(
    labelled: tuple[Path, np.ndarray],
) -> None:
    path, labels = labelled
    seen: list[tuple[int, int]] = []

    def stop(done: int, total: int, spent: Spent) -> None:
        seen.append((done, total))
        if done > ROWS + 5:
            raise InterruptedError

    with FakeServer(Judges(labels)) as server:
        with pytest.raises(InterruptedError):
            await judge(server, path, "first", pairwise=False, listen=stop)
        assert ROWS < server.calls < 3 * ROWS
        await judge(server, path, "first", pairwise=False)
        assert server.calls == 3 * ROWS
    assert {total for _, total in seen} == {3 * ROWS}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_the_base_of_all_judges_comes_first() -> None:
    names = [made.name for made in passes_of(3, order=True, pairwise=True, seed=0)]
    assert names == ["base", "retest 2", "retest 3", "order", "pairwise"]
    assert [made.name for made in passes_of(1, False, False, 0)] == ["base"]
