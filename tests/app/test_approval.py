"""The dialog about the subgoals, with lines that a person types."""

from collections.abc import Callable
from typing import Any

import pytest

from goalcover.app import approval
from goalcover.graph.session import Pending
from goalcover.memory.records import Contract, Finding, Goal, Specification, Subgoal

REFUNDS = Subgoal(id="refunds", name="Refunds", description="Says how to get money back.")
BILLING = Subgoal(
    id="billing", name="Billing", description="Explains charges and states dates.", counts="c"
)
OVERLAP = Finding(id="f1", check="disjoint", subgoal_ids=["refunds", "billing"], message="Same.")
JOINED = Finding(id="f2", check="atomic", subgoal_ids=["billing"], message="Two things.")
LOST = Finding(id="f3", check="complete", message="No subgoal covers “x”.", overruled="Not ours.")

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The decision after these lines, every one of which is asked for."""

    def run(
        *lines: str, findings: tuple[Finding, ...] = (), others: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        left = iter(lines)
        more = [Subgoal(id=name, name=name, description=f"Says {name}.") for name in others]
        monkeypatch.setattr("builtins.input", lambda *prompt: next(left))
        args = {
            "subgoals": [s.model_dump(exclude_defaults=True) for s in (REFUNDS, BILLING, *more)],
            "contract": Contract(findings=list(findings)).model_dump(),
            "specification": Specification(goal=Goal(text="Help.")).model_dump(),
        }
        request = {"name": "approve_subgoals", "args": args, "description": ""}
        (decision,) = approval.ask_subgoals(Pending({"action_requests": [request]}))["decisions"]
        assert not list(left)
        return decision

    return run


def edited(decision: dict[str, Any]) -> dict[str, Any]:
    assert decision["type"] == "edit"
    assert decision["edited_action"]["name"] == "approve_subgoals"
    return decision["edited_action"]["args"]


def names(decision: dict[str, Any]) -> list[str]:
    return [subgoal["name"] for subgoal in edited(decision)["subgoals"]]


@pytest.mark.parametrize("line", ["approve", "", " approve "])
def test_approve(ask: Ask, line: str) -> None:
    assert ask(line)["type"] == "approve"
    assert ask(line, findings=(LOST,))["type"] == "approve", "what is overruled is not open"


def test_a_wrong_word_is_asked_again(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("yes please", "Approve", "reject", "Shorter.") == {
        "type": "reject",
        "message": "Shorter.",
    }
    assert capsys.readouterr().err.count("select one of the available options") >= 1


def test_approving_open_findings_takes_a_reason(ask: Ask) -> None:
    args = edited(ask("approve", "", "approve", "We want it.", findings=(OVERLAP, JOINED, LOST)))
    assert args["approve"] is True
    assert args["overrule"] == {"f1": "We want it.", "f2": "We want it."}
    assert [s["id"] for s in args["subgoals"]] == ["refunds", "billing"]


def test_overrule_one_of_several(ask: Ask) -> None:
    lines = ("overrule", "none", "4", "2", "One desk does both.")
    args = edited(ask(*lines, findings=(OVERLAP, JOINED, LOST)))
    assert args["overrule"] == {"f2": "One desk does both."} and args["approve"] is False


def test_overrule_where_nothing_is_open(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("overrule", "approve", findings=(LOST,))["type"] == "approve"
    assert "There is no open finding." in capsys.readouterr().err


@pytest.mark.parametrize(
    "lines",
    [
        ("overrule", ""),
        ("add", " "),
        ("add", "Hours", ""),
        ("remove", ""),
        ("merge", ""),
        ("split", ""),
        ("split", "1", ""),
        ("wanted", ""),
        ("wanted", "1", ""),
    ],
)
def test_enter_goes_back(ask: Ask, lines: tuple[str, ...]) -> None:
    decision = ask(*lines, "reject", "No.", findings=(OVERLAP, JOINED))
    assert decision == {"type": "reject", "message": "No."}


def test_add(ask: Ask) -> None:
    decision = ask("add", " Délais & Öffnung! ", "Says when the shop is open.")
    new = edited(decision)["subgoals"][-1]
    assert new["name"] == "Délais & Öffnung!" and new["description"].endswith("open.")
    assert Subgoal.model_validate(new)


@pytest.mark.parametrize("name", ["返金", "😀", "to do", "!!!"])
def test_a_name_without_letters_of_an_id_gets_one(ask: Ask, name: str) -> None:
    decision = ask("add", name, "Says when the shop is open.")
    assert names(decision)[-1] == name


def test_a_name_that_is_there_gets_an_id_of_its_own(ask: Ask) -> None:
    lines = ("add", "Refunds", "Says when refunds come.")
    assert edited(ask(*lines))["subgoals"][-1]["id"] == "refunds_2"
    assert edited(ask(*lines, others=("refunds_2",)))["subgoals"][-1]["id"] == "refunds_3"


def test_remove(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    assert names(ask("remove", "0", "3", "x", "1-3", "#2")) == ["Refunds"]
    assert names(ask("remove", "1", others=("Third", "Fourth"))) == ["Billing", "Third", "Fourth"]
    assert names(ask("remove", "1 and 3", others=("Third", "Fourth"))) == ["Billing", "Fourth"]
    assert names(ask("remove", "1, 3-4", others=("Third", "Fourth"))) == ["Billing"]
    assert capsys.readouterr().err.count("Give numbers from 1 to 2.") == 4
    assert ask("remove", "1 2", "approve")["type"] == "approve", "the last one stays: nothing is"
    assert "is the only subgoal" in capsys.readouterr().err


def test_merge(ask: Ask) -> None:
    (whole,) = edited(ask("merge", "2, 1, 2", "", "Handles money."))["subgoals"]
    assert (whole["id"], whole["counts"]) == ("billing", "c")
    assert "Billing" in whole["name"] and " and " in whole["name"], "nothing is lost by Enter"
    assert whole["description"] == "Handles money."


def test_merging_one_is_refused_at_once(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("merge", "2", "approve")["type"] == "approve"
    assert "name two or more to merge" in capsys.readouterr().err


def test_split_offers_the_halves(ask: Ask) -> None:
    parts = edited(ask("split", "2", "", "Charges", "", "Dates"))["subgoals"][1:]
    assert [(p["id"], p["name"], p["description"]) for p in parts] == [
        ("billing_1", "Charges", "Explains charges"),
        ("billing_2", "Dates", "states dates"),
    ]


def test_split_of_one_thing_takes_own_words(ask: Ask) -> None:
    parts = edited(ask("split", "1", "Says how.", "How", "Says when.", "When"))["subgoals"][:2]
    assert [p["description"] for p in parts] == ["Says how.", "Says when."]


@pytest.mark.parametrize(
    ("line", "count", "share"),
    [
        ("200", 200, None),
        ("1,000", 1000, None),
        ("200 rows", 200, None),
        ("10 %", None, 0.1),
        ("12.5%", None, 0.125),
        (" 100% ", None, 1.0),
    ],
)
def test_wanted(ask: Ask, line: str, count: int | None, share: float | None) -> None:
    first = edited(ask("wanted", "1", line))["subgoals"][0]
    assert (first.get("target_count"), first.get("target_share")) == (count, share)


def test_none_wanted_is_an_even_share(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = REFUNDS.model_copy(update={"target_count": 5})
    monkeypatch.setitem(globals(), "REFUNDS", counted)
    assert "target_count" not in edited(ask("wanted", "1", "none"))["subgoals"][0]


@pytest.mark.parametrize("line", ["many", "0", "-3", "0 %", "101 %", "nan%", "inf%", "1.5", "%"])
def test_wanted_takes_no_nonsense(ask: Ask, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("wanted", "1", line, "approve")["type"] == "approve"
    assert "neither a number of rows nor a share" in capsys.readouterr().err


def test_an_unchanged_edit_is_said(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(approval.click, "edit", lambda text, extension: None)
    assert ask("edit", "approve")["type"] == "approve"
    assert "Nothing changed." in capsys.readouterr().err


def test_the_editor_opens_again_on_a_mistake(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def edit(text: str, extension: str) -> str:
        opened.append(text)
        drafts = [
            "- id: [",
            "- {id: a, name: A}",
            "[]",
            "- {id: a, name: A, description: Says a., target_count: 5}",
        ]
        return drafts[len(opened) - 1]

    monkeypatch.setattr(approval.click, "edit", edit)
    (new,) = edited(ask("edit", "", "", ""))["subgoals"]
    assert new == {"id": "a", "name": "A", "description": "Says a.", "target_count": 5}
    assert "# Change, add or remove" in opened[0] and "description: Says how" in opened[0]
    assert [text.count("# MEND: ") for text in opened] == [0, 1, 1, 1]
    assert "description" in opened[2].splitlines()[0] and opened[2].endswith("- {id: a, name: A}")


@pytest.mark.parametrize("wrong", ["- {id: a, description: 2024-13-45}", "- id: ["])
def test_an_edit_that_was_not_mended_is_said(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    left = iter([wrong, None])
    monkeypatch.setattr(approval.click, "edit", lambda text, extension: next(left))
    assert ask("edit", "", "approve")["type"] == "approve"
    assert "Your edit was not taken, as it was not mended." in capsys.readouterr().err


def test_no_editor(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDITOR", "/nonexistent/editor")
    monkeypatch.delenv("VISUAL", raising=False)
    assert ask("edit", "approve")["type"] == "approve"
    assert "no editor" in capsys.readouterr().err
