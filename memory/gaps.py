"""The gaps of every run, to be found by what they say."""

from collections.abc import Sequence

from pydantic import ValidationError

from .records import Gap, Record
from .vectors import Encode, VectorStore

KIND = "gaps"


class _Kept(Record):
    run: str
    gap: Gap


class GapStore:
    """Raises UserError where the files cannot be read or written. Records that cannot be read are
    passed over."""

    def __init__(self, vectors: VectorStore) -> None:
        self._vectors = vectors

    async def keep(self, run: str, gaps: Sequence[Gap], encode: Encode) -> None:
        """Keeps a run's gaps; again for the same run replaces those of the same id."""
        entries = {
            f"{run}/{gap.id}": (
                f"{gap.name}. {gap.description}",
                _Kept(run=run, gap=gap).model_dump_json(),
            )
            for gap in gaps
        }
        await self._vectors.keep(KIND, entries, encode)

    async def nearest(self, run: str, text: str, encode: Encode) -> list[tuple[Gap, float]]:
        """The run's gaps with their cosine similarity to a text, the most similar first."""
        found = []
        for record, similarity in await self._vectors.similar(KIND, text, encode):
            try:
                kept = _Kept.model_validate_json(record)
            except ValidationError:
                continue
            if kept.run == run:
                found.append((kept.gap, similarity))
        return found

    def forget(self, run: str) -> None:
        """Deletes a run's gaps, whichever embedder kept them."""
        of_run = [key for key in self._vectors.kept(KIND) if key.startswith(f"{run}/")]
        if of_run:
            self._vectors.drop(KIND, of_run)
