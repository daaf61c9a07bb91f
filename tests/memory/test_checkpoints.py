"""Checkpoints in SQLite, and the serializer's allow-list."""

from pathlib import Path
from typing import TypedDict

import pytest
from pydantic import BaseModel

from goalcover.memory.checkpoints import open_checkpoints, serializer
from goalcover.memory.errors import UserError
from goalcover.memory.records import Goal, Subgoal


class Stranger(BaseModel):
    name: str = "x"


RECORDS = [
    Goal(text="answer", domain="medicine"),
    Subgoal(id="a", name="n", description="d", target_share=0.5),
]


def test_our_records_come_back_as_they_were():
    serde = serializer()
    assert serde.loads_typed(serde.dumps_typed({"all": RECORDS})) == {"all": RECORDS}


def test_other_types_come_back_only_when_they_are_named():
    kept = serializer().dumps_typed(Stranger())
    assert not isinstance(serializer().loads_typed(kept), Stranger)
    assert serializer(Stranger).loads_typed(kept) == Stranger()


async def test_a_run_goes_on_from_the_file_after_it_was_closed(tmp_path):
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import Command, interrupt

    class State(TypedDict):
        goal: Goal
        answer: str

    def ask(state: State) -> dict[str, str]:
        return {"answer": f"{interrupt('ok?')} for {state['goal'].text}"}

    graph = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").add_edge("ask", END)
    home = tmp_path / "new" / "home"
    config = {"configurable": {"thread_id": "run"}}
    for given in ({"goal": Goal(text="health"), "answer": ""}, Command(resume="yes")):
        async with open_checkpoints(home, None, serializer()) as saver:
            end = await graph.compile(checkpointer=saver).ainvoke(given, config)  # pyright: ignore
    assert end["answer"] == "yes for health"
    assert (home / "checkpoints.db").stat().st_mode & 0o777 == 0o600


async def test_postgres_that_does_not_answer_is_said_without_the_password(tmp_path: Path):
    url = "postgresql://me:secret@127.0.0.1:1/db?connect_timeout=2"
    with pytest.raises(UserError, match="GOALCOVER_CHECKPOINTS") as raised:
        async with open_checkpoints(tmp_path, url, serializer()):
            pytest.fail("the block must not run")
    assert "secret" not in str(raised.value) and "\n" not in str(raised.value)
