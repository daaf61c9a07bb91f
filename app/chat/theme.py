"""One look, light and dark, for the page and for its log-in. Contrasts are at least WCAG AA."""

from typing import Any

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
"""What the system has: a remote font would tell its host who reads."""

CODE_FONT = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace'
RADIUS = "0.5rem"

LIGHT = {
    "ink": "#1f2a33",
    "soft": "#5c6873",
    "line": "#dde2e6",
    "edge": "#848f98",
    "page": "#f6f7f8",
    "card": "#ffffff",
    "accent": "#1f6d7a",
    "on_accent": "#ffffff",
    "enough": "#1f6d7a",
    "thin": "#8a5a00",
    "missing": "#a3322f",
    "unknown": "#5c6873",
}
DARK = {
    "ink": "#e6eaed",
    "soft": "#9fabb5",
    "line": "#35404a",
    "edge": "#66737e",
    "page": "#14191d",
    "card": "#1d242a",
    "accent": "#63b9c7",
    "on_accent": "#14191d",
    "enough": "#63b9c7",
    "thin": "#e8b65c",
    "missing": "#ee8783",
    "unknown": "#9fabb5",
}

OKABE_ITO = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#999999"]
"""Colours that the colour-blind tell apart (Okabe and Ito 2008), without the yellow, which is too
pale on white, and the black, which is too dark on a dark page."""


def theme_options() -> dict[str, Any]:
    """Streamlit's options of the theme. The page follows the system; its menu switches."""
    shared = {
        "theme.font": FONT,
        "theme.headingFont": FONT,
        "theme.codeFont": CODE_FONT,
        "theme.baseRadius": RADIUS,
        "theme.buttonRadius": RADIUS,
        "theme.showWidgetBorder": True,
        "theme.showSidebarBorder": True,
        "theme.linkUnderline": True,
        "theme.headingFontSizes": ["1.75rem", "1.35rem", "1.1rem", "1rem", "0.95rem", "0.9rem"],
        "theme.headingFontWeights": [650] * 6,
        "theme.chartCategoricalColors": OKABE_ITO,
    }
    return shared | _mode("light", LIGHT) | _mode("dark", DARK)


def _mode(name: str, colours: dict[str, str]) -> dict[str, Any]:
    told = {
        "red": colours["missing"],
        "orange": colours["thin"],
        "yellow": colours["thin"],
        "green": colours["enough"],
        "blue": colours["accent"],
        "gray": colours["soft"],
    }
    options = {
        "primaryColor": colours["accent"],
        "backgroundColor": colours["page"],
        "secondaryBackgroundColor": colours["card"],
        "textColor": colours["ink"],
        "linkColor": colours["accent"],
        "borderColor": colours["edge"],
        "dataframeBorderColor": colours["line"],
        "codeTextColor": colours["ink"],
        "codeBackgroundColor": colours["card"],
        **{f"{name}Color": colour for name, colour in told.items()},
        **{f"{name}TextColor": colour for name, colour in told.items()},
    }
    return {f"theme.{name}.{option}": value for option, value in options.items()}
