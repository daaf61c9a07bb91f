"""Source documents that synthetic rows may be grounded in: plain text or Markdown files."""

from collections.abc import Sequence
from pathlib import Path

from ..memory.errors import UserError
from ..memory.vectors import VectorStore
from .embeddings import Embedder

PASSAGE = 800
"""Characters of a passage, at least; it ends with its paragraph."""


def read_passages(paths: Sequence[str]) -> dict[str, str]:
    """Passages of all files by id ("leaflet.txt#3"). Raises UserError for an unreadable file."""
    found: dict[str, str] = {}
    for path in map(Path, paths):
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"cannot read the document {path} as UTF-8 text: {error}.") from error
        passage = ""
        for paragraph in [*text.split("\n\n"), ""]:
            passage = f"{passage}\n\n{paragraph.strip()}".strip()
            if passage and (len(passage) >= PASSAGE or not paragraph):
                found[f"{path.name}#{len(found) + 1}"] = passage
                passage = ""
    return found


async def nearest_passages(
    documents: dict[str, str], aim: str, vectors: VectorStore, embedder: Embedder, count: int
) -> list[tuple[str, str]]:
    """The (id, text) of the passages nearest to `aim`, best first."""
    if not documents:
        return []
    by_text = {text: key for key, text in documents.items()}
    await vectors.embed("documents", list(by_text), embedder.encode)
    vector = (await embedder.encode([aim]))[0]
    return [(by_text[t], t) for t in vectors.nearest("documents", vector, list(by_text), count)]
