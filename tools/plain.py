"""Files that people write: JSON or YAML."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..memory.errors import UserError


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
