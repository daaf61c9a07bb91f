"""The colours can be read: WCAG 2.1 AA, 4.5 to 1 for text and 3 to 1 for edges of controls."""

import pytest
from streamlit import config

from goalcover.app.chat.theme import DARK, LIGHT, theme_options

MODES = {"light": LIGHT, "dark": DARK}
WORDS = ("ink", "soft", "accent", "enough", "thin", "missing", "unknown")


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb", WCAG 2.1."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", MODES)
def test_words_and_edges_stand_out(mode: str) -> None:
    colours = MODES[mode]
    for ground in ("page", "card"):
        for word in WORDS:
            assert contrast(colours[word], colours[ground]) >= 4.5, (word, ground)
        assert contrast(colours["edge"], colours[ground]) >= 3, ground
    assert contrast(colours["on_accent"], colours["accent"]) >= 4.5


def test_every_option_is_one_of_streamlit_and_loads_nothing() -> None:
    options = theme_options()
    assert set(options) <= set(config._config_options_template)
    assert not [value for value in map(str, options.values()) if "://" in value or "url(" in value]
