"""A finished run taken up again, with other synthetic rows accepted."""

from collections.abc import Collection, Mapping
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from ..memory.errors import UserError
from ..tools.by_hand import choose
from .listing import read_report
from .state import State
from .toolbox import Toolbox


async def revise(
    graph: CompiledStateGraph[State, Toolbox],
    config: Any,
    box: Toolbox,
    accepted: Mapping[str, Collection[str]],
) -> bool:
    """Puts the run back to where synthesis had just ended; see `Session.revise`."""
    snapshot = await graph.aget_state(config)
    if snapshot.created_at is None or snapshot.next:
        raise UserError(f"run {box.run} is not finished: `goalcover resume {box.run}` goes on.")
    changed = choose(snapshot.values.get("synthesis", []), accepted)
    if not changed:
        return False
    # Whatever keeps the run from finishing again is said before it counts as unfinished.
    read_report(box.out, box.run)
    _ = box.table, box.judge
    box.store.runs.mark(box.run, "stopped", "ledger")
    await graph.aupdate_state(config, {"synthesis": changed}, as_node="synthesize")
    return True
