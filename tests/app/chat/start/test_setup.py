"""The beginning of a conversation: data, goal, settings and one button."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest

from goalcover.app.chat import drafts, uploads
from goalcover.app.chat.drafts import Draft, ModelChoice
from goalcover.app.chat.runner import Runner
from goalcover.app.chat.start import setup
from goalcover.app.chat.start.choices import summary
from goalcover.app.chat.start.data import look, sample_card
from goalcover.app.chat.start.giving import EXAMPLE, EXAMPLE_GOAL, existing, hub_name
from goalcover.graph import session
from goalcover.memory.errors import UserError
from goalcover.tools.datasets import DataSource

GOAL = "Explain doses."
PROMPTS = [{"prompt": f"How much of number {n}?", "completion": f"{n} a day."} for n in range(12)]


class Idle(Runner):
    """Notes what it was told to start."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[str] = []

    def start(self, run_id: str, *_: Any, **__: Any) -> None:
        self.started.append(run_id)


def page(runner: "Runner") -> None:  # its source is run as a script of its own
    import streamlit as st

    from goalcover.app.chat.standing import standing
    from goalcover.app.chat.start import setup

    opened = st.query_params.get("session", "")
    found = standing(opened, runner) if opened else None
    if found is None:
        setup.show_welcome(runner)
    elif found.stage == "setup":
        setup.show_setup(found, runner)
    else:
        st.text(found.stage)


def opened(draft: Draft | None = None, runner: Runner | None = None) -> AppTest:
    at = AppTest.from_function(page, kwargs={"runner": runner or Idle()}, default_timeout=60)
    if draft:
        at.query_params["session"] = draft.id
    at.run()
    assert not at.exception
    return at


def press(at: AppTest, label: str) -> AppTest:
    (button,) = [button for button in at.button if button.label == label]
    button.click().run()
    assert not at.exception
    return at


def labels(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def shown(at: AppTest) -> str:
    return "\n".join(part.proto.body for part in at.get("html"))  # type: ignore[attr-defined]


def kept(at: AppTest) -> Draft:
    """The draft that the page's address names, as it is on disk."""
    draft = drafts.load(str(at.query_params["session"]))
    assert draft
    return draft


def rows_file(path: Path, rows: list[Any], more: str = "") -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + more)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return rows_file(tmp_path / "rows.jsonl", PROMPTS)


def drafted(data: Path, **fields: Any) -> Draft:
    draft = Draft(id=session.new_id(), **fields)
    drafts.save(draft)
    return uploads.name_data(draft.id, str(data))


def test_from_the_example_to_a_run_that_is_started() -> None:
    runner = Idle()
    at = press(opened(runner=runner), "Use the example")
    draft = kept(at)
    assert draft.source and draft.source.path == str(EXAMPLE)
    assert "150 rows" in shown(at) and "form: messages" in shown(at) and "index 0" in shown(at)
    assert "Start" not in labels(at), "nothing is started before there is a goal"
    press(at, "Take this goal")
    assert kept(at).goal == EXAMPLE_GOAL.read_text().strip()
    press(at, "Start")
    assert runner.started == [draft.id]
    assert session.get_run(draft.id).goal == kept(at).goal


def test_an_upload_makes_a_session_and_leaves_no_copy_with_streamlit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    removed: list[str] = []
    monkeypatch.setattr(
        MemoryUploadedFileManager, "remove_file", lambda _, tab, file: removed.append(file)
    )
    at = opened()
    text = "".join(json.dumps(row) + "\n" for row in PROMPTS).encode()
    at.file_uploader[0].set_value(("my rows.jsonl", text, "application/jsonl")).run()
    draft = kept(at)
    assert draft.uploaded == "my rows.jsonl" and draft.source
    assert Path(draft.source.path).read_bytes() == text
    assert "my rows.jsonl" in shown(at) and "12 rows" in shown(at)
    assert not at.file_uploader and len(removed) == 1


def test_a_path_that_is_no_file_is_said_and_makes_no_session(data: Path) -> None:
    at = opened()
    at.text_input("new-path").set_value(str(data) + "x")
    press(at, "Use this file")
    assert "There is no file" in shown(at) and at.text_input("new-path").value == f"{data}x"
    assert list(drafts.drafts()) == [] and not at.query_params
    at.text_input("new-path").set_value(str(data))
    press(at, "Use this file")
    assert kept(at).data == "rows.jsonl"


def test_paths_are_made_absolute(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(data.parent))
    monkeypatch.chdir(data.parent)
    assert existing(" ~/rows.jsonl ") == existing("rows.jsonl") == str(data)


@pytest.mark.parametrize("given", ["", "  ", "/", "~nobody-here/x", "x" * 5000, "a\x00b"])
def test_what_is_no_file_is_a_user_error(given: str) -> None:
    with pytest.raises(UserError, match="no file"):
        existing(given)


def test_names_of_the_hub() -> None:
    assert hub_name(" owner/name:configuration ") == "owner/name:configuration"
    for wrong in ("", "name", "/etc/passwd", "./x/y", "~/x", "a/b/c", "../x", "a/"):
        with pytest.raises(UserError, match="owner/name"):
            hub_name(wrong)


def test_the_goal_is_said_in_the_chat_box_and_can_be_changed(data: Path) -> None:
    at = opened(drafted(data))
    at.chat_input[0].set_value(f" {GOAL}\n").run()
    assert kept(at).goal == GOAL and f"{GOAL}</p>" in shown(at)
    press(at, "Change the goal")
    at.chat_input[0].set_value("Explain risks.").run()
    assert kept(at).goal == "Explain risks."
    at.chat_input[0].set_value("…?").run()
    assert "Say the goal in words" in shown(at) and kept(at).goal == "Explain risks."


def test_columns_are_picked_where_the_form_is_unknown(tmp_path: Path) -> None:
    rows = [{"frage": f"f{n}", "kontext": "k", "antwort": f"a{n}"} for n in range(3)]
    at = opened(drafted(rows_file(tmp_path / "de.jsonl", rows), goal=GOAL))
    assert "form not recognised" in shown(at) and "<table" in shown(at)
    (start,) = [button for button in at.button if button.label == "Start"]
    assert start.disabled and "which columns are input and output" in shown(at)
    press(at, "Use these columns")
    assert "Choose at least one input column" in shown(at)
    at.multiselect[0].set_value(["frage", "kontext"])
    at.selectbox[0].set_value("antwort")
    press(at, "Use these columns")
    source = kept(at).source
    assert source and (source.input_columns, source.output_column) == (
        ["frage", "kontext"],
        "antwort",
    )
    assert "form: columns" in shown(at)
    press(at, "Recognise the form")
    assert "form not recognised" in shown(at)


def test_bad_lines_are_left_out_when_a_person_says_so(tmp_path: Path) -> None:
    at = opened(drafted(rows_file(tmp_path / "bad.jsonl", PROMPTS, "no json\n"), goal=GOAL))
    assert "1 line of the file cannot be read as a JSON object: line 13." in shown(at)
    (start,) = [button for button in at.button if button.label == "Start"]
    assert start.disabled and "what to do with the bad lines" in shown(at)
    at.checkbox[0].check().run()
    source = kept(at).source
    assert source and source.skip_bad_rows
    (start,) = [button for button in at.button if button.label == "Start"]
    assert not start.disabled


def test_a_file_that_cannot_be_read_is_said_and_read_again_on_demand(data: Path) -> None:
    draft = drafted(data)
    data.write_text("")
    at = opened(draft)
    assert "is empty" in shown(at) and "role='alert'" in shown(at)
    rows_file(data, PROMPTS)
    press(at, "Read it again")
    assert "12 rows" in shown(at)


def test_a_preview_is_made_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[DataSource] = []
    monkeypatch.setattr(
        "goalcover.app.chat.start.data.preview", lambda source, *_: calls.append(source)
    )
    source = DataSource(path=str(data))
    assert look(source) == look(source)
    assert len(calls) == 1
    rows_file(data, PROMPTS[:3])
    look(source)
    assert len(calls) == 2, "the file changed"


def test_other_data_takes_the_place_of_the_first(data: Path, tmp_path: Path) -> None:
    other = rows_file(tmp_path / "other.jsonl", PROMPTS[:5])
    draft = drafted(data, goal=GOAL)
    at = press(opened(draft), "Other data")
    at.text_input(f"{draft.id}-path").set_value(str(other))
    press(at, "Use this file")
    assert kept(at).id == draft.id and kept(at).goal == GOAL and kept(at).data == "other.jsonl"
    assert "5 rows" in shown(at) and not at.file_uploader


def test_settings_are_kept_at_once_and_shown_by_another_tab(data: Path) -> None:
    draft = drafted(data, goal=GOAL)
    at = opened(draft)
    at.slider(f"{draft.id}-tau").set_value(0.7).run()
    at.radio(f"{draft.id}-judging").set_value("sample").run()
    at.number_input(f"{draft.id}-max_calls").set_value(50).run()
    at.text_input(f"{draft.id}-domain").set_value("health").run()
    now = kept(at)
    assert (now.tau, now.precision, now.max_calls, now.domain) == (0.7, 0.03, 50, "health")
    other = opened(draft)
    assert other.slider(f"{draft.id}-tau").value == 0.7
    other.slider(f"{draft.id}-tau").set_value(0.4).run()
    at.run()
    assert at.slider(f"{draft.id}-tau").value == 0.4, "what starts is what is shown"
    assert "τ = 0.4" in shown(at) and "± 0.03" in shown(at) and "at most 50 calls" in shown(at)
    at.radio(f"{draft.id}-judging").set_value("all").run()
    assert kept(at).precision is None


def test_a_cap_that_cannot_be_is_said_and_not_kept(data: Path) -> None:
    draft = drafted(data, goal=GOAL)
    at = opened(draft)
    at.number_input(f"{draft.id}-max_calls").set_value(0).run()
    assert "“Most calls”: Input should be greater than" in shown(at) and kept(at).max_calls is None
    assert at.number_input(f"{draft.id}-max_calls").value is None, "what starts is what is shown"


def test_the_data_is_folded_once_there_is_a_goal(data: Path) -> None:
    at = opened(drafted(data))
    assert "The data: " not in "".join(one.label for one in at.expander)
    at.chat_input[0].set_value(GOAL).run()
    assert "12 rows" in at.expander[0].label and "Other data" in labels(at)


def test_what_is_chosen_in_words() -> None:
    chosen = dict(summary(Draft(id=session.new_id(), budget=2.5, max_calls=9000, synthesize=0)))
    assert chosen["Caps"] == "at most 9,000 calls and 2.5 USD"
    assert chosen["Synthesis"] == "none"
    assert chosen["Judging"].startswith("every row")


def test_rows_of_a_preview_are_escaped_and_cut(tmp_path: Path) -> None:
    row = {"prompt": "<img src=x> ![x](https://evil.example)", "completion": "y" * 5000}
    seen = look(DataSource(path=str(rows_file(tmp_path / "evil.jsonl", [row])))).preview
    assert seen
    card = sample_card(seen.samples[0])
    assert "<img" not in card and "… 4,400 more characters" in card and len(card) < 2_000


def test_two_starts_at_once_start_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draft, runner, entered = drafted(data, goal=GOAL, name="Mine"), Idle(), session.new_run
    calls: list[str] = []

    def noted(*given: Any) -> str:
        calls.append(given[1])
        return entered(*given)

    monkeypatch.setattr(session, "new_run", noted)
    threads = [threading.Thread(target=setup.start, args=(draft, runner)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == runner.started == [draft.id]
    assert session.get_run(draft.id).name == "Mine"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"models": ModelChoice(kind="server")}, "Name the model of the server"),
        (
            {
                "models": ModelChoice(kind="server", model="m", base_url="http://127.0.0.1:1/v1"),
                "budget": 1.0,
            },
            "the price of",
        ),
        ({"models": ModelChoice(kind="server", model="m", base_url="nowhere")}, "nowhere is not"),
    ],
)
def test_what_cannot_start_is_said_in_place_and_nothing_is_lost(
    fields: dict[str, Any], says: str, data: Path
) -> None:
    runner = Idle()
    draft = drafted(data, goal=GOAL, **fields)
    at = press(opened(draft, runner), "Start")
    assert says in shown(at) and "--" not in shown(at)
    assert runner.started == [] and not drafts.entered(draft.id) and kept(at) == draft


def test_a_file_that_went_away_is_said_in_place(data: Path) -> None:
    runner = Idle()
    at = opened(drafted(data, goal=GOAL), runner)
    data.unlink()
    at.run()
    assert "There is no file" in shown(at) and "Start" in labels(at) and runner.started == []


def test_a_typed_key_goes_with_the_run_and_is_not_kept(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenAI's own server wants a key: without one the run is refused before it is entered."""
    runner = Idle()
    draft = drafted(data, goal=GOAL, models=ModelChoice(kind="server", model="m"))
    with pytest.raises(UserError, match="needs a server"):
        setup.start(draft, runner)
    runner.keys.keep(draft.id, None, "sk-typed-0123456789")
    setup.start(draft, runner)
    assert runner.started == [draft.id] and "sk-typed" not in session.get_run(draft.id).config
