"""What is wrong with a file, in the words of its writer."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from goalcover.tools.plain import in_words


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    parts: list[str] = Field(default=["a"], min_length=1)
    share: float = Field(default=1, gt=0)


class Content(BaseModel):
    entries: list[Entry]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "f.yaml: it must be an object, {key: value}."),
        ({}, "f.yaml, entries: it is missing."),
        ({"entries": 3}, "f.yaml, entries: it must be a list."),
        ({"entries": [3]}, "f.yaml, entries, entry 1: it must be an object, {key: value}."),
        ({"entries": [{"name": ""}]}, "f.yaml, entries, entry 1, name: it must not be empty."),
        ({"entries": [{"name": 3}]}, "f.yaml, entries, entry 1, name: it must be text."),
        (
            {"entries": [{"name": "a"}, {"name": "a", "parts": []}]},
            "f.yaml, entries, entry 2, parts: it must have 1 or more.",
        ),
        (
            {"entries": [{"name": "a", "share": 0}]},
            "f.yaml, entries, entry 1, share: it must be more than 0.0.",
        ),
        ({"entries": [{"name": "a", "nam": 1}]}, "f.yaml, entries, entry 1, nam: it is not known."),
    ],
)
def test_the_file_the_entry_and_the_field_are_named(value: Any, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Content.model_validate(value)
    assert in_words(caught.value, Path("f.yaml")) == words
