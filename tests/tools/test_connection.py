"""Trying a model out: what one call tells, and every way it can go wrong in one line."""

import time
from collections.abc import Set
from typing import Any

import pytest
from fake_server import Behaviour, FakeServer
from judging import judged, well_judged

from goalcover.memory.errors import UserError
from goalcover.tools.chat_model import typed_key
from goalcover.tools.connection import PATIENCE, Connection, try_connection
from goalcover.tools.prices import Price
from goalcover.tools.settings import ModelConfig

SECRET = "sk-very-secret-0123456789"


async def connect(server: FakeServer, **options: Any) -> Connection:
    config = ModelConfig(judge="m", base_url=server.base_url, **options)
    return await try_connection(config, "m")


async def failure_of(server: FakeServer, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        await connect(server, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def test_a_good_model_is_told_with_its_judgement_and_its_cost() -> None:
    prices = {"m": Price(input=2.0, output=8.0)}
    with FakeServer(well_judged) as server:
        found = await connect(server, prices=prices)
    assert server.calls == found.calls == found.spent.calls == 1
    assert (found.model, found.place) == ("m", f"127.0.0.1:{server.port}/v1")
    assert (found.form, found.score, found.explanation) == ("json_schema", 0.4, "about percentages")
    assert found.spent.cost_usd == pytest.approx(
        (2 * found.spent.tokens_in + 8 * found.spent.tokens_out) / 1e6
    )
    assert "2" in found.price and 0 < found.seconds < PATIENCE
    asked = server.requests[0]["messages"]
    assert "Rubric" in asked[0]["content"] and "lamp" in asked[1]["content"], "a real judgement"


async def test_a_price_that_is_not_known_is_said() -> None:
    with FakeServer(well_judged) as server:
        found = await connect(server)
    assert found.price == "not known" and found.spent.cost_usd is None


@pytest.mark.parametrize(
    ("takes", "form", "calls"),
    [
        ({"tools", "json_object"}, "tool_call", 2),
        ({"json_object"}, "json_mode", 3),
        (set[str](), "plain", 4),
    ],
)
async def test_calls_that_found_the_form_are_counted(
    takes: Set[str], form: str, calls: int
) -> None:
    with FakeServer(well_judged, structured=takes) as server:
        found = await connect(server)
    assert (found.form, found.calls, server.calls) == (form, calls, calls)


async def test_a_wrong_key_is_not_shown() -> None:
    with FakeServer(well_judged, api_key="right") as server, typed_key(SECRET):
        text = await failure_of(server)
    assert "refuses the key that was typed" in text and SECRET not in text
    assert server.calls == 1


async def test_a_missing_key_is_asked_for() -> None:
    with FakeServer(well_judged, api_key="right") as server:
        assert "wants a key" in await failure_of(server)


async def test_no_server_and_no_such_model_are_told_apart() -> None:
    with FakeServer(well_judged, models={"other"}) as server:
        assert "knows no model 'm'" in await failure_of(server)
    start = time.monotonic()
    assert "does not answer" in await failure_of(server)
    assert time.monotonic() - start < PATIENCE


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (Behaviour("status", status=500), "status 500"),
        (Behaviour("status", status=429, retry_after=60), "status 429"),
        (Behaviour("hang"), "no whole reply within 0.3 s"),
        (Behaviour("drop"), "connection lost"),
        (Behaviour("broken_json"), "unreadable reply"),
    ],
)
async def test_a_server_that_is_not_well_is_asked_once(behaviour: Behaviour, said: str) -> None:
    with FakeServer(well_judged, behaviour=lambda n, body: behaviour) as server:
        text = await failure_of(server, timeout=0.3)
    assert said in text and text.endswith("try again when the server is well.")
    assert server.calls == 1


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("truncate", "holds no complete JSON object"),
        ("wrong_schema", "judgements: Field required"),
        ("refusal", "refused"),
    ],
)
async def test_a_reply_that_is_no_judgement_has_no_second_chance(kind: Any, said: str) -> None:
    with FakeServer(well_judged, behaviour=lambda n, body: Behaviour(kind)) as server:
        text = await failure_of(server)
    assert said in text and text.endswith("try another model.")
    assert server.calls == 1


@pytest.mark.parametrize(
    ("reply", "said"),
    [(judged(["other"]), "lacks this subgoal's id"), (judged(["percentages"], 7.0), "score 7")],
)
async def test_a_judgement_of_no_use_is_no_score(reply: Any, said: str) -> None:
    with FakeServer(lambda body: reply.model_dump()) as server:
        assert said in await failure_of(server)


async def test_a_server_that_repeats_the_key_does_not_make_us_repeat_it() -> None:
    def shout(body: Any) -> Any:
        raise ValueError(f"bad header Authorization: Bearer {SECRET}")

    with FakeServer(shout) as server, typed_key(SECRET):
        text = await failure_of(server)
    assert "Bearer [key]" in text and SECRET not in text
