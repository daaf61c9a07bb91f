"""From a sample of judged rows to the coverage of all rows."""

import numpy as np
import pytest

from goalcover.memory.records import Subgoal
from goalcover.tools.survey.covered import FEW, Sampled, coverage_by, failing, found

ROWS = 3_000
TOPIC, RARE = (
    Subgoal(id=name, name=name, description=f"Shows {name}.", target_share=0.2)
    for name in ("topic", "rare")
)


class Known:
    """Features of rows of which three in ten are about a topic, and one in a hundred is rare."""

    def __init__(self) -> None:
        draw = np.random.default_rng(0)
        self.topic = draw.random(ROWS) < 0.3
        self.x = self.topic[:, None] * 1.0 + draw.normal(0, 0.2, (ROWS, 4))
        noise = draw.integers(-1, 2, ROWS) / 5
        self.truth = np.stack(
            [np.where(self.topic, 0.8, 0.2) + noise, 0.8 * (draw.random(ROWS) < 0.01)], axis=1
        )

    def __len__(self) -> int:
        return ROWS

    def take(self, at: np.ndarray) -> np.ndarray:
        return self.x[at]

    def times(self, weights: np.ndarray) -> np.ndarray:
        return self.x @ weights


DATA = Known()


def sample(size: int, seed: int = 0) -> Sampled:
    at = np.random.default_rng(seed).permutation(ROWS)[:size]
    return Sampled(at, DATA.truth[at].copy(), np.arange(ROWS), np.arange(ROWS))


def test_the_sample_tells_of_all_rows() -> None:
    judged = sample(300)
    one = found(judged, DATA, seed=0)
    topic, rare = coverage_by([TOPIC, RARE], judged, one.estimates, tau=0.5)
    assert topic.estimate and topic.interval and topic.share_interval
    assert topic.interval[0] < DATA.truth[:, 0].mean() < topic.interval[1]
    assert topic.share_interval[0] < (DATA.truth[:, 0] >= 0.6).mean() < topic.share_interval[1]
    assert topic.estimate.mean.half_width < 0.8 * topic.estimate.mean.classical
    assert (topic.judged, topic.rows, topic.distinct) == (300, ROWS, ROWS)
    assert topic.distinct_supporting == pytest.approx(ROWS * topic.estimate.share.value, abs=1)
    assert (topic.verdict, topic.gap) == ("enough", True)
    assert rare.verdict == "missing" and rare.estimate and rare.estimate.mean.weight == 0


def test_few_supporting_rows_are_warned_of() -> None:
    judged = sample(300)
    topic, rare = found(judged, DATA, seed=0).estimates
    assert topic and topic.supporting >= FEW and not topic.warning
    assert rare and 0 < rare.supporting < FEW and f"{rare.supporting} of the 300" in rare.warning


def test_a_verdict_that_the_interval_does_not_settle_says_so() -> None:
    judged = sample(120)
    share = float((DATA.truth[:, 0] >= 0.6).mean())
    near = TOPIC.model_copy(update={"target_share": share})
    settled = TOPIC.model_copy(update={"target_share": 0.01})
    estimates = found(judged, DATA, seed=0).estimates
    open_one, _ = coverage_by([near, RARE], judged, estimates, tau=0.5)
    sure, _ = coverage_by([settled, RARE], judged, estimates, tau=0.5)
    assert set(open_one.possible) == {"thin", "enough"} and open_one.verdict in open_one.possible
    assert sure.possible == ["enough"]


def test_near_duplicates_are_no_rows_of_the_share() -> None:
    judged = sample(400)
    pairs = np.arange(ROWS) // 2 * 2
    judged = Sampled(judged.at, judged.scores, judged.rows, pairs)
    once = judged.distinct
    one = found(judged, DATA, seed=0).estimates[0]
    assert one and one.mean.rows == ROWS and one.mean.sampled == 400
    assert one.share.rows == once.sum() == ROWS / 2
    assert one.share.sampled == once[judged.at].sum()
    assert one.supporting == (judged.scores[once[judged.at], 0] >= 0.6).sum()


def test_failed_judgements_are_counted_and_enter_no_figure() -> None:
    judged = sample(200)
    judged.scores[:8, 0] = np.nan
    judged.scores[:, 1] = np.nan
    one = found(judged, DATA, seed=0)
    topic, rare = coverage_by([TOPIC, RARE], judged, one.estimates, tau=0.5)
    assert (topic.judged, topic.failed) == (192, 8) and sum(topic.histogram) == 192
    assert (rare.mean, rare.verdict, rare.failed, rare.estimate) == (None, "unknown", 200, None)
    assert one.predictions[1] is None


def test_many_failed_judgements_are_warned_of() -> None:
    judged = sample(300)
    judged.scores[:20, 0] = np.nan
    judged.scores[:180, 1] = np.nan
    one = found(judged, DATA, seed=0)
    topic, rare = one.estimates
    assert topic and "20 of 300 judgements failed" in topic.warning
    assert rare and "180 of 300" in rare.warning
    assert failing(judged.scores) == [1]


def test_the_mean_of_predicted_scores_is_the_estimate() -> None:
    judged = sample(300)
    one = found(judged, DATA, seed=0)
    made, estimate = one.predictions[0], one.estimates[0]
    assert made and estimate
    assert made.values.mean() == pytest.approx(estimate.mean.value)
    assert made.supports.mean() == pytest.approx(estimate.share.value)
    truth = DATA.truth[:, 0]
    assert np.mean((made.lows <= truth) & (truth <= made.highs)) > 0.87
