"""The chat model over real HTTP: what servers do wrong, and what the run learns of it."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from fake_server import Behaviour, Body, FakeServer
from hypothesis import given, settings
from hypothesis import strategies as st

from goalcover.memory.errors import ModelUnavailable, ReplyFailure, UserError
from goalcover.tools.chat_model import ChatModel, api_key, typed_key, without_key
from goalcover.tools.model import Ask, Message, Reply, ReplySchema
from goalcover.tools.prices import Price

Served = Callable[..., ChatModel]
SECRET = "sk-very-secret-0123456789"


class Word(ReplySchema):
    word: str


class WordAsk(Ask[Word]):
    role = "tester"
    reply = Word
    temperature = 0.3

    def messages(self) -> list[Message]:
        return [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "A word."},
        ]

    def check(self, value: Word) -> None:
        if value.word == "bad":
            raise ValueError("bad is not a good word")


def good(_: Body) -> dict[str, Any]:
    return {"word": "tea"}


def always(kind: Any, **options: Any) -> Callable[[int, Body], Behaviour]:
    return lambda n, body: Behaviour(kind, **options)


def first(kind: Any, **options: Any) -> Callable[[int, Body], Behaviour]:
    """So for the first call, and well for the others."""
    return lambda n, body: Behaviour(kind, **options) if n == 0 else Behaviour()


async def ask(server: FakeServer, retries: int = 0, timeout: float = 10.0) -> Reply[Word]:
    model = ChatModel("m", server.base_url, timeout, retries)
    try:
        return await model.answer(WordAsk())
    finally:
        await model.aclose()


async def failure_of(server: FakeServer, **options: Any) -> str:
    with pytest.raises(ReplyFailure) as caught:
        await ask(server, **options)
    return str(caught.value)


async def outage_of(server: FakeServer, **options: Any) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        await ask(server, **options)
    return str(caught.value)


def form_of(body: Body) -> str:
    if "tools" in body:
        return "tools"
    return body["response_format"]["type"] if "response_format" in body else "plain"


# --- the request


async def test_the_request_holds_prompt_strict_schema_and_temperature() -> None:
    with FakeServer(good) as server:
        assert (await ask(server)).value == Word(word="tea")
    (body,) = server.requests
    assert body["messages"] == WordAsk().messages()
    assert (body["model"], body["temperature"]) == ("m", 0.3)
    form = body["response_format"]["json_schema"]
    assert (form["name"], form["strict"]) == ("Word", True)
    assert form["schema"]["required"] == ["word"]
    assert form["schema"]["additionalProperties"] is False


async def test_the_servers_token_counts_are_taken_over() -> None:
    with FakeServer(lambda body: {"word": "a" * 400}) as server:
        reply = await ask(server)
    assert reply.spent.calls == 1
    assert reply.spent.tokens_in == len(json.dumps(server.requests[0]["messages"])) // 4
    assert reply.spent.tokens_out == len(json.dumps({"word": "a" * 400})) // 4


# --- the ladder


@pytest.mark.parametrize(
    ("takes", "tried"),
    [
        ({"json_schema", "tools", "json_object"}, ["json_schema"]),
        ({"tools", "json_object"}, ["json_schema", "tools"]),
        ({"json_object"}, ["json_schema", "tools", "json_object"]),
        (set[str](), ["json_schema", "tools", "json_object", "plain"]),
    ],
)
async def test_the_ladder_is_climbed_down_once(
    takes: set[str], tried: list[str], served: Served
) -> None:
    with FakeServer(good, structured=takes) as server:
        model = served("m", server.base_url, retries=0)
        assert (await model.answer(WordAsk())).value.word == "tea"
        assert [form_of(body) for body in server.requests] == tried
        assert (await model.answer(WordAsk())).value.word == "tea"
        assert [form_of(body) for body in server.requests] == [*tried, tried[-1]]


async def test_calls_that_are_refused_together_go_down_the_ladder_together() -> None:
    with FakeServer(good, structured={"tools"}, latency=0.02) as server:
        model = ChatModel("m", server.base_url, retries=0)
        await asyncio.gather(*[model.answer(WordAsk()) for _ in range(8)])
        await model.aclose()
    assert [form_of(body) for body in server.requests] == ["json_schema"] * 8 + ["tools"] * 8


@pytest.mark.parametrize("takes", [{"json_object"}, set[str]()])
async def test_the_schema_is_told_in_words_where_the_server_takes_none(takes: set[str]) -> None:
    with FakeServer(good, structured=takes) as server:
        await ask(server)
    assert '"required": ["word"]' in server.requests[-1]["messages"][-1]["content"]


async def test_another_bad_request_does_not_cost_the_format(served: Served) -> None:
    with FakeServer(good, behaviour=first("status", status=400)) as server:
        model = served("m", server.base_url, retries=0)
        with pytest.raises(ReplyFailure, match="400"):
            await model.answer(WordAsk())
        await model.answer(WordAsk())
    assert [form_of(body) for body in server.requests] == ["json_schema", "json_schema"]


class PickyServer(FakeServer):
    """Refuses what `objection` names, as the servers of this world do."""

    objection: Callable[[Body], tuple[int, dict[str, Any]] | None]

    def _refusal(self, request: Any, body: Body) -> Any:
        if found := self.objection(body):
            return web.json_response({"error": found[1]}, status=found[0])
        return super()._refusal(request, body)


async def test_a_long_prompt_does_not_cost_the_format(served: Served) -> None:
    message = "maximum context length is 8192 tokens (8900 in the messages, 100 in the functions)"
    server = PickyServer(good)
    server.objection = lambda body: (400, {"message": message}) if server.calls == 1 else None
    with server:
        model = served("m", server.base_url, retries=0)
        with pytest.raises(ReplyFailure, match="maximum context length"):
            await model.answer(WordAsk())
        await model.answer(WordAsk())
    assert [form_of(body) for body in server.requests] == ["json_schema", "json_schema"]


async def test_what_speaks_of_one_prompt_does_not_cost_the_others() -> None:
    blocked = "Blocked by policy: 'write a function about a body temperature of 39'"
    server = PickyServer(good)
    server.objection = lambda body: (400, {"message": blocked}) if server.calls <= 5 else None
    with server:
        model = ChatModel("m", server.base_url, retries=0)
        with pytest.raises(ReplyFailure, match="Blocked by policy"):
            await model.answer(WordAsk())
        assert server.calls == 5, "every way was tried: it may have been the way of asking"
        await model.answer(WordAsk())
        await model.aclose()
    assert form_of(server.requests[-1]) == "json_schema" and "temperature" in server.requests[-1]


async def test_status_422_about_the_format_goes_down_the_ladder() -> None:
    server = PickyServer(good)
    server.objection = lambda body: (
        (422, {"message": "response_format: extra fields not permitted"})
        if "response_format" in body
        else None
    )
    with server:
        assert (await ask(server)).value.word == "tea"
    assert [form_of(body) for body in server.requests] == ["json_schema", "tools"]


async def test_a_model_that_takes_no_temperature_is_asked_without(served: Served) -> None:
    message = "Unsupported value: 'temperature' does not support 0.3 with this model."
    server = PickyServer(good)
    server.objection = lambda body: (400, {"message": message}) if "temperature" in body else None
    with server:
        model = served("m", server.base_url, retries=0)
        assert (await model.answer(WordAsk())).value.word == "tea"
        assert (await model.answer(WordAsk())).value.word == "tea"
    assert ["temperature" in body for body in server.requests] == [True, False, False]
    assert {form_of(body) for body in server.requests} == {"json_schema"}


# --- the reply


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"word": "tea"}\n```',
        'Here it is:\n{"word": "tea"}\nAnything else?',
        '<think>{"word": "no", or…}</think>\n{"word": "tea"}',
        'maybe {this} is it\n</think>```\n{"word": "tea"}\n```',
    ],
)
async def test_json_is_found_in_what_models_wrap_it_in(text: str) -> None:
    with FakeServer(lambda body: text) as server:
        reply = await ask(server)
    assert (reply.value.word, reply.spent.calls) == ("tea", 1)


async def test_reasoning_marks_inside_a_value_are_left_alone() -> None:
    with FakeServer(lambda body: {"word": "a <think>b</think> c"}) as server:
        assert (await ask(server)).value.word == "a <think>b</think> c"


@settings(deadline=None, max_examples=20)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
async def test_any_text_comes_back_as_it_was(word: str) -> None:
    if word == "bad":
        return
    with FakeServer(lambda body: f"```json\n{json.dumps({'word': word})}\n```") as server:
        assert (await ask(server)).value.word == word


def spoilt_once(spoilt: str) -> Callable[[Body], str]:
    return lambda body: spoilt if len(body["messages"]) == 2 else '{"word": "tea"}'


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ("I would say tea.", "no complete JSON object"),
        ('{"word": "te', "no complete JSON object"),
        ('{"word": 7}', "word: Input should be a valid string"),
        ('{"wort": "tea"}', "word: Field required"),
        ('{"word": "bad"}', "bad is not a good word"),
    ],
)
async def test_a_spoilt_reply_is_repaired_once(spoilt: str, reason: str) -> None:
    with FakeServer(spoilt_once(spoilt)) as server:
        reply = await ask(server)
    assert (reply.value.word, reply.spent.calls) == ("tea", 2)
    told = server.requests[1]["messages"]
    assert told[:2] == WordAsk().messages()
    assert told[2] == {"role": "assistant", "content": spoilt}
    assert reason in told[3]["content"]
    assert '"required": ["word"]' in told[3]["content"], "the server may have ignored the schema"
    assert reply.spent.tokens_in == sum(
        len(json.dumps(b["messages"], ensure_ascii=False)) // 4 for b in server.requests
    )


@pytest.mark.parametrize("kind", ["truncate", "wrong_schema"])
async def test_after_one_repair_it_is_a_failure(kind: str) -> None:
    with FakeServer(good, behaviour=always(kind)) as server:
        assert "also after repair" in await failure_of(server)
    assert server.calls == 2


async def test_spoilt_arguments_of_a_tool_call_are_repaired() -> None:
    with FakeServer(spoilt_once('{"word": "te'), structured={"tools"}) as server:
        assert (await ask(server)).spent.calls == 2
    assert server.requests[-1]["messages"][2]["content"] == '{"word": "te'


async def test_a_refusal_is_a_failure_in_the_models_words() -> None:
    with FakeServer(good, behaviour=always("refusal")) as server:
        assert await failure_of(server) == "the model refused: I cannot help with that."
    assert server.calls == 1


async def test_a_broken_body_is_a_failure_of_this_ask_alone(served: Served) -> None:
    with FakeServer(good, behaviour=first("broken_json")) as server:
        model = served("m", server.base_url, retries=0)
        with pytest.raises(ReplyFailure, match="unreadable reply"):
            await model.answer(WordAsk())
        assert (await model.answer(WordAsk())).value.word == "tea"


# --- what passes, and what not


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_passing_trouble_is_tried_again(status: int) -> None:
    trouble = first("status", status=status, retry_after=0.05)
    with FakeServer(good, behaviour=trouble) as server:
        assert (await ask(server, retries=1)).value.word == "tea"
    assert server.calls == 2


async def test_a_dropped_connection_is_tried_again() -> None:
    with FakeServer(good, behaviour=first("drop")) as server:
        assert (await ask(server, retries=1)).value.word == "tea"
    assert server.calls == 2


@pytest.mark.parametrize("status", [429, 500])
async def test_lasting_trouble_is_a_failure_with_the_status(status: int) -> None:
    trouble = always("status", status=status, retry_after=0.02)
    with FakeServer(good, behaviour=trouble) as server:
        assert str(status) in await failure_of(server, retries=2)
    assert server.calls == 3


@pytest.mark.parametrize("behaviour", [Behaviour("hang"), Behaviour("slow_drip", seconds=3)])
async def test_a_server_that_keeps_one_waiting_is_given_up(behaviour: Behaviour) -> None:
    with FakeServer(good, behaviour=lambda n, body: behaviour) as server:
        assert "within 0.3 s" in await failure_of(server, timeout=0.3)


async def test_a_wrong_key_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with FakeServer(good, api_key="another") as server:
        text = await outage_of(server, retries=2)
    assert "OPENAI_API_KEY" in text
    assert SECRET not in text
    assert server.calls == 1


async def test_the_key_is_sent_without_the_newline_of_its_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{SECRET}\n")
    with FakeServer(good, api_key=SECRET) as server:
        assert (await ask(server)).value.word == "tea"


async def test_an_unknown_model_is_named() -> None:
    with FakeServer(good, models={"other"}) as server:
        assert "'m'" in await outage_of(server)


async def test_a_dead_server_is_named_with_what_to_do() -> None:
    with FakeServer(good) as server:
        await ask(server)
    text = await outage_of(server)
    assert f"127.0.0.1:{server.port}/v1 does not answer" in text
    assert "--base-url" in text


async def test_a_used_up_quota_stops_the_run() -> None:
    server = PickyServer(good)
    server.objection = lambda body: (429, {"message": "pay!", "code": "insufficient_quota"})
    with server:
        assert "quota" in await outage_of(server)


# --- keys and addresses


def test_the_key_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    model = ChatModel("m", "https://host.example:8000/v1")
    assert model.name == "m at host.example:8000/v1"
    for shown in (model.name, model.place, repr(model), str(model)):
        assert SECRET not in shown


@pytest.mark.parametrize("url", ["https://u:hunter2@host/v1", "https://host/v1?token=hunter2"])
def test_credentials_in_the_address_are_refused_unshown(url: str) -> None:
    """It is kept with the run, and no key is written to disk."""
    with pytest.raises(UserError, match="OPENAI_API_KEY") as caught:
        ChatModel("m", url)
    assert "hunter2" not in str(caught.value)


async def test_no_error_shows_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    kinds = ["hang", "drop", "broken_json", "refusal", "status"]
    with FakeServer(good, behaviour=lambda n, body: Behaviour(kinds[n])) as server:  # pyright: ignore[reportArgumentType]
        for _ in kinds:
            with pytest.raises((ReplyFailure, ModelUnavailable)) as caught:
                await ChatModel("m", server.base_url, timeout=0.2, retries=0).answer(WordAsk())
            assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://u:hunter2@host/v1",
        "h?key=hunter2",
        "localhost:8000/v1",
        "http:///v1",
        "http://h:p/v1",
        "http://[::1/",
    ],
)
def test_what_is_no_address_is_a_user_error(url: str) -> None:
    with pytest.raises(UserError, match=r"--base-url.*https://") as caught:
        ChatModel("m", url)
    assert "hunter2" not in str(caught.value)


def test_without_a_key_and_a_server_there_is_a_user_error() -> None:
    with pytest.raises(UserError, match=r"OPENAI_API_KEY.*--base-url"):
        ChatModel("gpt-x")


async def test_openai_base_url_is_the_default_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer(good) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        assert (await ChatModel("m").answer(WordAsk())).value.word == "tea"


# --- what a call that failed has cost


async def test_a_reply_is_paid_for_though_no_other_comes() -> None:
    def shut_after_one(n: int, body: Body) -> Behaviour:
        return Behaviour("status", status=401) if n else Behaviour("wrong_schema")

    with FakeServer(good, behaviour=shut_after_one) as server:
        with pytest.raises(ReplyFailure, match=r"no other: .*wants a key") as caught:
            await ask(server)
        assert caught.value.spent.calls == 1
        with pytest.raises(ModelUnavailable, match="wants a key"):
            await ask(server)


# --- what is paid


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None, "completion_tokens": None}])
async def test_where_the_server_counts_nothing_the_cost_is_not_known(usage: Any) -> None:
    class Uncounted(FakeServer):
        def _completion(self, n: int, body: Body, kind: Any) -> dict[str, Any]:
            return super()._completion(n, body, kind) | {"usage": usage}

    with Uncounted(good) as server:
        model = ChatModel("m", server.base_url, prices={"m": Price(input=1, output=1)})
        spent = (await model.answer(WordAsk())).spent
        await model.aclose()
    assert (spent.calls, spent.tokens_in, spent.cost_usd) == (1, 0, None)


async def test_cached_tokens_cost_their_own_price() -> None:
    class Cached(FakeServer):
        def _completion(self, n: int, body: Body, kind: Any) -> dict[str, Any]:
            details = {"prompt_tokens_details": {"cached_tokens": 600}}
            counts = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
            return super()._completion(n, body, kind) | {"usage": counts | details}

    with Cached(good) as server:
        prices = {"m": Price(input=2, cached=0.5, output=10)}
        model = ChatModel("m", server.base_url, prices=prices)
        spent = (await model.answer(WordAsk())).spent
        await model.aclose()
    assert (spent.tokens_in, spent.tokens_cached, spent.tokens_out) == (1000, 600, 100)
    assert spent.cost_usd == pytest.approx((400 * 2 + 600 * 0.5 + 100 * 10) / 1e6)


# --- how long is waited


async def test_a_retry_after_of_nothing_does_not_use_up_the_attempts() -> None:
    """A server that says so while it starts is asked again after the ordinary waits."""
    until = time.monotonic() + 1.0

    def behaviour(n: int, body: Body) -> Behaviour:
        starting = time.monotonic() < until
        return Behaviour("status", status=429, retry_after=0) if starting else Behaviour()

    with FakeServer(good, behaviour=behaviour) as server:
        assert (await ask(server, retries=3)).value.word == "tea"


def test_one_server_is_one_judge_however_its_address_ends() -> None:
    names = {ChatModel("m", f"http://127.0.0.1:1/v1{end}").name for end in ("", "/", "//")}
    assert len(names) == 1


@pytest.mark.parametrize("key", ["sk-\u201cquoted\u201d", "sk-one\nsk-two"])
def test_a_key_that_cannot_be_sent_is_a_user_error(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(UserError, match="OPENAI_API_KEY holds characters") as caught:
        ChatModel("m", "http://127.0.0.1:1/v1")
    assert "sk-" not in str(caught.value)


# --- typed keys


async def test_a_typed_key_goes_before_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "of-the-environment")
    with FakeServer(good) as server:
        with typed_key(f" {SECRET}\n"):
            await ask(server)
            await asyncio.create_task(ask(server))
            assert await asyncio.to_thread(api_key) == SECRET
            with typed_key(""):
                assert api_key() == SECRET, "blank: nothing was typed"
        await ask(server)
    sent = [headers["authorization"].removeprefix("Bearer ") for headers in server.headers]
    assert sent == [SECRET, SECRET, "of-the-environment"]


def test_each_thread_has_the_key_that_was_typed_for_it() -> None:
    keys = ["sk-of-the-first-person", "sk-of-the-second-person"]
    both = threading.Barrier(2, timeout=30)
    words: dict[str, str] = {}

    async def talk(key: str, server: FakeServer) -> None:
        both.wait()  # both threads are within their keys
        words[key] = (await ask(server)).value.word

    def work(key: str, server: FakeServer) -> None:
        with typed_key(key):
            asyncio.run(talk(key, server))

    with FakeServer(good, latency=0.1) as server:
        threads = [threading.Thread(target=work, args=(key, server)) for key in keys]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert words == dict.fromkeys(keys, "tea")
    assert {headers["authorization"] for headers in server.headers} == {
        f"Bearer {key}" for key in keys
    }
    assert api_key() == ""


@pytest.mark.parametrize("key", ["sk-\u201cquoted\u201d", "sk-one\nsk-two"])
def test_a_typed_key_that_cannot_be_sent_is_not_shown(key: str) -> None:
    with (
        pytest.raises(UserError, match="key that was typed holds characters") as caught,
        typed_key(key),
    ):
        pass
    assert "sk-" not in str(caught.value)


def test_short_placeholders_are_no_secrets() -> None:
    with typed_key("none"):
        assert without_key("none of them") == "none of them"
    with typed_key(SECRET):
        assert without_key(f"<{SECRET}>") == "<[key]>"
