"""One line and an exit code, and a way to go on where there is one."""

import pytest
import typer

from goalcover.app.leaving import CRASHED, INTERRUPTED, SAME, user_errors
from goalcover.memory.errors import ModelUnavailable, UserError


@pytest.mark.parametrize(
    ("error", "again", "code", "line"),
    [
        (UserError("there is no column x."), SAME, 2, "goalcover: there is no column x.\n"),
        (UserError("the file changed."), "`goalcover resume R`", 2,
         "goalcover: the file changed. `goalcover resume R` goes on when that is mended.\n"),
        (ModelUnavailable("10 calls failed."), SAME, 2,
         "goalcover: 10 calls failed. The same command goes on when that is mended.\n"),
        (KeyboardInterrupt(), SAME, INTERRUPTED,
         "goalcover: interrupted; nothing judged so far is lost. The same command goes on.\n"),
    ],
)  # fmt: skip
def test_it_says_what_goes_on_only_where_that_would(
    capsys: pytest.CaptureFixture[str], error: BaseException, again: str, code: int, line: str
) -> None:
    with pytest.raises(typer.Exit) as left, user_errors() as state:
        state["again"] = again
        raise error
    assert left.value.exit_code == code
    assert capsys.readouterr().err == line


def test_a_fault_of_the_program_is_no_fall_of_coverage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, user_errors():
        raise ZeroDivisionError
    assert left.value.exit_code == CRASHED != 1
    assert "Traceback" in capsys.readouterr().err
