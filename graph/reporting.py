"""From a finished run's state to its report."""

from collections import defaultdict
from pathlib import Path

from .. import __version__
from ..agents import recommender
from ..memory.records import Contract, Survey
from ..tools import advice, coverage, figures, overlap, report, score_files, scoring
from ..tools.cap import CAPPED
from ..tools.embedded_model import HONESTY, EmbeddedModel
from ..tools.order_effect import order_effect
from ..tools.rubric import RUBRIC
from ..tools.scoring import REASONS
from ..tools.settings import RunConfig
from .state import State
from .toolbox import Toolbox

JUDGED = (
    "A(s) is the mean over judged rows with a 95 % t-interval; the share of supporting rows has a "
    "95 % Wilson interval. Both speak of sampling rows like these, not of the judge's own errors."
)

SURVEYED = (
    "A(s) and the share of supporting rows are estimated from a random sample of the rows, with "
    "95 % intervals of what judging all of them by this judge would give."
)

KIND_GUESSED = "At a guess: the embedded judge sees topics, not what a row calls for."


async def write(state: State, box: Toolbox) -> dict[str, str]:
    """Writes scores.jsonl, the figures, report.json and report.html; returns their paths."""
    subgoals = state["subgoals"]
    scores = box.out / "scores.jsonl"
    rows = box.store.scores.rows(box.run, box.judge.judge, subgoals, predicted=True)
    score_files.write_scores(rows, scores, [subgoal.id for subgoal in subgoals])
    score_files.write_about(scoring.about_scores(box.config, box.judge, subgoals), scores)
    heat = await heat_map(state, box)
    found = collect(state, box, heat, state.get("files", {}) | {"scores": str(scores)})
    found.files |= render(found, box.out)
    report.write_json(found, box.out / "report.json")
    return found.files


def render(found: report.Report, folder: Path) -> dict[str, str]:
    """Writes the figures, report.html and the recommendations from a report alone; returns their
    paths."""
    tau = found.provenance.tau
    drawn = figures.draw_all(found.coverage, found.heat_map, found.overlaps, tau, folder)
    page = folder / "report.html"
    report.write_html(found, drawn, page)
    written = drawn | advice.write_advice(found, folder) | {"html": page}
    return {name: str(path) for name, path in written.items()}


def collect(
    state: State, box: Toolbox, heat: report.HeatMap, files: dict[str, str]
) -> report.Report:
    return report.Report(
        run=box.run,
        specification=state["specification"],
        provenance=provenance(box, state.get("survey")),
        rows=state["counts"],
        contract=state.get("contract", Contract()),
        profile=state.get("profile"),
        coverage=state["coverage"],
        survey=state.get("survey"),
        foretold=state.get("foretold"),
        scoring=state.get("scoring"),
        scoring_seconds=state.get("scoring_seconds"),
        near_duplicates=len(box.near_duplicates),
        heat_map=heat,
        overlaps=state.get("overlaps", []),
        standing=state.get("standing", []),
        gaps=state.get("gaps", []),
        analyses=state.get("analyses", []),
        recommendations=state.get("recommendations", []),
        plan=state.get("plan"),
        synthesis=state.get("synthesis", []),
        order_effect=order_effect(state.get("synthesis", [])),
        ledger=state.get("ledger", []),
        filtered=state["filtered"],
        to_add_to_kept=coverage.beside(state["coverage"], state["filtered"].aligned),
        usage=box.store.ledger(box.run).entries(),
        failures=[
            report.Failure(reason=reason, pairs=pairs)
            for reason, pairs in box.store.scores.failures(
                box.run, box.judge.judge, state["subgoals"], REASONS
            )
        ],
        audit=state.get("audit", []),
        prices=prices(box),
        files=files,
    )


def provenance(box: Toolbox, survey: Survey | None = None) -> report.Provenance:
    limit = box.config.source.max_chars
    estimated = survey and not survey.whole
    notes = [
        SURVEYED if estimated else JUDGED,
        "Failed judgements are left out of every figure and counted beside it.",
    ]
    topical = isinstance(box.judge.model, EmbeddedModel)
    if topical:
        notes.insert(0, HONESTY)
    if isinstance(box.door.model, EmbeddedModel):
        notes.append("Synthetic rows are extractive: passages of your own texts, put together.")
    notes += switched_off(box.config)
    if why := box.store.ledger(box.run).capped:
        notes.append(CAPPED.format(why=why))
    return report.Provenance(
        version=__version__,
        judge=box.judge.judge,
        model=box.door.model.name,
        embedder=box.embedder.version,
        rubric=list[str](RUBRIC.splitlines()),
        tau=box.config.tau,
        seed=box.config.seed,
        data=box.config.source.path,
        source=box.config.source,
        cut_rule=f"an input or output of more than {limit:,} characters keeps its first three "
        "quarters and its last quarter of so many characters for the judge",
        verdict_rule=coverage.VERDICT_RULE,
        order_rule=recommender.ORDER_RULE,
        overlap_rules=[overlap.TOGETHER_RULE, overlap.WITHIN_RULE, overlap.STANDING_RULE],
        overlap_note=overlap.TOPICAL if topical else "",
        kind_note=KIND_GUESSED if topical else "",
        notes=notes,
    )


def switched_off(config: RunConfig) -> list[str]:
    """What the run did without, one line each."""
    parts = {
        "Clarification was off: no question was asked.": config.questions or config.subgoals,
        "The checks were off: nobody looked whether the subgoals are atomic, disjoint and "
        "complete.": config.checks,
        "Clustering was off: the explanations of a subgoal's low rows were read all at once.": (
            config.clustering
        ),
        "The discriminator was off: synthetic rows were accepted unless code refused them.": (
            config.discriminator
        ),
    }
    return [line for line, on in parts.items() if not on]


def prices(box: Toolbox) -> dict[str, str]:
    """The price of each model that was asked, or that it is not known."""
    by_batch = ", by batch" if box.config.batch else ""
    models = {box.door.model.name: box.door.model, box.judge.model.name + by_batch: box.judge.model}
    return {name: str(model.price or "not known: give --prices") for name, model in models.items()}


async def heat_map(state: State, box: Toolbox) -> report.HeatMap:
    """Mean alignment of each subgoal over the rows of each topic, in the sampled rows."""
    subgoals = state["subgoals"]
    topics = await box.topics()
    topic_of = {row: number for number, topic in enumerate(topics) for row in topic.rows}
    values: dict[tuple[str, int], list[float]] = defaultdict(list)
    rows = box.store.scores.rows(box.run, box.judge.judge, subgoals, predicted=True)
    for row, _, _, scores in rows:
        if (topic := topic_of.get(row)) is not None:
            for subgoal, score in scores.items():
                if score.value is not None:
                    values[subgoal, topic].append(score.value)
    cells = [[values[s.id, number] for number in range(len(topics))] for s in subgoals]
    return report.HeatMap(
        topics=[topic.name for topic in topics],
        shares=[topic.share for topic in topics],
        subgoals=[subgoal.name for subgoal in subgoals],
        values=[[sum(c) / len(c) if c else None for c in line] for line in cells],
        sampled=len(topic_of),
    )
