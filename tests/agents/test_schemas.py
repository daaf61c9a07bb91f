"""What every role promises to the model: a strict reply schema, and a prompt with its fixed part
first."""

from typing import Any

import pytest

from goalcover.agents.analyzer import NameGapAsk
from goalcover.agents.checker import CheckAsk
from goalcover.agents.clarifier import ClarifyAsk
from goalcover.agents.decomposer import DecomposeAsk
from goalcover.agents.discriminator import JudgeGroupAsk
from goalcover.agents.generator import GenerateAsk
from goalcover.agents.recommender import RecommendAsk
from goalcover.tools.judge import JudgeAsk
from goalcover.tools.model import Ask

ASKS: list[type[Ask[Any]]] = [
    ClarifyAsk,
    DecomposeAsk,
    CheckAsk,
    JudgeAsk,
    NameGapAsk,
    RecommendAsk,
    GenerateAsk,
    JudgeGroupAsk,
]


@pytest.mark.parametrize("ask", ASKS)
def test_reply_schemas_are_strict(ask: type[Ask[Any]]) -> None:
    """Strict JSON schema wants every property required, no others, and no defaults."""
    schema = ask.reply.model_json_schema()
    objects = [schema, *schema.get("$defs", {}).values()]
    for found in objects:
        assert found["additionalProperties"] is False
        assert sorted(found["required"]) == sorted(found["properties"])
        assert all("default" not in field for field in found["properties"].values())


def test_roles_are_told_apart_in_the_ledger() -> None:
    assert len({ask.role for ask in ASKS}) == len(ASKS)
