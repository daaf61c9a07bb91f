"""Files of scores, one record a row of the data."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ..memory.errors import UserError
from ..memory.files import atomic_path, atomic_text, write_record
from ..memory.records import Score, Subgoal
from ..memory.scores import ScoredSample
from .card import About
from .exporters import check_suffix
from .scored_rows import ScoredRow

SCORE_FORMATS = (".jsonl", ".parquet")

READ = ["index", "sample", "scores", "source", "intervals", "supports"]
"""The columns that a reader wants; files of earlier versions lack the last three."""

AT_ONCE = 5_000
"""Records that are written to Parquet together."""


def write_scores(rows: Iterable[ScoredSample], path: Path, names: Sequence[str]) -> int:
    """One record a row: index, sample_id, sample, scores{}, explanations{}, errors{}, source{},
    intervals{}, supports{}.

    sample: the hash of the row's text, by which scores and rows are matched; sample_id: the row's
    own `id`, for people, or that hash again where it has none. `names` are the ids of the
    subgoals. A failed judgement is null with its reason in `errors`, and keeps the reason where a
    prediction stands in its place. source: "judged" or "predicted"; of predictions,
    intervals: [low, high], and supports: the probability of 0.6 or more; else null.
    """
    check_suffix(path, SCORE_FORMATS)
    records = (_record(*row) for row in rows)
    written = 0
    if path.suffix.lower() == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        texts, numbers, pairs = (
            pa.struct([(name, kind) for name in names])
            for kind in (pa.string(), pa.float64(), pa.list_(pa.float64()))
        )
        schema = pa.schema(
            [
                ("index", pa.int64()),
                ("sample_id", pa.string()),
                ("sample", pa.string()),
                ("scores", numbers),
                ("explanations", texts),
                ("errors", texts),
                ("source", texts),
                ("intervals", pairs),
                ("supports", numbers),
            ]
        )
        with atomic_path(path) as partial, pq.ParquetWriter(partial, schema) as writer:
            while batch := list(islice(records, AT_ONCE)):
                writer.write_table(pa.Table.from_pylist(batch, schema))
                written += len(batch)
        return written
    with atomic_text(path) as file:
        for record in records:
            written += 1
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return written


def _record(index: int, sample_id: str, sample: str, scores: dict[str, Score]) -> dict[str, Any]:
    return {
        "index": index,
        "sample_id": sample_id,
        "sample": sample,
        "scores": {key: score.value for key, score in scores.items()},
        "explanations": {key: score.explanation for key, score in scores.items()},
        # A fixed set of keys, because Parquet has no place for a struct without fields.
        "errors": {key: score.error for key, score in scores.items()},
        "source": {key: score.source for key, score in scores.items()},
        "intervals": {key: score.interval for key, score in scores.items()},
        "supports": {key: score.supports for key, score in scores.items()},
    }


def about_path(scores: Path) -> Path:
    """Beside a file of scores: who judged, against which subgoals."""
    return scores.with_name(f"{scores.name}.about.json")


def write_about(about: About, scores: Path) -> None:
    write_record(about, about_path(scores))


def read_about(scores: Path, names: Sequence[str]) -> About:
    """What is known of scores of the subgoals with these ids: only the ids, where the file beside
    them is missing or speaks of others."""
    try:
        about = About.model_validate_json(about_path(scores).read_bytes())
        if [subgoal.id for subgoal in about.subgoals] == list(names):
            return about
    except (OSError, ValueError):
        pass
    return About(judge="", subgoals=[Subgoal(id=n, name=n, description=n) for n in names])


def read_scores(path: Path) -> Iterator[tuple[ScoredRow, str]]:
    """(scored row, hash of its sample) of each record; files of earlier versions hold judgements
    alone. UserError names the line of a bad one."""
    check_suffix(path, SCORE_FORMATS)
    if not path.is_file():
        raise UserError(f"there is no file {path}.")
    for number, record in enumerate(_records(path), start=1):
        try:
            yield _scored(record), str(record["sample"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            wrong = f"lacks {error}" if isinstance(error, KeyError) else "holds something else"
            raise UserError(
                f"{path} is no file of scores: record {number} {wrong}. Give the file that "
                "`goalcover score --out` wrote."
            ) from error


def _scored(record: dict[str, Any]) -> ScoredRow:
    values = {str(k): None if v is None else float(v) for k, v in record["scores"].items()}
    intervals: dict[str, tuple[float, float]] = {}
    for name, ends in (record.get("intervals") or {}).items():
        if ends is not None:
            low, high = map(float, ends)
            intervals[name] = (low, high)
    sources = (record.get("source") or {}).items()
    predicted = frozenset(name for name, source in sources if source == "predicted")
    likely = (record.get("supports") or {}).items()
    supports = {name: float(share) for name, share in likely if share is not None}
    return ScoredRow(int(record["index"]), values, predicted, intervals, supports)


def _records(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix.lower() == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            file = pq.ParquetFile(path)
        except pa.ArrowException as error:
            raise UserError(f"{path} is not a Parquet file.") from error
        for batch in file.iter_batches(columns=READ):
            yield from batch.to_pylist()
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise UserError(f"line {number} of {path} is not valid JSON.") from error
