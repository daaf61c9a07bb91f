"""Which language a row is written in."""

import re
from functools import lru_cache
from typing import Any

from ..memory.records import Sample
from .forms import FENCE
from .text import last_turn

CERTAIN, LETTERS, IDENTIFIED = 0.7, 20, 400
"""Probability and letters below which a text is left out, characters looked at of
each part."""

_LANGUAGES = """
af Afrikaans|am Amharic|ar Arabic|az Azerbaijani|be Belarusian|bg Bulgarian|bn Bengali|ca Catalan
cs Czech|cy Welsh|da Danish|de German|el Greek|en English|es Spanish|et Estonian|eu Basque
fa Persian|fi Finnish|fr French|ga Irish|gl Galician|gu Gujarati|ha Hausa|he Hebrew|hi Hindi
hr Croatian|hu Hungarian|hy Armenian|id Indonesian|is Icelandic|it Italian|ja Japanese|ka Georgian
kk Kazakh|km Khmer|kn Kannada|ko Korean|la Latin|lo Lao|lt Lithuanian|lv Latvian|mk Macedonian
ml Malayalam|mn Mongolian|mr Marathi|my Burmese|ne Nepali|nl Dutch|no Norwegian|pa Punjabi|pl Polish
ps Pashto|pt Portuguese|ro Romanian|ru Russian|si Sinhala|sk Slovak|sl Slovenian|so Somali
sq Albanian|sr Serbian|sv Swedish|sw Swahili|ta Tamil|te Telugu|th Thai|tl Tagalog|tr Turkish
uk Ukrainian|ur Urdu|uz Uzbek|vi Vietnamese|yo Yoruba|zh Chinese|zu Zulu|zxx no language
"""
_ENTRIES = (entry.partition(" ") for entry in re.split(r"[|\n]", _LANGUAGES.strip()))
LANGUAGES = {code: name for code, _, name in _ENTRIES}


def language(sample: Sample, forms: list[str]) -> str | None:
    """English name of the language of the last turn and the output, None where it is not clear.

    Code and JSON are no language: of such an output only the input is looked at.
    """
    coded = "JSON" in forms or "code" in forms
    parts = [last_turn(sample.input), "" if coded else sample.output]
    text = "\n".join(FENCE.sub("", part[: 2 * IDENTIFIED])[:IDENTIFIED] for part in parts)
    if sum(map(str.isalpha, text)) < LETTERS:
        return None
    code, probability = _identifier().classify(text)
    return LANGUAGES[code] if probability >= CERTAIN and code != "zxx" else None


@lru_cache(1)
def _identifier() -> Any:
    """Of the languages above: related small ones would take probability from them."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier
