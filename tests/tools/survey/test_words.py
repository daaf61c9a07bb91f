"""How estimated figures are said: about, with their intervals, and never narrower than they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import DOSING, REFERRAL, RISKS
from surveys import FORETOLD, SAMPLED, TOOK, estimated, survey

from goalcover.memory.records import Coverage, Spent, Subgoal
from goalcover.tools.coverage import coverage_of
from goalcover.tools.survey import words
from goalcover.tools.survey.covered import FEW_SUPPORT, MANY_FAILED

COUNTED = coverage_of(DOSING, {1.0: 45, 0.0: 105}, 0.5, 4)


@pytest.mark.parametrize(
    ("count", "half_width", "told"),
    [
        (3124, 400, "about 3,120"),
        (156_238, 4_000, "about 156,200"),
        (183, 160, "about 180"),
        (12, 30, "about 12"),
        (0, 75, "about 0"),
        (7, 0, "about 7"),
        (2, 0.3, "about 2"),
    ],
)
def test_a_count_has_the_digits_that_its_interval_leaves_it(
    count: int, half_width: float, told: str
) -> None:
    assert words.about(count, half_width) == told


@given(st.integers(0, 10**6), st.floats(0, 10**5))
def test_rounding_is_small_beside_the_interval(count: int, half_width: float) -> None:
    said = int(words.about(count, half_width).removeprefix("about ").replace(",", ""))
    assert abs(said - count) <= 0.05 * half_width


@given(st.floats(0, 1))
def test_a_half_width_is_not_said_to_be_narrower(half_width: float) -> None:
    said = float(words.plus_minus(half_width).removeprefix("± "))
    assert half_width - 1e-8 <= said < half_width + 0.001 + 1e-8


def test_what_was_counted_is_said_as_it_is() -> None:
    assert (words.support(COUNTED), words.about_rows(COUNTED)) == ("45 of 150", "45 rows")
    assert words.verdict_text(COUNTED) == "enough" and not words.estimated(COUNTED)
    assert words.share_text(COUNTED) == "23 % – 38 %"


def test_what_is_estimated_is_marked() -> None:
    found = estimated(DOSING)
    assert words.support(found) == "about 3,120 of 19,870"
    assert words.about_rows(found) == "about 3,120 rows"
    assert words.share_text(found) == "14 % – 18 %"
    rare = estimated(DOSING, share=0.0093, half=0.008)
    assert words.share_text(rare) == "0.1 % – 1.7 %", "0 % – 2 % would say little"


def test_a_sample_of_all_rows_is_a_count() -> None:
    found = estimated(DOSING)
    assert found.estimate
    found.estimate.share.sampled = found.estimate.share.rows
    assert words.support(found) == "3,120 of 19,870"
    assert words.helped(found.estimate.share) == "all were judged: nothing is estimated"


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.15, "thin"),
        (0.19, "thin, perhaps enough"),
        (0.205, "enough, perhaps thin"),
        (0.045, "thin, perhaps missing"),
    ],
)
def test_a_verdict_that_is_not_settled_says_what_else_it_may_be(share: float, told: str) -> None:
    assert words.verdict_text(estimated(DOSING, share=share)) == told


def test_all_that_it_may_be() -> None:
    found = estimated(DOSING).model_copy(update={"possible": ["missing", "thin", "enough"]})
    assert words.verdict_text(found) == "thin, perhaps missing or enough"


def test_only_what_seems_enough_is_named_as_not_settled() -> None:
    some = [estimated(DOSING, share=0.205), estimated(RISKS, share=0.19)]
    assert words.not_settled(some) == "The sample does not settle it for “Dosing” (perhaps thin)."
    assert not words.not_settled([COUNTED, estimated(DOSING, share=0.5)])


def test_the_headline_has_the_widest_interval() -> None:
    some = [estimated(DOSING), estimated(RISKS, half=0.032)]
    told = words.headline(survey(), some)
    assert told.startswith("412 of 20,000 rows were judged, drawn at random; all others but 60")
    assert told.endswith("A(s) is known to ± 0.041.")
    capped = words.headline(survey(reached=False), some)
    assert capped.endswith("A(s) is known to ± 0.041, where 0.03 was asked for.")
    none: list[Coverage] = []
    assert words.headline(survey(explained=0), none).endswith("all others are predicted.")
    known = words.headline(survey(known=1_200), none)
    assert known.endswith(
        "earlier runs have judged 1,200 of the others; what no run has judged is predicted."
    )
    assert words.headline(survey(sampled=20_000), [COUNTED]) == (
        "All 20,000 rows were judged: nothing is predicted."
    )


def test_how_it_went() -> None:
    assert words.facts(survey(rejudged=35)) == [
        "Looked at the intervals after 100, 200 and 412 rows.",
        "Ended: every interval of A(s) is at most ± 0.03.",
        "Judged beside the sample, and no part of the estimates: 60 for their explanations and 35 "
        "because they lay near the filter's cut.",
    ]
    assert words.facts(survey(looks=[], ended="", explained=0)) == []
    (known,) = words.facts(survey(looks=[], ended="", explained=0, known=1))
    assert known == (
        "Judged by earlier runs, outside of the sample: 1 row. Their scores are in the files, not "
        "in the estimates."
    )


def test_a_stop_by_a_person_is_said_with_what_it_means() -> None:
    (told,) = words.facts(survey(looks=[], ended="a person stopped it", by_hand=True, explained=0))
    assert told.startswith("Ended: a person stopped it, who may have seen the figures.")
    assert "do not cover a stop because somebody liked them" in told


@pytest.mark.parametrize(
    ("calls", "told"), [(472, "472 calls: 0.6 % of the 80,000"), (20_000, "20,000 calls: 25 %")]
)
def test_calls_are_compared_with_those_of_all_pairs(calls: int, told: str) -> None:
    """Whatever was made this time: the rest was paid for before."""
    one = survey(calls=calls)
    whole = f"The sample takes {told}"
    assert words.calls_text(one, None).startswith(whole)
    same = words.calls_text(one, Spent(calls=calls))
    assert same.startswith(whole) and same.endswith("every pair on its own.")
    for made, said in ((0, "Made in this run: 0."), (21_000, "Made in this run: 21,000.")):
        other = words.calls_text(one, Spent(calls=made))
        assert other.startswith(whole) and other.endswith(f"every pair on its own. {said}")


def test_without_calls_nothing_is_compared() -> None:
    assert words.calls_text(survey(calls=0), TOOK) == ""
    assert words.foretold_text(None, TOOK) == words.foretold_text(FORETOLD, None) == ""
    nothing = FORETOLD.model_copy(update={"calls": 0, "cost_usd": 0.0})
    assert words.foretold_text(nothing, Spent()) == ""
    assert words.foretold_text(nothing, Spent(calls=2)).startswith("Foretold 0 calls")


def test_few_supporting_rows_are_warned_of_in_one_line() -> None:
    def rare(subgoal: Subgoal, supporting: int, other: str = "") -> Coverage:
        warning = FEW_SUPPORT.format(count=supporting or "none", judged=SAMPLED)
        one = estimated(subgoal, warning=" ".join(filter(None, (warning, other))))
        assert one.estimate
        one.estimate.supporting = supporting
        return one

    failed = MANY_FAILED.format(failed=30, all=412)
    some = [rare(DOSING, 3), estimated(REFERRAL), rare(RISKS, 0, failed)]
    assert words.warnings(some) == [
        "Fewer than 30 judged rows support “Dosing” (3) and “Risks” (none): their intervals may be "
        "less sure than 95 %.",
        f"“Risks”: {failed}",
    ]
    assert words.warnings(some[1:2]) == []
    (one,) = words.warnings(some[:1])
    assert one.endswith("“Dosing” (3): its intervals may be less sure than 95 %.")


def test_foretold_and_taken() -> None:
    assert words.foretold_text(FORETOLD, TOOK) == (
        "Foretold 480 calls, 0.31 USD; took 472 calls, 0.27 USD."
    )
    audited = words.foretold_text(FORETOLD, TOOK, audited=True)
    assert audited.endswith("took 472 calls, 0.27 USD, the audit aside.")
    free = FORETOLD.model_copy(update={"cost_usd": None})
    assert words.foretold_text(free, Spent(calls=1, cost_usd=None)) == (
        "Foretold 480 calls; took 1 call."
    )
    assert (words.duration(94.2), words.duration(None)) == ("0:01:35", "–")


def test_what_the_predictions_did() -> None:
    helped, not_helped = estimated(DOSING).estimate, estimated(DOSING, weight=0).estimate
    assert helped and not_helped
    assert words.helped(helped.mean) == ""
    assert words.helped(not_helped.mean) == "predictions did not help: the classical interval"
    without = not_helped.mean.model_copy(update={"r2": None})
    assert words.helped(without) == "without predictions: the classical interval"
