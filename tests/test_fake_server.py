"""The fake endpoint does over real HTTP what its docstrings say, seen through the openai SDK."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest
from fake_batches import FakeBatches
from fake_server import Behaviour, Body, FakeServer

ANSWER = {"label": "covered", "why": "größer"}
TOOL = {"type": "function", "function": {"name": "report", "parameters": {"type": "object"}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "report", "schema": {"type": "object"}}}


def answer(_: Body) -> dict[str, Any]:
    return ANSWER


def always(behaviour: Behaviour) -> Callable[[int, Body], Behaviour]:
    return lambda n, body: behaviour


def client_for(server: FakeServer, api_key: str = "key", timeout: float = 5.0) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.base_url, api_key=api_key, timeout=timeout, max_retries=0)


def ask(server: FakeServer, *, api_key: str = "key", timeout: float = 5.0, **extra: Any) -> Any:
    call = {"model": "m", "messages": [{"role": "user", "content": "goal?"}]} | extra
    with client_for(server, api_key, timeout) as client:
        return client.chat.completions.create(**call)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(answer) as running:
        yield running
    assert running.errors == []


def test_answers_and_records(server: FakeServer) -> None:
    first = ask(server, messages=[{"role": "user", "content": "x" * 4000}])
    ask(server, model="other", api_key="second")
    assert json.loads(first.choices[0].message.content) == ANSWER
    assert first.choices[0].finish_reason == "stop"
    assert 1000 <= first.usage.prompt_tokens <= 1020
    assert first.usage.completion_tokens == len(first.choices[0].message.content) // 4
    assert first.usage.total_tokens == first.usage.prompt_tokens + first.usage.completion_tokens
    assert first.usage.prompt_tokens_details.cached_tokens == 0
    assert [body["model"] for body in server.requests] == ["m", "other"]
    assert [h["authorization"] for h in server.headers] == ["Bearer key", "Bearer second"]
    assert server.calls == 2


def test_a_str_is_sent_as_it_is(server: FakeServer) -> None:
    server.answer = lambda body: "```json\n{}\n```"
    assert ask(server).choices[0].message.content == "```json\n{}\n```"


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": TOOL["function"]}])
def test_a_forced_tool_carries_the_answer(server: FakeServer, choice: Any) -> None:
    message = ask(server, tools=[TOOL], tool_choice=choice).choices[0].message
    assert message.content is None
    assert message.tool_calls[0].function.name == "report"
    assert json.loads(message.tool_calls[0].function.arguments) == ANSWER


def test_an_unforced_tool_is_not_called(server: FakeServer) -> None:
    message = ask(server, tools=[TOOL], tool_choice="auto").choices[0].message
    assert message.tool_calls is None
    assert json.loads(message.content) == ANSWER


def test_models_and_key() -> None:
    with FakeServer(answer, api_key="right", models={"m", "n"}) as server:
        assert [model.id for model in client_for(server, "right").models.list()] == ["m", "n"]
        with pytest.raises(openai.AuthenticationError):
            client_for(server, "wrong").models.list()
        with pytest.raises(openai.AuthenticationError) as wrong_key:
            ask(server, api_key="wrong")
        with pytest.raises(openai.NotFoundError) as wrong_model:
            ask(server, api_key="right", model="unknown")
        assert wrong_key.value.code == "invalid_api_key"
        assert wrong_model.value.code == "model_not_found"
        assert ask(server, api_key="right").choices[0].message.content


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("json_schema", {"response_format": SCHEMA}),
        ("json_object", {"response_format": {"type": "json_object"}}),
        ("tools", {"tools": [TOOL], "tool_choice": "required"}),
    ],
)
def test_unsupported_structured_output(name: str, extra: dict[str, Any]) -> None:
    every = {"json_schema", "json_object", "tools"}
    with FakeServer(answer, structured={name}) as server:
        ask(server, **extra)
        server.structured = every - {name}
        with pytest.raises(openai.BadRequestError, match=f"{name} (is|are) not supported"):
            ask(server, **extra)


def test_status_for_one_call_with_retry_after(server: FakeServer) -> None:
    busy = Behaviour("status", status=429, retry_after=0.5)
    server.behaviour = lambda n, body: busy if n == 0 else Behaviour()
    with pytest.raises(openai.RateLimitError) as caught:
        ask(server)
    assert caught.value.response.headers["retry-after"] == "0.5"
    assert ask(server).choices[0].message.content


def test_misshapen_answers(server: FakeServer) -> None:
    server.behaviour = always(Behaviour("truncate"))
    choice = ask(server).choices[0]
    assert choice.finish_reason == "length"
    with pytest.raises(json.JSONDecodeError):
        json.loads(choice.message.content)
    server.behaviour = always(Behaviour("wrong_schema"))
    assert json.loads(ask(server).choices[0].message.content) == {"unexpected": True}
    server.behaviour = always(Behaviour("refusal"))
    message = ask(server, tools=[TOOL], tool_choice="required").choices[0].message
    assert (message.content, message.tool_calls) == (None, None)
    assert message.refusal
    server.behaviour = always(Behaviour("broken_json"))
    with client_for(server) as client:
        raw = client.chat.completions.with_raw_response.create(
            model="m", messages=[{"role": "user", "content": "goal?"}]
        )
    assert raw.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(raw.content)


def test_slow_drip_outlasts_a_read_timeout(server: FakeServer) -> None:
    server.behaviour = always(Behaviour("slow_drip", seconds=0.6))
    started = time.monotonic()
    reply = ask(server, timeout=0.3)
    assert json.loads(reply.choices[0].message.content) == ANSWER
    assert 0.5 < time.monotonic() - started < 1.5


def test_drop(server: FakeServer) -> None:
    server.behaviour = always(Behaviour("drop"))
    with pytest.raises(openai.APIConnectionError) as caught:
        ask(server)
    assert not isinstance(caught.value, openai.APITimeoutError)


def test_hang_ends_with_the_client(server: FakeServer) -> None:
    server.behaviour = lambda n, body: Behaviour("hang" if n < 4 else "ok")
    for _ in range(4):
        with pytest.raises(openai.APITimeoutError):
            ask(server, timeout=0.1)
    assert ask(server).choices[0].message.content
    assert server.in_flight_peak <= 2  # a call may arrive just before the last one is given up


def test_stops_promptly_while_calls_hang_and_restarts_on_its_port(server: FakeServer) -> None:
    server.behaviour = lambda n, body: Behaviour("hang" if n < 8 else "ok")
    url = server.base_url
    with ThreadPoolExecutor(8) as pool:
        hanging = [pool.submit(ask, server) for _ in range(8)]
        while len(server.requests) < 8:
            time.sleep(0.01)
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 1
        assert all(isinstance(call.exception(), openai.APIConnectionError) for call in hanging)
    with pytest.raises(openai.APIConnectionError):
        ask(server)
    server.stop()
    server.start()
    assert server.base_url == url
    assert ask(server).choices[0].message.content
    assert server.calls == 9


def test_latency_and_in_flight_peak(server: FakeServer) -> None:
    server.latency = 0.3
    started = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: ask(server), range(6)))
    assert server.in_flight_peak == 6
    assert 0.3 <= time.monotonic() - started < 1.5


def test_a_failing_answer_is_sent_and_kept() -> None:
    def fail(_: Body) -> str:
        raise LookupError("no such case")

    with FakeServer(fail) as server:
        with pytest.raises(openai.InternalServerError, match="no such case"):
            ask(server)
        assert [type(error) for error in server.errors] == [LookupError]


# --- batches


def send(client: openai.OpenAI, count: int, **extra: Any) -> Any:
    """A batch of so many requests."""
    lines = []
    for number in range(count):
        body = {"model": "m", "messages": [{"role": "user", "content": f"goal {number}?"}]} | extra
        line = {"custom_id": f"row-{number}", "method": "POST", "url": "/v1/chat/completions"}
        lines.append(json.dumps(line | {"body": body}).encode())
    file = client.files.create(file=("rows.jsonl", b"\n".join(lines)), purpose="batch")
    assert client.files.retrieve(file.id).bytes == len(b"\n".join(lines))
    return client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h",
        metadata={"name": "a"},
    )  # fmt: skip


def lines_of(client: openai.OpenAI, file_id: str | None) -> dict[str, Any]:
    assert file_id
    lines = [json.loads(line) for line in client.files.content(file_id).text.splitlines()]
    return {line["custom_id"]: line for line in lines}


def test_a_batch_from_file_to_file() -> None:
    fails = Behaviour("status", status=503)
    with FakeServer(answer, batches=FakeBatches(looks=1)) as server, client_for(server) as client:
        server.behaviour = lambda n, body: (
            {1: fails, 2: Behaviour("drop")}.get(n) or Behaviour("refusal" if n == 3 else "ok")
        )
        made = send(client, 5)
        assert (made.status, made.metadata) == ("validating", {"name": "a"})
        assert client.batches.retrieve(made.id).status == "in_progress"
        ended = client.batches.retrieve(made.id)
        assert ended.status == "completed"
        assert ended.request_counts and ended.request_counts.model_dump() == {
            "total": 5, "completed": 3, "failed": 1,
        }  # fmt: skip
        good = lines_of(client, ended.output_file_id)
        assert set(good) == {"row-0", "row-3", "row-4"} and list(good) != sorted(good)
        message = good["row-0"]["response"]["body"]["choices"][0]["message"]
        assert json.loads(message["content"]) == ANSWER
        assert good["row-3"]["response"]["body"]["choices"][0]["message"]["refusal"]
        bad = lines_of(client, ended.error_file_id)
        assert bad["row-1"]["response"]["status_code"] == 503
        assert [batch.id for batch in client.batches.list(limit=3)] == [made.id]
        assert server.batches and sorted(server.batches.billed) == ["row-0", "row-3", "row-4"]


def test_batches_that_end_early() -> None:
    fake = FakeBatches(partly=1, expire=lambda n: n == 0)
    with FakeServer(answer, batches=fake) as server, client_for(server) as client:
        expired = client.batches.retrieve(send(client, 3).id)
        assert expired.status == "expired"
        assert len(lines_of(client, expired.output_file_id)) == 1
        left = lines_of(client, expired.error_file_id)
        assert [line["error"]["code"] for line in left.values()] == ["batch_expired"] * 2
        fake.hold = True
        second = send(client, 3)
        assert client.batches.cancel(second.id).status == "cancelling"
        assert client.batches.retrieve(second.id).status == "cancelling"
        fake.hold = False
        assert client.batches.retrieve(second.id).status == "cancelled"
        with pytest.raises(openai.ConflictError):
            client.batches.cancel(second.id)
        fake.refuse = lambda n: ("invalid_model", "no such model")
        failed = client.batches.retrieve(send(client, 3).id)
        assert failed.errors and failed.errors.data
        assert failed.errors.data[0].message == "no such model"
        assert len(fake.billed) == 2


def test_batches_want_the_key_and_may_be_missing() -> None:
    with FakeServer(answer, api_key="right", batches=FakeBatches()) as server:
        with pytest.raises(openai.AuthenticationError):
            client_for(server, "wrong").batches.list()
        with pytest.raises(openai.NotFoundError):
            client_for(server, "right").batches.retrieve("batch_0")
    with FakeServer(answer) as server, pytest.raises(openai.NotFoundError):
        send(client_for(server), 1)


def test_runs_as_a_process() -> None:
    script = Path(__file__).with_name("fake_server.py")
    command = [sys.executable, str(script), "--answers", f"{Path(__file__).stem}:answer"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        try:
            assert process.stdout
            remote = FakeServer(answer)  # never started: only its URL is used
            remote.base_url = process.stdout.readline().strip()
            assert json.loads(ask(remote).choices[0].message.content) == ANSWER
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=5) == 0
        finally:
            process.kill()
