"""Files that people write: JSON or YAML."""

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..memory.errors import UserError

if TYPE_CHECKING:
    from pydantic import ValidationError

WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not known",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must fit the pattern {pattern}",
    "list_type": "must be a list",
    "too_short": "must have {min_length} or more",
    "dict_type": "must be an object, {{key: value}}",
    "model_type": "must be an object, {{key: value}}",
    "model_attributes_type": "must be an object, {{key: value}}",
    "bool_type": "must be true or false",
    "greater_than": "must be more than {gt}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
}
"""What is wrong with a field, by pydantic's type of error."""


def in_words(error: "ValidationError", where: object) -> str:
    """The first error for those who wrote the file `where`:
    "goals.yaml, goals, entry 2, capabilities: it is missing."."""
    first = error.errors(include_url=False)[0]
    keys = "".join(f", entry {p + 1}, " if isinstance(p, int) else f"{p}." for p in first["loc"])
    place = f"{where}, {keys.replace('., ', ', ')}".rstrip("., ")
    if words := WORDS.get(first["type"]):
        return f"{place}: it {words.format(**first.get('ctx', {}))}."
    return f"{place}: {first['msg'].removeprefix('Value error, ')}."


def read_plain(path: Path) -> Any:
    """The content of a JSON or YAML file. Raises UserError where it cannot be read."""
    import yaml

    try:
        text = path.read_text(encoding="utf-8-sig")
        # JSON first: to YAML, tabs are errors and escaped emoji two broken characters.
        with suppress(ValueError):
            return json.loads(text)
        return yaml.safe_load(text)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}.") from error
    except (yaml.YAMLError, ValueError) as error:  # a date like 2024-13-45 is a ValueError
        problem = " ".join(str(error).split())
        raise UserError(f"{path} is neither JSON nor YAML: {problem[:200]}.") from error
