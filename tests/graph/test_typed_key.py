"""Two people's runs at once, each with a key of its own, and what is left of the keys."""

import logging
import threading
from pathlib import Path

import pytest
from answers import answer, support_rows
from fake_server import FakeServer
from judging import THREE

from goalcover.graph import session
from goalcover.memory.errors import UserError
from goalcover.tools.chat_model import typed_key

KEYS = ["sk-of-the-first-person-123", "sk-of-the-second-person-456"]


def holding(folder: Path, text: str) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if text.encode() in path.read_bytes()]


def test_two_runs_at_once_send_each_its_own_key_and_keep_none(
    tmp_path: Path, own_home: Path, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    data = tmp_path / "rows.jsonl"
    data.write_text(support_rows(6))
    errors: dict[str, str] = {}

    def work(key: str, server: FakeServer, name: str) -> None:
        try:
            with typed_key(key):
                run_id = session.new_run(
                    session.configure(
                        data, "Say the dose.", subgoals=THREE, synthesize=0, model=name,
                        base_url=server.base_url, out=str(tmp_path / name),
                    )
                )  # fmt: skip
                session.resume(run_id)
        except UserError as error:
            errors[name] = str(error)

    with FakeServer(answer, api_key=KEYS[0]) as first, FakeServer(answer) as second:
        jobs = [(KEYS[0], first, "good"), (KEYS[1], second, "other"), (KEYS[1], first, "refused")]
        threads = [threading.Thread(target=work, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert list(errors) == ["refused"] and "the key that was typed" in errors["refused"]
    assert {headers["authorization"] for headers in second.headers} == {f"Bearer {KEYS[1]}"}
    assert {headers["authorization"] for headers in first.headers} == {
        f"Bearer {key}" for key in KEYS
    }
    assert holding(own_home, "The row does not show it."), "what is kept is looked into"
    logged = caplog.text + "".join(capfd.readouterr())
    for key in KEYS:
        assert holding(tmp_path, key) == []
        assert key not in logged and key not in errors["refused"]
