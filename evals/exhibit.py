"""What every evaluation gives: tables, lines and figures, for a terminal, Markdown and JSON."""

from abc import ABC, abstractmethod
from pathlib import Path

from ..memory.files import atomic_text, write_record
from ..memory.records import Record
from ..tools.markdown import plain


class Table(Record):
    """Cells are text; the first column is aligned left, the others as `right` says."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    right: bool = True


class Exhibit(Record, ABC):
    """The outcome of an evaluation. Its fields are the figures; this is how they are shown."""

    @abstractmethod
    def headline(self) -> str:
        """The answer in a sentence, with its figures."""

    @abstractmethod
    def tables(self) -> list[Table]:
        """For a reader, the most important first."""

    @abstractmethod
    def lines(self) -> list[str]:
        """What the tables do not say: the judge, the data, how each figure was obtained."""

    def draw(self, folder: Path) -> dict[str, Path]:
        """Figures as PNG files in the folder: caption → path."""
        return {}


def write(found: Exhibit, name: str, folder: Path) -> dict[str, Path]:
    """Writes NAME.json, NAME.md and the figures; returns their paths by what they are.

    Raises UserError, naming the file, where one cannot be written.
    """
    page, figures = folder / f"{name}.md", folder / f"{name}.json"
    write_record(found, figures)  # first: whatever comes of the rest, these are not lost
    pictures = found.draw(folder)
    with atomic_text(page) as file:
        links = {caption: path.name for caption, path in pictures.items()}
        file.write(markdown(found, links))
    return {"page": page, "figures": figures, **pictures}


def markdown(found: Exhibit, pictures: dict[str, str]) -> str:
    """Headline, tables, pictures (caption → link) and lines."""
    parts = [plain(found.headline())]
    parts += [f"**{plain(table.title)}**\n\n{grid(table)}" for table in found.tables()]
    parts += [f"![{plain(caption)}]({link})" for caption, link in pictures.items()]
    parts.append("\n".join(f"- {plain(line)}" for line in found.lines()))
    return "\n\n".join(parts) + "\n"


def grid(table: Table) -> str:
    """A table of Markdown."""
    mark = "---:" if table.right else "---"
    lines = [[*map(plain, cells)] for cells in (table.columns, *table.rows)]
    lines.insert(1, ["---", *([mark] * (len(table.columns) - 1))])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
