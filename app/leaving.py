"""How a command ends that cannot go on: one line and an exit code."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

FELL, CRASHED, WAITS, GAP, INTERRUPTED = 1, 2, 3, 4, 130

SAME = "The same command"
"""What goes on after an outage or an interruption; of no help where the command itself is wrong."""


@contextmanager
def user_errors() -> Iterator[dict[str, str]]:
    """One line and an exit code instead of a traceback, which is for errors of the program."""
    from ..memory.errors import ModelUnavailable, Unanswered, UserError
    from .console import printable

    state: dict[str, str] = {}  # "again": the command that goes on

    def leave(line: str, code: int, hint: str) -> typer.Exit:
        again = f" {state['again']} {hint}." if "again" in state else ""
        typer.echo(printable(f"goalcover: {line}{again}"), err=True)
        return typer.Exit(code)

    try:
        yield state
    except UserError as error:
        if state.get("again") == SAME and not isinstance(error, ModelUnavailable):
            del state["again"]
        raise leave(str(error), 2, "goes on when that is mended") from None
    except KeyboardInterrupt:
        line = f"interrupted; nothing judged so far is lost.{state.get('batch', '')}"
        raise leave(line, INTERRUPTED, "goes on") from None
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        raise leave(
            f"{error.strerror or error}{where}.", 2, "goes on when that is mended"
        ) from None
    except Unanswered as error:
        raise leave(f"{error}.", WAITS, "in a terminal or with --yes goes on") from None
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except Exception:
        # Python would leave with 1, which says that coverage fell.
        traceback.print_exc()
        raise typer.Exit(CRASHED) from None
