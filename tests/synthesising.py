"""A loop of generator and discriminator on its own: data, scores, and a server that misbehaves."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from answers import Body, cells_of, group_of, prompt_of, schema_of, verdict
from fake_server import FakeServer
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver

from goalcover.graph.state import SynthesisState
from goalcover.graph.synthesis import synthesis_graph
from goalcover.graph.toolbox import Toolbox
from goalcover.memory.records import (
    Claim,
    Gap,
    Goal,
    Grid,
    PlanItem,
    Score,
    Specification,
    Subgoal,
    SynthesisOutcome,
)
from goalcover.memory.store import Store
from goalcover.tools.datasets import DataSource
from goalcover.tools.settings import RunConfig

RETURNS = Subgoal(id="returns", name="Returns", description="Says how to send goods back.")
GAP = Gap(
    id="returns-gap1",
    subgoal_id="returns",
    kind="weak",
    name="No labels",
    claims=[Claim(text="The rows never say where the printed label has to be put.", quotes=[])],
    prevalence=1.0,
    interval=(0.5, 1.0),
    shortfall=1.0,
    rows=4,
    analysed=4,
    low=4,
)
_WORDS = """
lamp kettle jacket novel tent radio carpet guitar saddle whip ladder mirror violin blender helmet
kayak curtain telescope wallet anchor basket candle drill easel freezer globe hammer iron jug kite
lantern magnet necklace oven pillow quilt razor scarf toaster umbrella vase wagon xylophone yarn
zipper apron bicycle camera desk earring
"""


def text(number: int) -> tuple[str, str]:
    """A row unlike that of any other number."""
    a, b, c, d, e = random.Random(number).sample(_WORDS.split(), 5)
    return (
        f"The {a} I bought near the {b} came with a broken {c}, can I send it back?",
        f"Pack the {a} with its {c}, leave out the {d}, and give it to the {e} counter {number}.",
    )


DATA = [text(1000 + number) for number in range(24)]
EXEMPLARS = 4
"""The first rows of the data, which support the subgoal."""

Kind = str


def item(rows: int, **fields: Any) -> PlanItem:
    grid = Grid(scenarios=["a", "b"], difficulties=["basic"], personas=["x", "y", "z"])
    return PlanItem(gap_id=GAP.id, subgoal_id="returns", rows=rows, grid=grid, **fields)


def written(turn: int, place: int, kind: Kind) -> Body:
    """What the generator answers for a cell: `place` from 0 in the round."""
    question, reply = text(100 * turn + place)
    texts = {
        "bad": (question, f"Nonsense: {reply}"),
        "weak": (question, f"Hardly: {reply}"),
        "copy of data": (DATA[10][0], DATA[10][1].upper()),
        "dashed copy of data": (DATA[15][0], "- " + DATA[15][1].replace(", ", " - ")),
        "twin": text(100 * turn),
        "exemplar": (question, DATA[1][1]),
        "empty": (question, " "),
        "JSON": (question, json.dumps({"input": question, "output": reply})),
        "roles": (question, f"User: {question}\nAssistant: {reply}"),
        "mark": (question, f"{reply} <<<EXEMPLAR 0123456789abcdef"),
        "leak": (question, f"{reply} {GAP.claims[0].text}"),
    }
    question, reply = texts.get(kind, (question, reply))
    return {"input": question, "output": reply, "source_ids": []}


class Roles:
    """Answers of generator and discriminator, as a server gives them.

    kinds: what the rows of a round are, repeated as often as needed; later: from the second round
    on. score: of a row, by its text and its place in the group (from 0).
    """

    def __init__(
        self,
        kinds: list[Kind],
        later: list[Kind] | None = None,
        score: Callable[[str, int], float] | None = None,
    ) -> None:
        self.kinds = kinds
        self.later = later or kinds
        self.score = score or score_of

    def __call__(self, body: Body) -> Body:
        prompt = prompt_of(body)
        if schema_of(body) == "GroupVerdicts":
            rows = enumerate(group_of(prompt))
            return {"verdicts": [verdict(n, self.score(t, place)) for place, (n, t) in rows]}
        found = re.search(r"\(round (\d+), part", prompt)
        assert found
        turn = int(found.group(1))
        kinds = self.kinds if turn == 1 else self.later
        cells = cells_of(prompt)
        rows = []
        for cell in cells:
            place = int(cell.rpartition("-")[2]) - 1
            kind = kinds[place % len(kinds)]
            name = {"no cell": "plan-cell-99", "twice": cells[0]}.get(kind, cell)
            rows.append({"cell_id": name, **written(turn, place, kind)})
        return {"rows": rows}


def score_of(row: str, place: int) -> float:
    if "Nonsense" in row:
        return 0.2
    return 0.6 if "Hardly" in row else 1.0


def box_of(
    folder: Path,
    store: Store,
    server: FakeServer,
    config: dict[str, Any] | None = None,
    as_row: Callable[[str, str], Body] = lambda x, y: {"prompt": x, "completion": y},
) -> Toolbox:
    """A toolbox whose rows are judged already; the first EXEMPLARS support the subgoal."""
    data = folder / "data.jsonl"
    data.write_text("".join(json.dumps(as_row(x, y)) + "\n" for x, y in DATA))
    made = RunConfig(
        source=DataSource(path=str(data)),
        goal=Goal(text="Help."),
        **{"model": "writer", "base_url": server.base_url, **(config or {})},
    )
    box = Toolbox("run", made, folder, store)
    for sample in box.table:
        assert sample
        store.scores.join("run", [sample])
        value = 1.0 if sample.index < EXEMPLARS else 0.4 if sample.index < 12 else 0.0
        score = {RETURNS.hash: Score(value=value, explanation="So so.")}
        store.scores.put(box.judge.judge, sample.hash, score)
    return box


async def run_loop(
    box: Toolbox, planned: PlanItem, *seconds: Subgoal, kept: BaseCheckpointSaver | None = None
) -> SynthesisOutcome:
    """kept: the checkpoints of a loop that was interrupted, to go on from, or of one to begin."""
    given: SynthesisState = {
        "item": planned,
        "subgoal": RETURNS,
        "gap": GAP,
        "specification": Specification(goal=Goal(text="Help.")),
        "seconds": list(seconds),
    }
    graph = synthesis_graph().compile(checkpointer=kept)
    config: RunnableConfig = {"configurable": {"thread_id": "run"}}
    begun = kept is not None and await kept.aget(config) is not None
    try:
        found = await graph.ainvoke(None if begun else given, config, context=box)
    finally:
        await box.aclose()
    (outcome,) = found["synthesis"]
    return outcome
