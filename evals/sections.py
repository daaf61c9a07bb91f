"""The sections of the evidence, in the order in which a sceptic would ask."""

from pathlib import Path

from ..memory.errors import UserError
from ..memory.records import Spent
from ..tools.datasets import DataSource
from ..tools.settings import ModelConfig
from ..tools.subgoals import read_subgoals
from ..tools.text import listed
from . import decomposition
from .ablation import cases
from .ablation import evaluation as ablation
from .calibration import evaluation as calibration
from .corruption import evaluation as corruption
from .corruption import removals
from .corruption.pools import read_pools
from .evidence import Section, Steps
from .exhibit import Exhibit
from .gaps import evaluation as gaps
from .judging import EMBEDDED
from .passport import evaluation as passport
from .power import alarms
from .power import evaluation as power
from .survey import evaluation as survey

Outcome = tuple[Exhibit, Spent]

DRAWS = 500
"""Random draws a dose of the power curves."""

PAIRS = 2_000
"""Pairs of samples in a setting of the simulated checks."""


def _folder(data: Path | None, files: str) -> Path:
    if data is None:
        raise UserError(f"give --data, a folder with {files}.")
    return data


def _medical(folder: Path | None) -> tuple[DataSource, Path]:
    """The rows and the subgoals that power and false alarms are shown on."""
    data = _folder(folder, "pubmedqa.jsonl and gold/medical.subgoals.json")
    source = DataSource(
        path=str(data / "pubmedqa.jsonl"), input_columns=["question"], output_column="long_answer"
    )
    return source, data / "gold" / "medical.subgoals.json"


async def _embedded(config: ModelConfig, data: Path | None, tell: Steps) -> Outcome:
    return await calibration.run(config, _folder(data, "gold/"), None, tell)


async def _judge(config: ModelConfig, data: Path | None, tell: Steps) -> Outcome:
    names = [config.judge or config.model or EMBEDDED]
    return await passport.run(config, _folder(data, "gold/") / "gold", tell, names)


async def _corruption(config: ModelConfig, data: Path | None, tell: Steps) -> Outcome:
    domains = removals.read_domains(removals.CONFIG)
    if data is None:
        domains = removals.on_hub(domains)
    pools = read_pools(domains, data, None, config.seed)
    return await corruption.run(config, pools, corruption.Settings(), tell)


async def _power(config: ModelConfig, data: Path | None, tell: Steps) -> Outcome:
    source, file = _medical(data)
    return await power.run(config, source, file, read_subgoals(file), "joint", None, DRAWS, tell)


async def _check(config: ModelConfig, data: Path | None, tell: Steps) -> Outcome:
    source, file = _medical(data)
    return await alarms.run(config, source, file, read_subgoals(file), "joint", None, PAIRS, tell)


async def _gaps(config: ModelConfig, data: Path | None, tell: Steps) -> Outcome:
    return await gaps.run(config, _folder(data, "biggen_bench.jsonl and gold/"), "test", tell)


async def _decomposition(config: ModelConfig, data: Path | None, tell: Steps) -> Outcome:
    return await decomposition.run(config, decomposition.LABELLED, "test", tell)


async def _ablation(config: ModelConfig, data: Path | None, tell: Steps) -> Outcome:
    return await ablation.run(config, cases.choose(data, None), data, tell)


async def _survey(config: ModelConfig, data: Path | None, tell: Steps) -> Outcome:
    return await survey.run(config, data, survey.REPEATS, tell)


SECTIONS = [
    Section(
        "corruption",
        "Controlled corruption",
        "Where rows that support a capability are removed, does its score fall, and only its?",
        "goalcover eval corruption --data FOLDER --config DOMAINS.yaml",
        _corruption,
        "**Patterns are words, and the embedded judge goes by words near to the subgoal's** (and "
        "gives a row without them 0.4 at most): its falls by pattern are large for that reason, "
        "and their size is not comparable with the paper's. Removal by tag has no such leak. On "
        "code A(s) is so small (0.01 to 0.02) that percentages say little.",
    ),
    Section(
        "judge",
        "The judge's passport",
        "Is this judge steady, and does it agree with labels?",
        "goalcover eval judge --data FOLDER --judge MODEL",
        _judge,
        "**The embedded judge's weight and cuts were fitted to these same rows**, so its agreement "
        "here is somewhat too good; the next section has what it is on domains that it was not "
        "fitted to. For any other judge it is a fair test.",
    ),
    Section(
        "embedded",
        "The embedded judge",
        "How good is the judge without a language model, on domains that it was not fitted to?",
        "goalcover eval embedded --data FOLDER",
        _embedded,
    ),
    Section(
        "power",
        "Power",
        "What is the smallest loss of rows that would be noticed?",
        "goalcover eval power DATA --subgoals FILE",
        _power,
    ),
    Section(
        "check",
        "Coverage as a test",
        "How often does `goalcover check` raise a false alarm, and what does it notice?",
        "goalcover eval check DATA --subgoals FILE",
        _check,
    ),
    Section(
        "survey",
        "Survey scoring",
        "Do the intervals of a survey hold the truth, and how many calls does it take?",
        "goalcover eval survey --data FOLDER",
        _survey,
        "**The embedded judge is made of the embeddings that its scores are predicted from**, so "
        "the calls on whole data sets are fewer than with a language model; those with shuffled "
        "features are the worst case.",
    ),
    Section(
        "gaps",
        "Planted gaps",
        "Are the gaps that are named the ones that are there?",
        "goalcover eval gaps --data FOLDER",
        _gaps,
    ),
    Section(
        "decomposition",
        "Faults in decompositions",
        "Do the checks of the subgoals find what is wrong with them?",
        "goalcover eval decomposition --data LISTS.yaml",
        _decomposition,
    ),
    Section(
        "ablation",
        "Ablations",
        "What does each part of the method contribute?",
        "goalcover eval ablation --data FOLDER",
        _ablation,
        "**Two of these differences are upper bounds.** Clustering off is compared with an "
        "embedded arm that by construction can list only one gap of each kind, and the answers "
        "given were written by the hand that wrote the reference capabilities.",
    ),
]


def choose(names: list[str]) -> list[Section]:
    """The sections of those names, all without any. Raises UserError for a name of none."""
    known = {section.name: section for section in SECTIONS}
    for name in names:
        if name not in known:
            raise UserError(f"--only {name}: there is no such section. There are: {listed(known)}.")
    return [known[name] for name in names] or SECTIONS


def others(sections: list[Section]) -> list[Section]:
    return [section for section in SECTIONS if section not in sections]
