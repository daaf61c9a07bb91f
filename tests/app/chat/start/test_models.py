"""Which models a session asks: chosen, tried over real HTTP, and the key that is nowhere kept."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from fake_server import Behaviour, FakeServer
from judging import well_judged
from streamlit.testing.v1 import AppTest

from goalcover.app.chat import drafts
from goalcover.app.chat.drafts import Draft, ModelChoice
from goalcover.app.chat.runner import Runner
from goalcover.app.chat.start import models
from goalcover.graph import session
from goalcover.memory.errors import UserError

SECRET = "sk-very-secret-0123456789"


def choice(server: FakeServer, model: str = "writer", judge: str = "") -> ModelChoice:
    return ModelChoice(kind="server", model=model, judge=judge, base_url=server.base_url)


def test_one_call_shows_what_the_model_is() -> None:
    with FakeServer(well_judged) as server:
        (told,) = models.tried(choice(server), nullcontext())
    assert server.calls == 1
    for shown in ("writer at 127.0.0.1", "json schema", "not known", "0.4", "about percentages"):
        assert shown in told
    assert "role='status'" in told


def test_a_judge_of_its_own_is_tried_too() -> None:
    with FakeServer(well_judged) as server:
        told = models.tried(choice(server, judge="judge"), nullcontext())
        assert [body["model"] for body in server.requests] == ["writer", "judge"]
        assert len(told) == 2
        models.tried(choice(server, judge="writer"), nullcontext())
    assert server.calls == 3, "the same model is asked once"


def test_a_typed_key_is_sent_and_a_wrong_one_told_in_one_line() -> None:
    runner = Runner()
    with FakeServer(well_judged, api_key=SECRET) as server:
        runner.keys.keep("x", server.base_url, SECRET)
        (good,) = models.tried(choice(server), runner.keys.used("x", server.base_url))
        runner.keys.keep("x", server.base_url, SECRET + "?")
        (bad,) = models.tried(choice(server), runner.keys.used("x", server.base_url))
    assert "answers" in good and SECRET not in good
    assert "role='alert'" in bad and "\n" not in bad and SECRET not in bad


def test_what_goes_wrong_is_told_for_each_model() -> None:
    def moody(n: int, body: dict[str, object]) -> Behaviour:
        return Behaviour("status", status=500) if body["model"] == "writer" else Behaviour()

    with FakeServer(well_judged, behaviour=moody) as server:
        bad, good = models.tried(choice(server, judge="judge"), nullcontext())
    assert "role='alert'" in bad and "writer" in bad
    assert "judge at" in good


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ({}, "name the model"),
        ({"model": "m"}, "needs a server"),
        ({"model": "m", "base_url": "ftp://x"}, "“Address of the server” ftp://x is"),
        ({"model": "m", "base_url": "http://u:p@127.0.0.1/v1"}, "no credentials"),
    ],
)
def test_what_cannot_be_asked_is_said_in_the_words_of_the_page(
    made: dict[str, str], says: str
) -> None:
    (told,) = models.tried(ModelChoice.model_validate({"kind": "server", **made}), nullcontext())
    assert says in told and "--" not in told and "u:p" not in told


def test_words_of_a_model_are_text() -> None:
    def hostile(body: dict[str, object]) -> dict[str, object]:
        answer = well_judged(body)
        answer["judgements"][0]["explanation"] = "<img src=https://evil.example/p.png>"  # type: ignore[index]
        return answer

    with FakeServer(hostile) as server:
        (told,) = models.tried(choice(server), nullcontext())
    assert "<img" not in told and "&lt;img" in told


def test_a_server_without_a_model_is_not_taken_for_the_embedded_one() -> None:
    with pytest.raises(UserError, match="name the model"):
        models.check_named(ModelChoice(kind="server", base_url="http://127.0.0.1:1/v1"))
    models.check_named(ModelChoice())


def test_the_models_in_words() -> None:
    assert models.in_words(ModelChoice()) == "embedded, on this machine"
    server = ModelChoice(kind="server", model="m", judge="j", base_url="http://127.0.0.1:1/v1")
    assert models.in_words(server) == "m, judged by j at http://127.0.0.1:1/v1"
    judge = ModelChoice(kind="server", judge="j", base_url="http://127.0.0.1:1/v1")
    assert models.in_words(judge) == "embedded, judged by j at http://127.0.0.1:1/v1"


def settings(runner: "Runner", session_id: str) -> None:  # its source is run as a script of its own
    from goalcover.app.chat import drafts
    from goalcover.app.chat.start import fields, models

    draft = drafts.load(session_id)
    assert draft
    fields.show_problem(session_id)
    models.show_models(draft, runner)


def opened(draft: Draft, runner: Runner) -> AppTest:
    drafts.save(draft)
    given = {"runner": runner, "session_id": draft.id}
    return AppTest.from_function(settings, kwargs=given, default_timeout=60).run()


def type_key(at: AppTest, draft: Draft, key: str) -> None:
    at.text_input(f"{draft.id}-key").set_value(key)
    at.button(f"{draft.id}-keep-key").click().run()


def kept(draft: Draft) -> str:
    return "".join(p.read_text() for p in drafts.folder(draft.id).rglob("*") if p.is_file())


def test_a_server_is_chosen_and_tried_on_the_page() -> None:
    draft, runner = Draft(id=session.new_id()), Runner()
    with FakeServer(well_judged, api_key=SECRET) as server:
        at = opened(draft, runner)
        assert not at.text_input, "the embedded model asks for nothing"
        at.radio(f"{draft.id}-models.kind").set_value("server").run()
        at.text_input(f"{draft.id}-models.base_url").set_value(server.base_url)
        at.text_input(f"{draft.id}-models.model").set_value("writer")
        type_key(at, draft, SECRET)
        at.button(f"{draft.id}-key-action").click().run()
        shown = at.get("html")[-1].proto.body  # type: ignore[attr-defined]
    assert not at.exception and "writer at 127.0.0.1" in shown
    assert drafts.load(draft.id) == draft.model_copy(update={"models": choice(server)})


def test_a_key_is_nowhere_but_in_the_memory_of_the_runner() -> None:
    draft, runner = Draft(id=session.new_id(), models=ModelChoice(kind="server")), Runner()
    at = opened(draft, runner)
    type_key(at, draft, f" {SECRET} ")
    assert runner.keys.of(draft.id, None) == SECRET
    assert SECRET not in repr(at.session_state) and SECRET not in kept(draft)
    assert at.text_input(f"{draft.id}-key").value == ""
    type_key(at, draft, SECRET + "2")
    assert runner.keys.of(draft.id, None) == SECRET + "2", "a wrong one is replaced at once"
    at.button(f"{draft.id}-forget").click().run()
    assert not runner.keys.of(draft.id, None) and at.text_input(f"{draft.id}-key").value == ""


def test_a_key_does_not_follow_the_address() -> None:
    models_of = ModelChoice(kind="server", base_url="http://127.0.0.1:1/v1")
    draft, runner = Draft(id=session.new_id(), models=models_of), Runner()
    at = opened(draft, runner)
    type_key(at, draft, SECRET)
    assert runner.keys.of(draft.id, models_of.base_url) == SECRET
    at.text_input(f"{draft.id}-models.base_url").set_value("http://127.0.0.1:2/v1").run()
    shown = "".join(part.proto.body for part in at.get("html"))  # type: ignore[attr-defined]
    assert "was for http://127.0.0.1:1/v1" in shown and "not sent to http://127.0.0.1:2" in shown
    assert [box for box in at.text_input if box.key == f"{draft.id}-key"], "it is asked for anew"
    assert not any(runner.keys.of(draft.id, f"http://127.0.0.1:{n}/v1") for n in (1, 2))


def test_a_key_that_cannot_be_sent_is_not_kept() -> None:
    draft, runner = Draft(id=session.new_id(), models=ModelChoice(kind="server")), Runner()
    at = opened(draft, runner)
    type_key(at, draft, "“sk-0123456789”")
    assert not runner.keys.of(draft.id, None)
    told = "".join(part.proto.body for part in at.get("html"))  # type: ignore[attr-defined]
    assert "role='alert'" in told and "0123456789" not in told


def test_a_typed_key_is_kept_before_the_connection_is_tested() -> None:
    runner = Runner()
    with FakeServer(well_judged, api_key=SECRET) as server:
        draft = Draft(id=session.new_id(), models=choice(server))
        at = opened(draft, runner)
        for key, says in ((SECRET + "?", "role='alert'"), (SECRET, "answers"), ("", "answers")):
            at.text_input(f"{draft.id}-key").set_value(key)
            at.button(f"{draft.id}-key-action").click().run()
            assert says in at.get("html")[-1].proto.body  # type: ignore[attr-defined]
        calls = server.calls
        at.text_input(f"{draft.id}-key").set_value("“no key”")
        at.button(f"{draft.id}-key-action").click().run()
        assert server.calls == calls and runner.keys.of(draft.id, server.base_url) == SECRET


def test_the_environments_key_is_named_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    draft = Draft(id=session.new_id(), models=ModelChoice(kind="server"))
    at = opened(draft, Runner())
    shown = "".join(part.proto.body for part in at.get("html"))  # type: ignore[attr-defined]
    assert "OPENAI_API_KEY is set" in shown and SECRET not in shown


def started(runner: "Runner", session_id: str) -> None:  # its source is run as a script of its own
    from goalcover.app.chat.standing import standing
    from goalcover.app.chat.start import key, models

    found = standing(session_id, runner)
    models.show_models_of(found, runner)
    key.ask_again(found, runner)  # as its view does where it stopped


def stopped(runner: "Runner", session_id: str) -> None:  # its source is run as a script of its own
    import streamlit as st

    from goalcover.app.chat.standing import standing
    from goalcover.app.chat.start import key

    if key.ask_to_go_on(standing(session_id, runner), runner):
        st.text("goes on")


def test_a_typed_key_is_kept_before_a_run_goes_on(tmp_path: Path) -> None:
    data, url = tmp_path / "rows.jsonl", "http://127.0.0.1:1/v1"
    data.write_text('{"prompt": "a", "completion": "b"}\n')
    run_id = session.new_run(session.configure(data, "Answer.", model="m", base_url=url))
    runner = Runner()
    at = AppTest.from_function(stopped, kwargs={"runner": runner, "session_id": run_id}).run()
    for key, kept in (("“no key”", ""), (SECRET, SECRET)):
        at.text_input(f"{run_id}-key").set_value(key)
        next(one for one in at.button if one.label == "Go on").click().run()
        assert runner.keys.of(run_id, url) == kept and bool(at.text) == bool(kept)


@pytest.mark.parametrize("asks", ["server", "embedded"])
def test_a_started_session_asks_for_its_key_again(
    asks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text('{"prompt": "a", "completion": "b"}\n')
    served: dict[str, Any] = {}
    if asks == "server":
        served = {"model": "m", "base_url": "http://127.0.0.1:1/v1"}
    run_id = session.new_run(session.configure(data, "Answer.", **served))
    at = AppTest.from_function(started, kwargs={"runner": Runner(), "session_id": run_id}).run()
    shown = "".join(part.proto.body for part in at.get("html"))  # type: ignore[attr-defined]
    assert ("Model: m at" if served else "Model: embedded") in shown
    assert bool(at.text_input) == bool(served)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert not at.run().text_input, "the environment's is sent"
