"""The subgoals in the chat: cards, changes that are collected, and what is decided of them."""

from pathlib import Path
from typing import Any

import pytest
from shown_reviews import (
    CARE,
    DOSES,
    JOINED,
    LOST,
    RISKS,
    SAME,
    STANDS,
    Waiting,
    button,
    page,
    pills,
    proposed,
    shown,
    waiting,
)
from streamlit.testing.v1 import AppTest

from goalcover.app import subgoal_edits
from goalcover.app.chat.job import Job
from goalcover.app.chat.subgoals import changes as made
from goalcover.app.chat.subgoals import forecasting
from goalcover.app.chat.subgoals.cards import card_html, finding_html, matrix_html, unchecked_html
from goalcover.app.chat.subgoals.changes import Changes
from goalcover.graph import session
from goalcover.memory.errors import UserError
from goalcover.memory.records import Contract, Finding, Subgoal
from goalcover.tools.datasets import DataSource
from goalcover.tools.settings import RunConfig

THREE = [DOSES, RISKS, CARE]
NONE = Changes.none("d", THREE)
BRIEF = RISKS.model_copy(update={"description": "Warns."})
EDITED = NONE.to(subgoal_edits.replaced(THREE, BRIEF), "edited “Risks”")


def contract(*findings: Finding, unchecked: tuple[str, ...] = ()) -> Contract:
    return Contract(findings=list(findings), unchecked=list(unchecked))


# --- changes


def test_changes_are_counted_and_undone_in_order() -> None:
    both = EDITED.to([BRIEF, CARE], "removed “Doses”")
    assert both.told == ["edited “Risks”", "removed “Doses”"]
    assert both.undone().subgoals == [DOSES, BRIEF, CARE]
    assert both.undone().undone() == both.undone().undone().undone() == NONE


def test_what_is_the_same_is_no_change() -> None:
    assert NONE.to(list(THREE), "edited “Risks”") is NONE


def test_a_card_tells_findings_of_its_text_from_older_ones() -> None:
    first, second, third = made.cards(EDITED, contract(JOINED, SAME, STANDS, LOST))
    assert (first.changed, first.findings) == (False, [(JOINED, True)])
    assert (second.changed, second.findings) == (True, [(SAME, False)])
    assert (third.changed, third.findings) == (False, [(SAME, False), (STANDS, True)])
    removed = NONE.to([DOSES, RISKS], "removed “Care”")
    assert made.cards(removed, contract(SAME))[1].findings == [(SAME, False)]
    assert made.of_no_card(contract(JOINED, LOST)) == [LOST]


def test_open_is_what_is_neither_overruled_nor_changed() -> None:
    found = contract(JOINED, SAME, STANDS, LOST)
    assert made.still_open(NONE, found) == [JOINED, SAME, LOST]
    assert made.still_open(EDITED, found) == [JOINED, LOST]
    assert made.still_open(NONE.overrule(LOST, " Not ours. "), found) == [JOINED, SAME]
    assert made.reason_of(NONE.overrule(LOST, " Not ours. "), LOST) == "Not ours."
    with pytest.raises(UserError, match="say why"):
        NONE.overrule(LOST, " ")


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (contract(), "the checks found nothing against them."),
        (contract(JOINED, LOST, STANDS), "the checks left 2 findings open, 1 overruled."),
        (contract(STANDS), "no finding is open, 1 overruled."),
        (contract(unchecked=("x",)), "no finding is open, but not all could be checked."),
    ],
)
def test_the_head_says_what_the_checks_found(found: Contract, told: str) -> None:
    assert made.found_line(NONE, found) == f"3 subgoals; {told}"


def decided(response: dict[str, Any]) -> dict[str, Any]:
    (decision,) = response["decisions"]
    return decision["edited_action"]["args"] if decision["type"] == "edit" else decision


def test_a_clean_set_is_approved_as_it_is() -> None:
    assert decided(made.to_approve(NONE, contract(STANDS), "")) == {"type": "approve"}


def test_open_findings_take_a_reason() -> None:
    with pytest.raises(UserError, match="2 findings are open"):
        made.to_approve(NONE, contract(JOINED, LOST), " ")
    args = decided(made.to_approve(NONE, contract(JOINED, LOST, STANDS), "Two desks."))
    assert args["overrule"] == {"f1": "Two desks.", "f3": "Two desks."} and args["approve"] is True


def test_changes_are_checked_before_they_are_approved() -> None:
    args = decided(made.to_approve(EDITED, contract(SAME), ""))
    assert args["approve"] is True and args["subgoals"][1]["description"] == "Warns."
    assert args["overrule"] == {}, "the next check says what becomes of it"
    args = decided(made.to_check(EDITED.overrule(JOINED, "One desk.")))
    assert args["overrule"] == {"f1": "One desk."} and not args.get("approve")


# --- what is shown


def test_a_card_shows_all_of_a_subgoal() -> None:
    text = card_html(made.cards(NONE, contract())[2], 3)
    for part in (CARE.name, CARE.description, CARE.counts, CARE.does_not_count, "an even share"):
        assert part in text
    assert "My chest hurts. → Call an ambulance." in text and "not checked yet" not in text
    assert "40 rows" in card_html(made.cards(NONE, contract())[1], 2)
    assert "not checked yet" in card_html(made.cards(EDITED, contract())[1], 2)


def test_a_finding_shows_its_evidence_and_what_became_of_it() -> None:
    text = finding_html(JOINED, None, True)
    assert "Not atomic" in text and "how; when" in text and "Overruled" not in text
    assert "Overruled: One desk." in finding_html(JOINED, "One desk.", True)
    assert "Found before your changes" in finding_html(JOINED, None, False)
    assert "Not checked" in unchecked_html(contract(unchecked=("no reply",)))


def test_texts_are_escaped() -> None:
    bad = "<img src=x>"
    one = Subgoal(id="a", name=bad, description=bad, counts=bad, does_not_count=bad)
    finding = Finding(id="f", check="atomic", subgoal_ids=["a"], message=bad, evidence=[bad])
    changes = Changes.none("d", [one])
    assert "<img" not in card_html(made.cards(changes, contract(finding))[0], 1)
    assert "<img" not in finding_html(finding, bad, True)
    assert "<img" not in matrix_html(Contract(), changes)


# --- the page


@pytest.fixture
def review(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    return waiting(proposed(JOINED, SAME, LOST, STANDS, unchecked=("no reply came",)), monkeypatch)


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    return waiting(proposed(), monkeypatch)


def fill(at: AppTest, name: str, text: str) -> AppTest:
    """Types into the field whose key ends so."""
    (one,) = [w for w in [*at.text_input, *at.text_area] if w.key and w.key.endswith(name)]
    return one.set_value(text).run()


def press(at: AppTest, word: str, place: int = 0) -> AppTest:
    return button(at, word, place).click().run()


def names(found: Waiting) -> list[str]:
    return [subgoal["name"] for subgoal in found.args["subgoals"]]


def test_all_of_the_contract_is_shown(review: Waiting) -> None:
    text = shown(page())
    for part in ("3 findings open", "no reply came", "Two things.", "Nobody covers it.",
                 "Overruled: One desk.", "Who answers for what", "said of every row", "By reading.",
                 "judged by the embedded model", "does not judge skill"):  # fmt: skip
        assert part in text
    assert text.count("The same.") == 2, "at both cards"
    assert review.sent == []


def test_approve(clean: Waiting) -> None:
    press(page(), "Approve and start scoring")
    assert clean.decision == {"type": "approve"}


def test_approving_open_findings_asks_for_a_reason(review: Waiting) -> None:
    at = press(page(), "Approve and start scoring")
    assert review.sent == [] and "3 findings are open" in shown(at)
    at = fill(at, "stand", "Two desks.")
    press(at, "Approve and start scoring")
    assert set(review.args["overrule"]) == {"f1", "f2", "f3"} and review.args["approve"] is True


def test_the_bar_of_changes_asks_for_the_reason_that_its_button_wants(review: Waiting) -> None:
    at = press(press(page(), "Remove 3"), "Check and approve")
    assert review.sent == [] and "open: mend or overrule" in shown(at)
    assert "as of the last check" in shown(at)
    at = fill(at, "stand", "Two desks.")
    press(at, "Check and approve")
    assert review.args["approve"] is True and "Two desks." in review.args["overrule"].values()


def test_edits_are_collected_and_checked_once(clean: Waiting) -> None:
    at = press(page(), "Edit 1")
    at = fill(at, "edit-name", "How much")
    at = fill(at, "edit-counts", "a number")
    at = at.radio[0].set_value("a share of the rows, in %").run()
    at = at.number_input[0].set_value(12.5).run()
    at = press(at, "Apply")
    at = press(at, "Remove 2")
    text = shown(at)
    assert "2 changes not checked yet" in text and "removed “Risks”" in text and clean.sent == []
    assert "12.5 %" in text and "2 subgoals" in text
    press(at, "Check")
    assert names(clean) == ["How much", "Care"]
    assert clean.args["subgoals"][0] == DOSES.model_dump(exclude_defaults=True) | {
        "name": "How much", "counts": "a number", "target_share": 0.125,
    }  # fmt: skip


def test_wanted_goes_back_to_an_even_share(clean: Waiting) -> None:
    at = press(page(), "Edit 2")
    assert at.radio[0].value == "a number of rows" and at.number_input[0].value == 40
    at = press(at.radio[0].set_value("an even share").run(), "Apply")
    press(at, "Check and approve")
    assert "target_count" not in clean.args["subgoals"][1] and clean.args["approve"] is True


def test_an_empty_name_is_said_beside_the_field(clean: Waiting) -> None:
    at = fill(press(page(), "Edit 1"), "edit-name", " ")
    at = press(at, "Apply")
    assert "give a name" in shown(at) and "not checked yet" not in shown(at)
    at = press(at, "Cancel")
    assert not str(at.text_area[0].key).endswith("counts"), "the form is closed"


def test_what_is_open_for_editing_is_not_lost(clean: Waiting) -> None:
    at = press(page(), "Edit 1")
    at = press(at, "Approve and start scoring")
    assert clean.sent == [] and "apply or cancel" in shown(at)


def test_add(clean: Waiting) -> None:
    at = press(page(), "Add a subgoal")
    at = fill(at, "add-name", "Doses")
    at = fill(at, "add-description", "Says more of doses.")
    at = press(at, "Add")
    press(at, "Check")
    assert names(clean)[-1] == "Doses" and clean.args["subgoals"][-1]["id"] == "doses_2"


def test_what_nobody_covers_is_added_with_its_words(review: Waiting) -> None:
    at = press(press(page(), "Add a subgoal for it"), "Add")
    press(at, "Check")
    assert review.args["subgoals"][-1]["name"] == "Advise on travel"
    assert review.args["subgoals"][-1]["description"] == "advise on travel"


def test_split_offers_the_halves(clean: Waiting) -> None:
    at = press(page(), "Split 1")
    at = fill(fill(at, "split-name-1", "How much"), "split-name-2", "When")
    press(press(at, "Apply"), "Check")
    parts = [(s["id"], s["name"], s["description"]) for s in clean.args["subgoals"][:2]]
    assert parts == [
        ("doses_1", "How much", "States the strength"),
        ("doses_2", "When", "states the timing"),
    ]


def test_merge(clean: Waiting) -> None:
    at = press(page(), "Merge 2")
    at = press(at, "Apply")
    assert "choose what it is to be merged with" in shown(at)
    (group,) = pills(at)
    at = group.set_value([group.options[1]]).run()
    assert [w.value for w in at.text_input if "merge-name" in (w.key or "")] == ["Risks and Care"]
    press(press(at, "Apply"), "Check")
    assert names(clean) == ["Doses", "Risks and Care"]
    assert clean.args["subgoals"][1]["counts"] == CARE.counts


def test_overrule_with_a_reason(review: Waiting) -> None:
    at = press(page(), "Overrule", 1)  # the first is of no card
    at = press(at, "Overrule", 1)
    assert "say why it may stand" in shown(at)
    at = press(fill(at, "overrule-reason", "One desk."), "Overrule", 1)
    assert "Overruled: One desk." in shown(at) and "2 findings open, 2 overruled" in shown(at)
    press(at, "Check")
    assert review.args["overrule"] == {"f1": "One desk."}


def test_undo(clean: Waiting) -> None:
    at = press(press(page(), "Remove 1"), "Remove 1")
    assert "1 subgoal;" in shown(at) and not [b for b in at.button if b.label.startswith("Remove")]
    at = press(at, "Undo the last")
    assert "2 subgoals;" in shown(at) and "1 change not" in shown(at)
    at = press(at, "Undo all")
    assert "3 subgoals;" in shown(at) and "not checked yet" not in shown(at)
    assert clean.sent == []


def test_reject_takes_a_message(clean: Waiting) -> None:
    at = press(page(), "Reject and propose anew")
    assert clean.sent == [] and "say what should be different" in shown(at)
    press(fill(at, "message", " Fewer. "), "Reject and propose anew")
    assert clean.decision == {"type": "reject", "message": "Fewer."}


def test_another_tab_was_faster(clean: Waiting) -> None:
    """Changes of an older set are not sent for the one that is shown now."""
    at = press(page(), "Remove 2")
    clean.pending = proposed(JOINED)
    at = press(at, "Check")
    assert clean.sent == [] and "1 change of yours" in shown(at) and "Two things." in shown(at)
    assert "3 subgoals;" in shown(at)
    at = press(at, "Remove 3")
    assert "of yours" not in shown(at) and "1 change not checked yet" in shown(at)


def test_changes_outlive_a_server_that_is_busy(clean: Waiting) -> None:
    clean.busy = True
    at = press(press(page(), "Remove 2"), "Check")
    assert "another tab started it" in shown(at)
    clean.busy = False
    press(at, "Check")
    assert names(clean) == ["Doses", "Care"]


@pytest.mark.parametrize("word", ["Check", "Check and approve"])
def test_changes_outlive_a_send_that_failed(clean: Waiting, word: str) -> None:
    """A script had the run, or a person paused it at once: the same review is shown again."""
    at = press(page(), "Remove 2")
    clean.then = "stopped"
    at = press(at, word)
    assert "It stopped" in shown(at)
    clean.then = clean.meanwhile = None
    at = at.run()
    assert "1 change not checked yet" in shown(at) and "of yours" not in shown(at)
    press(at, word)
    assert len(clean.sent) == 2 and clean.sent[0] == clean.sent[1]


@pytest.mark.parametrize(("error", "lost"), [("", False), ("under way in another process", True)])
def test_changes_that_this_tab_sent_are_not_said_to_be_lost(
    clean: Waiting, error: str, lost: bool
) -> None:
    """But those are that could not be sent before another process answered."""
    at = press(page(), "Remove 2")
    clean.then = "stopped"
    at = press(at, "Check")
    clean.then, clean.meanwhile, clean.pending = None, None, proposed(JOINED)
    clean.job = Job("x", error=error)
    at = at.run()
    assert ("1 change of yours" in shown(at)) == lost
    assert "3 subgoals;" in shown(at) and "not checked yet</summary>" not in shown(at)


def test_a_reason_and_a_message_outlive_it_too(review: Waiting) -> None:
    at = fill(fill(page(), "stand", "One desk."), "message", "Fewer.")
    review.then = "stopped"
    at = press(at, "Approve and start scoring")
    review.then = review.meanwhile = None
    at = at.run()
    kept = [w.value for w in (*at.text_input, *at.text_area)]
    assert {"One desk.", "Fewer."} <= set(kept)


# --- what scoring takes


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"question": "q{i}", "answer": "a{i}"}}\n' for i in range(20)))
    return path


def chat_config(rows: Path, **options: Any) -> RunConfig:
    server = {"model": "gpt-4o-mini", "base_url": "https://api.openai.com/v1"}
    return session.configure(str(rows), "Explain medicines.", **server, **options)


def test_what_a_chat_model_takes_is_told_before_the_approval(clean: Waiting, rows: Path) -> None:
    clean.config = chat_config(rows)
    text = shown(page())
    assert "judged by gpt-4o-mini, in 1 call, against all 3 subgoals" in text
    assert "Expected: 20 rows, 20 calls" in text and "USD, in a time not known" in text
    assert "are assumed" in text and "retries" in text, "how it was foretold"
    assert clean.sent == []


def test_a_row_takes_more_calls_where_there_are_many_subgoals(rows: Path) -> None:
    assert "in 2 calls" in forecasting.judge_line(chat_config(rows), 7)
    assert "in 7 calls" in forecasting.judge_line(chat_config(rows, mode="pairwise"), 7)


def test_a_cap_and_an_unknown_price_are_told(rows: Path) -> None:
    config = chat_config(rows, max_calls=10).model_copy(update={"model": "mine"})
    told = forecasting.forecast_line(forecasting.forecast("run-1", config, THREE))
    # A fifth of the cap is kept for the roles that come after the judge.
    assert told.startswith("Expected: 8 rows, 8 calls") and "at a price not known" in told


def test_large_and_missing_files_are_left_to_the_run(
    clean: Waiting, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert forecasting.is_cheap(DataSource(path=str(rows)))
    assert not forecasting.is_cheap(DataSource(path="openai/gsm8k"))
    monkeypatch.setattr(forecasting, "MOST_BYTES", 10)
    clean.config = chat_config(rows)
    assert forecasting.LATER in shown(page())


def test_data_that_cannot_be_read_is_no_failure_of_the_page(clean: Waiting, rows: Path) -> None:
    rows.write_text("no json")
    clean.config = chat_config(rows)
    text = shown(page())
    assert "cannot be foretold" in text and "rows.jsonl" in text
