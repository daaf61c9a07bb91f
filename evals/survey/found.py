"""What `goalcover eval survey` found, and how it is shown."""

from pathlib import Path

from ...tools.embedded_model import HONESTY
from ...tools.survey.covered import FEW
from ...tools.survey.rule import FIRST
from ...tools.text import many, percent
from ..exhibit import Exhibit, Table
from . import tables
from .curves import Curve
from .figure import draw_survey
from .proxies import SHUFFLED, Proxy
from .resampled import Resampled
from .simulation import AGAIN, FEATURES, LOWEST, PRECISION, STEP, STRONG, Cell
from .whole import Whole

NOMINAL, LEAST = 0.95, 0.93
"""Coverage that is promised, and below which a cell with FEW supporting rows has failed."""


class SurveyFound(Exhibit):
    """What `goalcover eval survey` prints and writes. Without data, the last three are empty."""

    repeats: int
    seed: int
    cells: list[Cell]
    curves: list[Curve]
    resampled: list[Resampled] = []
    proxies: list[Proxy] = []
    whole: list[Whole] = []

    @property
    def sure(self) -> list[Cell]:
        """Cells in which the tool has nothing to warn of."""
        return [cell for cell in self.cells if cell.sure]

    def headline(self) -> str:
        told = "No cell had enough supporting rows."
        if self.sure:
            worst = min(self.sure, key=lambda cell: cell.best.lowest)
            told = (
                f"In {many(len(self.sure), 'simulated cell')} with {FEW} or more supporting judged "
                "rows, the 95 % intervals of a survey hold the truth in at least "
                f"{percent(worst.best.lowest, 1)} of its repeats."
            )
        for one in self.whole[:2]:
            how = "" if one.features == "as they are" else " where nothing can be predicted"
            told += (
                f" {one.rows:,} rows × {len(one.subgoals)} subgoals at ± {PRECISION} take "
                f"{one.sampled:.0f} calls{how}, against {one.pairwise:,}."
            )
        return told

    def tables(self) -> list[Table]:
        shown = [
            tables.simulated(self.cells),
            tables.warned(self.cells),
            tables.lowest(self.sure),
            tables.together(self.cells),
        ]
        if self.whole:
            shown += [
                tables.whole(self.whole),
                tables.proxies(self.proxies),
                tables.resampled(self.resampled),
            ]
        return shown

    def lines(self) -> list[str]:
        apart = max((cell.difference for cell in self.cells), default=0)
        low = [cell for cell in self.sure if cell.best.lowest < LEAST]
        told = [
            f"Simulation: {len(self.cells)} cells, each {many(self.repeats, 'survey')} of one "
            f"population, seed {self.seed}: {FEATURES} features and noise, normal or skewed "
            "(exponential); anchors are steps of "
            f"{STEP} standard deviations of the latent score, so scores are spread widely, or, "
            f"with two anchors, {STRONG} and 0 only; R² is "
            "of the latent score, and “found” what the head explains of the anchors. Intervals of "
            "coverages: 95 %, Wilson.",
            "The estimate and the rule are those of `goalcover score --precision`; the head is "
            "computed in closed form, which differs from the real one by "
            f"{apart:.0e} at most over the first sample of each cell.",
            f"Of so many cells the lowest is low by chance. The {LOWEST} lowest with {FEW} or "
            f"more supporting rows were repeated {AGAIN} times as often with fresh seeds; the "
            "fresh figure is the one that counts, and both are in the table.",
            f"Below {percent(LEAST)} with {FEW} or more supporting judged rows: "
            f"{many(len(low), 'cell')}. With fewer, the tool warns.",
            "A stop by width alone: over all these cells, A(s)'s interval holds the truth in "
            f"{tables.both([c.best.first_mean for c in self.sure])} at the first look, of {FIRST} "
            f"rows, and in {tables.both([c.best.mean for c in self.sure])} at the stop.",
            "Over all surveys in which nothing was warned of, A(s)'s interval holds the truth in "
            f"{tables.both([c.best.sure_mean for c in self.cells])} and the share's in "
            f"{tables.both([c.best.sure_share for c in self.cells])}. Where about {FEW} supporting "
            "rows are to be expected, those that find more are the ones that estimate too much, so "
            "there the absence of a warning is no extra assurance.",
        ]
        return told + self._of_data() if self.whole else told

    def _of_data(self) -> list[str]:
        first, useless = self.whole[0], [one for one in self.proxies if one.judge == SHUFFLED]
        return [
            f"Whole data sets: truth is the embedded judge's score of every row. {HONESTY} It is "
            "also easy to predict from embeddings, of which it is made, so its R² flatters: a "
            "language model's is lower. Shuffled features, with which nothing can be predicted, "
            f"are the worst case. Pairwise: a call for every row and subgoal, {first.pairwise:,} "
            f"for {first.data}; a survey asks for all subgoals of a row in one. Inside: predicted "
            "rows whose score lies in their 90 % interval.",
            "Calls depend on the spread of the scores: half of the rows at 1 and half at 0, which "
            f"is the most there can be, take {_most():,} calls at ± {PRECISION} in any large data "
            "set, without predictions.",
            "Judges as predictions: the mean of three experts is the truth for each summary, and "
            "an LLM's rating the prediction; a judge that knows nothing may not widen the interval "
            f"(largest ratio of the shuffled one: {max(one.largest for one in useless):.3f}).",
            "Judged rows, resampled: an LLM's judgements of some 60 to 90 rows are the population "
            "whose mean is to be held. Their samples are far below the tool's first look of "
            f"{FIRST} rows; this tests the estimate beyond where it is used. Share: of supporting "
            "rows.",
        ]

    def draw(self, folder: Path) -> dict[str, Path]:
        path = folder / "survey.png"
        draw_survey(self.cells, self.curves, path)
        return {
            "Coverage of the 95 % intervals in each simulated cell, by the supporting rows in the "
            "sample; half-width of A(s)'s interval by judged rows.": path
        }


def _most() -> int:
    """Rows of an infinite population of zeros and ones, half and half, at ± PRECISION."""
    return round((1.96 * 0.5 / PRECISION) ** 2)
