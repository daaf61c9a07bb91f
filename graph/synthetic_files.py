"""The synthetic rows in the data's own form, and where each of them comes from."""

from pathlib import Path
from typing import Any

from ..memory.records import Candidate, SynthesisOutcome
from ..tools import exporters
from .state import State
from .toolbox import Toolbox


def write(state: State, box: Toolbox) -> dict[str, Path]:
    """Writes both files beside the user's, which stays as it is; their paths by name.

    Without rows there are no files, and those of an earlier run into the same folder go.
    """
    rows = box.out / f"synthetic{exporters.rows_suffix(box.table)}"
    provenance = box.out / "synthetic.provenance.jsonl"
    accepted = [(o, c) for o in state.get("synthesis", []) for c in o.accepted]
    if not accepted:
        rows.unlink(missing_ok=True)
        provenance.unlink(missing_ok=True)
        return {}
    exporters.write_records(
        [exporters.as_row(box.table, c, box.usual_system) for _, c in accepted], rows
    )
    judged = _judged(state, box)
    exporters.write_jsonl(
        (
            _provenance(line, outcome, candidate, box, judged.get(line - 1, {}))
            for line, (outcome, candidate) in enumerate(accepted, start=1)
        ),
        provenance,
    )
    return {"synthetic": rows, "provenance": provenance}


def _judged(state: State, box: Toolbox) -> dict[int, dict[str, float | None]]:
    """What the ordinary judge made of each row: A(x, y, s) by subgoal id."""
    found = box.store.scores.rows(box.synthetic_run, box.judge.judge, state["subgoals"])
    return {row: {name: s.value for name, s in scores.items()} for row, _, _, scores in found}


def _provenance(
    line: int,
    outcome: SynthesisOutcome,
    candidate: Candidate,
    box: Toolbox,
    judged: dict[str, float | None],
) -> dict[str, Any]:
    """What is known of the row in that line of the rows' file, counted from 1."""
    verdict = candidate.model_dump(exclude={"input", "output", "cell", "round"})
    return {
        "line": line,
        "gap": outcome.item.gap_id,
        "subgoal": outcome.item.subgoal_id,
        "cell": candidate.cell.model_dump(),
        "round": candidate.round,
        "generator": box.door.model.name,
        "discriminator": box.door.model.name if box.config.discriminator else None,
        "judge": box.judge.judge,
        "alignment": judged,
        **verdict,
    }
