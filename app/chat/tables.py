"""Tables as HTML: a grid that is drawn on a canvas has no cells for keyboard and screen reader."""

from collections.abc import Collection, Iterable, Sequence

from markupsafe import Markup

from .text import html, joined


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    numbers: Collection[int] = (),
) -> Markup:
    """A table whose first column heads its rows; it scrolls sideways where the page is narrow.

    numbers: places of the columns that are set to the right. Cells are escaped unless Markup.
    """
    head = joined(html("<th scope='col'{}>{}</th>", _side(at, numbers), text)
                  for at, text in enumerate(columns))  # fmt: skip
    body = joined(
        html("<tr>{}</tr>", joined(_cell(at, cell, numbers) for at, cell in enumerate(cells)))
        for cells in rows
    )
    return html(
        "<div class='gc-scroll' role='region' tabindex='0' aria-label='{}'><table class='gc-table'>"
        "<caption class='gc-soft gc-small'>{}</caption>"
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>",
        caption, caption, head, body,
    )  # fmt: skip


def _cell(at: int, cell: object, numbers: Collection[int]) -> Markup:
    if at == 0:
        return html("<th scope='row' dir='auto'>{}</th>", cell)
    return html("<td dir='auto'{}>{}</td>", _side(at, numbers), cell)


def _side(at: int, numbers: Collection[int]) -> Markup:
    return html(" class='gc-n'") if at in numbers else html("")
