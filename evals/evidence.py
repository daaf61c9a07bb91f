"""All evaluations one after the other, and one page of what they found."""

import asyncio
import os
import platform
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from .. import __version__
from ..memory.errors import UserError
from ..memory.files import atomic_text
from ..memory.records import Spent
from ..tools.embedded_model import HONESTY
from ..tools.markdown import plain
from ..tools.settings import ModelConfig
from .exhibit import Exhibit, markdown, write

Listener = Callable[[str, int, int, Spent], None]
"""Gets the section's title, the steps done, all steps, and what is spent."""

Steps = Callable[[int, int, Spent], None]


@dataclass(frozen=True)
class Section:
    """One evaluation of the page. command: how a reader repeats it on their own data; caution: what
    must be known before its figures are believed."""

    name: str
    title: str
    question: str
    command: str
    run: Callable[[ModelConfig, Path | None, Steps], Coroutine[None, None, tuple[Exhibit, Spent]]]
    caution: str = ""


@dataclass(frozen=True)
class Done:
    """What became of a section: an exhibit with its pictures, or why there is none."""

    section: Section
    seconds: float
    found: Exhibit | None = None
    pictures: tuple[tuple[str, str], ...] = ()
    missing: str = ""


async def gather(
    config: ModelConfig,
    data: Path | None,
    out: Path,
    sections: Sequence[Section],
    on_progress: Listener,
    left_out: Sequence[Section] = (),
) -> tuple[Path, dict[str, str]]:
    """Runs the sections and writes OUT/evidence.md, with figures and pictures in OUT/evidence/.

    data: the folder with the data; None where there is none, and what can comes from the hub.
    A section whose data cannot be had is named on the page with what is missing; the others go on.
    Returns the page, and what was missing by section. Raises UserError where there
    is no such folder, or no section could be run.
    """
    if data and not data.is_dir():
        raise UserError(f"there is no folder {data}: give --data a folder that is there.")
    done = []
    for section in sections:
        started = time.monotonic()

        def tell(steps: int, total: int, spent: Spent, name: str = section.title) -> None:
            on_progress(name, steps, total, spent)

        try:
            found, _ = await section.run(config, data, tell)
        except UserError as error:
            done.append(Done(section, time.monotonic() - started, missing=str(error)))
            continue
        written = await asyncio.to_thread(write, found, section.name, out / "evidence")
        links = {
            caption: f"evidence/{path.name}"
            for caption, path in written.items()
            if path.suffix == ".png"
        }
        seconds = time.monotonic() - started
        done.append(Done(section, seconds, found, tuple(links.items())))
    missing = {one.section.name: one.missing for one in done if one.found is None}
    if len(missing) == len(done):
        raise UserError(f"nothing could be evaluated: {next(iter(missing.values()))}")
    page = out / "evidence.md"
    with atomic_text(page) as file:
        file.write(as_page(config, done, left_out))
    return page, missing


def as_page(config: ModelConfig, done: Sequence[Done], left_out: Sequence[Section]) -> str:
    """The page: how it was made, the answers in a table, then every section."""
    judge = config.judge or config.model
    minutes = sum(one.seconds for one in done) / 60
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    told = [
        "# Evidence",
        "Does GoalCover detect what it claims to detect? `goalcover eval all` wrote this page; "
        "nothing on it was edited by hand. "
        f"GoalCover {__version__}, {date.today():%d %B %Y}, {platform.machine()}, {cores} cores, "
        f"Python {platform.python_version()}, {max(1, round(minutes))} min; judge: "
        f"{plain(judge) if judge else 'the embedded one'}; seed {config.seed}.",
    ]
    if not judge:
        told.append(
            f"{HONESTY} What is shown here with it says what the *method* does with a weak judge, "
            "and is the floor; repeat it with yours (`--judge`, `--base-url`)."
        )
    rows = ["| question | answer |", "|---|---|"]
    rows += [f"| [{one.section.question}](#{_anchor(one.section.title)}) | {_answer(one)} |"
             for one in done]  # fmt: skip
    rows += [f"| {one.question} | left out (`--only`) |" for one in left_out]
    told.append("\n".join(rows))
    told += [_section(one) for one in done]
    return "\n\n".join(told).rstrip() + "\n"


def _answer(one: Done) -> str:
    return plain(one.found.headline()) if one.found else f"not run: {plain(one.missing)}"


def _anchor(title: str) -> str:
    """The address that GitHub gives a heading."""
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " -")
    return kept.replace(" ", "-")


def _section(one: Done) -> str:
    head = f"## {one.section.title}\n{one.section.question} Repeat it: `{one.section.command}`."
    if one.found is None:
        return f"{head}\n\nNot run: {plain(one.missing)}"
    caution = f"\n\n{one.section.caution}" if one.section.caution else ""
    found = markdown(one.found, dict(one.pictures))
    return f"{head} ({one.seconds:.0f} s here){caution}\n\n{found}"
