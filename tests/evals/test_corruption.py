"""Removals, their changes, intervals and random removals, on rows of our own writing."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goalcover.evals.corruption.changes import against_placebo, change_of, measure
from goalcover.evals.corruption.evaluation import Settings, corrupted
from goalcover.evals.corruption.lines import headline
from goalcover.evals.corruption.pools import Pool, read_pools
from goalcover.evals.corruption.records import DomainResult, Removed, read_paper
from goalcover.evals.corruption.removals import CONFIG, Domain, chosen, read_domains
from goalcover.evals.corruption.separations import Trial, group_of
from goalcover.evals.corruption.tables import chance, summary
from goalcover.evals.statistics import separation
from goalcover.memory.errors import UserError
from goalcover.memory.records import Sample
from goalcover.tools.datasets import MAX_CHARS

DATA = Path(__file__).parents[3] / "shared" / "data"
RNG = np.random.default_rng(7)

MATCHES = {
    ("medical", "cardiology"): ["Echocardiography", "heart rate", "an ECG", "coronaries",
                                "intracardiac", "Cardiovascular"],
    ("medical", "drugs"): ["drugs", "Dosages of", "20 mg", "5mL", "a prescription"],
    ("legal", "monetary"): ["$1,000", "$ 5 million", "two billion", "the budgetary", "funding"],
    ("legal", "healthcare"): ["healthcare", "health", "Medicare", "hospitalization", "patients"],
    ("code", "ml"): ["X_train, y", "model.fit", "training set", "import sklearn", "Keras"],
    ("code", "web"): ["a website", "web page", "REST", "RESTful", "the API's", "HTTP request",
                      "end-point", "Flask"],
}  # fmt: skip
MISSES = {
    ("medical", "cardiology"): ["heartburn", "sweetheart"],
    ("medical", "drugs"): ["ng/ml", "html", "omg"],
    ("legal", "monetary"): ["a $ sign", "refunding bonds", "misappropriation"],
    ("legal", "healthcare"): ["impatient", "doctorate", "biomedical"],
    ("code", "ml"): ["constraint", "trainee", "remodelled", "supermodel"],
    ("code", "web"): ["the rest of", "cobweb", "https://example.com", "capital", "rapid"],
}


def row(text: str, output: str = "fine") -> Sample:
    return Sample(index=0, id="x", input=text, output=output)


@pytest.mark.parametrize("domain", ["medical", "legal", "code"])
def test_patterns_hold_the_papers_terms_as_words(domain: str) -> None:
    for removal in read_domains()[domain].removals:
        for text in MATCHES[domain, removal.name]:
            assert removal.removes({}, row(text)) and removal.removes({}, row("a", text)), text
        for text in MISSES[domain, removal.name]:
            assert not removal.removes({}, row(text)), text


def test_tags_of_one_value_and_of_several() -> None:
    veterans = read_domains()["committees"].removals[0]
    assert veterans.removes(
        {"committees": ["Other", "Senate — Veterans' Affairs Committee"]}, row("a")
    )
    assert not veterans.removes({"committees": ["Other", {"a": 1}]}, row("a"))
    planning = read_domains()["capabilities"].removals[0]
    assert planning.removes({"capability": "planning"}, row("a"))
    assert not planning.removes({"capability": "safety"}, row("a"))


# The arithmetic of a removal

VALUES = np.array([[1.0, 0.2], [0.8, 0.4], [0.0, np.nan], [0.2, 0.6]])


def test_before_and_after_are_means_of_what_was_judged() -> None:
    removed = np.array([[True], [True], [False], [False]])
    found = measure(VALUES, removed, draws=50, seed=0)
    assert found.before == pytest.approx([0.5, 0.4]) and found.kept.tolist() == [0.5]
    assert found.after[0] == pytest.approx([0.1, 0.6])
    assert found.relative[0] == pytest.approx([-0.8, 0.5])
    one = change_of([found, found], 0, 0, "s", True, tau=0.3)
    assert (one.gap_before, one.gap_after) == (False, True)
    assert one.absolute == pytest.approx(-0.4) and one.by_set == pytest.approx([-0.8, -0.8])


def test_random_removals_spread_as_sampling_theory_says() -> None:
    values = RNG.choice([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], size=(300, 1))
    removed = np.arange(300)[:, None] < 120
    placebo = measure(values, removed, draws=4_000, seed=1).placebo[:, 0, 0]
    # A mean of 180 of 300 without replacement: S²/180 · (1 - 180/300).
    spread = (values.var(ddof=1) / 180 * (1 - 180 / 300)) ** 0.5
    assert placebo.std() == pytest.approx(spread, rel=0.05)
    assert abs(placebo.mean()) < 4 * spread / 4_000**0.5


def test_resamples_spread_as_the_paired_difference_does() -> None:
    values = RNG.random((400, 1))
    removed = RNG.random((400, 1)) < 0.3
    found = measure(values, removed, draws=50, seed=2)
    # The change is the mean of d = (kept / share kept)(x - after) - (x - before), to first order.
    x, keep = values[:, 0], ~removed[:, 0]
    influence = keep / keep.mean() * (x - found.after[0, 0]) - (x - found.before[0])
    assert found.drawn_absolute[:, 0, 0].std() == pytest.approx(influence.std() / 20, rel=0.08)


def test_what_holds_the_support_stands_out_from_random_removals() -> None:
    support = np.arange(200) < 30
    values = np.where(support, 1.0, 0.1)[:, None].repeat(2, axis=1)
    values[:, 1] = RNG.random(200)
    found = measure(values, support[:, None], draws=200, seed=3)
    z, p = against_placebo(found.absolute[0, 0], found.placebo[:, 0, 0])
    assert z < -8 and p == pytest.approx(1 / 201)
    _, other = against_placebo(found.absolute[0, 1], found.placebo[:, 0, 1])
    assert other > 1 / 201


def test_where_all_or_nothing_goes_no_figure_is_made_up() -> None:
    removed = np.array([[True, False]] * 4)
    found = measure(VALUES, removed, draws=50, seed=0)
    everything, nothing = (change_of([found], i, 0, "s", True, 0.5) for i in (0, 1))
    assert (everything.after, everything.relative, everything.p, everything.gap_after) == (
        None,
    ) * 4
    assert nothing.absolute == 0 and nothing.z is None and nothing.p == 1
    zero = change_of([measure(VALUES * 0, ~removed, 50, 0)], 1, 0, "s", True, 0.5)
    assert zero.relative is None and zero.relative_interval is None


def test_a_group_leaves_out_what_is_no_experiment() -> None:
    support = np.arange(100) < 20
    values = np.where([support, ~support], [[1.0], [0.4]], [[0.2], [0.5]]).T
    removed = np.stack([support, np.ones(100, dtype=bool)], axis=1)
    sets = [measure(values, removed, draws=80, seed=seed) for seed in (1, 2)]
    trials = [
        Trial(sets, i, [change_of(sets, i, s, name, s == 0, 0.3) for s, name in enumerate("ab")])
        for i in range(2)
    ]
    group = group_of("tag", "natural", trials, seed=0)
    assert (group.left_out, group.statistics.experiments, group.targets) == (1, 1, 1)
    # From (20 · 1 + 80 · 0.2) / 100 to 0.2, and from 0.42 to 0.4.
    assert group.statistics.target == pytest.approx(-0.16 / 0.36)
    assert group.statistics.other == pytest.approx(-0.02 / 0.42)
    assert group.target_by_set == pytest.approx([-0.16 / 0.36] * 2)
    assert group.placebo_p == pytest.approx(1 / 161)
    assert (group.targets_clear, group.targets_gaps, group.others_gaps) == (1, 1, 0)


def test_falls_and_rises_of_others_do_not_cancel_in_the_headline() -> None:
    support = np.arange(100) < 20
    # The removed rows hold what is the target's and b, and lack c by as much.
    values = np.stack([np.where(support, high, low) for high, low in
                       ((1.0, 0.2), (0.6, 0.4), (0.2, 0.4))], axis=1)  # fmt: skip
    sets = [measure(values, support[:, None], draws=80, seed=1)]
    changes = [change_of(sets, 0, s, name, s == 0, 0.3) for s, name in enumerate("abc")]
    group = group_of("tag", "natural", [Trial(sets, 0, changes)], seed=0)
    # b falls from 0.44 to 0.4 (9.1 %), c rises from 0.36 to 0.4 (11.1 %).
    said = headline([group], "m at server")
    assert "targets change by −44.4" in said and "others by 10.1 % up or down" in said
    assert "1 of 2 others fall below random removals (about 0.1 by chance)" in said
    assert "targets that become a gap: 1 of 1" in said
    both = headline([group, group.model_copy(update={"kind": "pattern", "rows": "strategic"})],
                    "embedded-5 (all-MiniLM-L6-v2 int8-3), joint, rubric 1")  # fmt: skip
    assert both.endswith("a topic detector.") and len(re.findall(r"[a-zA-Z]+", both)) < 80


@pytest.mark.parametrize(
    ("p", "said"),
    [(1 / 64, "0.016"), (0.00137, "0.0014"), (0.000001, "< 0.0001"), (0.5, "0.50"), (None, "–")],
)
def test_a_p_is_told_with_two_digits(p: float | None, said: str) -> None:
    assert chance(p) == said


# A domain

CONFIGURED: dict[str, Any] = {
    "goal": "Help in the kitchen.", "file": "kitchen.jsonl", "input": ["ask"], "output": "say",
    "target": 120,
    "subgoals": [{"id": "bread", "name": "Bread", "description": "Bakes bread."},
                 {"id": "soup", "name": "Soup", "description": "Cooks soup."},
                 {"id": "tidy", "name": "Tidying", "description": "Cleans the kitchen."}],
    "removals": [{"name": "bread", "subgoal": "bread", "pattern": r"\bbread\b"},
                 {"name": "soup", "subgoal": "soup", "pattern": r"\bsoups?\b"}],
}  # fmt: skip


def kitchen(count: int) -> list[dict[str, str]]:
    things = ("bread", "soup", "a pan", "the floor", "a knife")
    return [{"ask": f"What of {things[i % 5]} {i}?", "say": "Wash it."} for i in range(count)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [*kitchen(300), {"ask": "What?", "say": " "}]
    (tmp_path / "kitchen.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def pool(folder: Path, rows: int | None = None) -> Pool:
    domain = Domain.model_validate(CONFIGURED)
    return read_pools({"kitchen": domain}, folder, rows, seed=0)[0]


def test_a_pool_of_twice_the_target(folder: Path) -> None:
    found = pool(folder)
    assert (len(found.samples), found.target, found.rows, found.empty) == (240, 120, 300, 1)
    assert found.matching.tolist() == [0.2, 0.2]
    for sample, matched in zip(found.samples, found.matched, strict=True):
        assert matched.tolist() == [word in sample.input for word in ("bread", "soup")]
    assert len(pool(folder, rows=20).samples) == 40


def test_a_pattern_looks_beyond_what_the_judge_sees(folder: Path) -> None:
    rows = kitchen(60)
    rows[2]["ask"] = "x " * MAX_CHARS + "bread " + "x " * MAX_CHARS
    (folder / "kitchen.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = pool(folder)
    assert "bread" not in found.samples[2].input and found.matched[2, 0]


def judged(found: Pool) -> np.ndarray:
    """Bread rows hold all support of bread, and half of that of soup is in soup rows."""
    noise = np.random.default_rng(1).choice([0.2, 0.4], size=(len(found.samples), 3))
    noise[found.matched[:, 0], 0] = noise[found.matched[:, 1], 1] = 1.0
    return noise


def test_targets_fall_and_others_stay(folder: Path) -> None:
    found = pool(folder)
    domain, trials = corrupted(found, judged(found), Settings(seeds=3, draws=100), seed=0)
    for rows in ("strategic", "natural"):
        for removal in domain.of(rows).removals:
            target, others = removal.target, removal.others
            assert target.subgoal == removal.name and target.p == pytest.approx(1 / 101)
            assert (target.relative or 0) < -0.25 and target.relative_interval
            assert target.relative_interval[1] < -0.1
            # Rows that lack a subgoal are gone, so it may rise.
            assert all((one.relative or 0) > -0.1 for one in others)
            assert abs(others[-1].relative or 0) < 0.1, "nothing of it went"
    assert domain.of("strategic").sets == 3 and domain.of("strategic").size == 120
    assert domain.of("natural").size == 240
    assert domain.of("natural").removals[0].kept == 1 - found.matched[:, 0].mean()
    assert domain.of("strategic").removals[0].kept < domain.of("natural").removals[0].kept
    assert [len(trials[rows]) for rows in ("strategic", "natural")] == [2, 2]


def test_a_missing_judgement_is_counted_and_is_no_number(folder: Path) -> None:
    found = pool(folder)
    values = judged(found)
    values[:5, 0] = np.nan
    domain, _ = corrupted(found, values, Settings(seeds=1, draws=50), seed=0)
    before = domain.of("natural").removals[0].changes[0].before
    assert domain.failed == 5 and before == pytest.approx(np.nanmean(values[:, 0]))


def test_the_same_seed_gives_the_same_figures(folder: Path) -> None:
    found = pool(folder)
    first, again, other = (
        corrupted(found, judged(found), Settings(seeds=2, draws=50), seed)[0] for seed in (0, 0, 9)
    )
    assert first == again != other


# What can be wrong with a configuration

WRONG = [
    ({"removals": [{"name": "a", "subgoal": "bread", "pattern": "("}]}, "pattern is not valid"),
    ({"removals": [{"name": "a", "subgoal": "bread", "pattern": ""}]}, "a: the pattern is empty"),
    ({"removals": [{"name": "a", "subgoal": "bread"}]}, "either a pattern or a tag"),
    ({"removals": [{"name": "a", "subgoal": "cake", "pattern": "x"}]}, "no subgoal cake"),
    ({"removals": CONFIGURED["removals"][:1] * 2}, "removal bread is there twice"),
    ({"subgoals": CONFIGURED["subgoals"][:1]}, "subgoals"),
    ({"subgoals": "other.yaml"}, "other.yaml"),
    ({"target": 0}, "target"),
    ({"wrong": 1}, "wrong"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "said"), WRONG)
def test_a_wrong_configuration_is_named(tmp_path: Path, changed: Any, said: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(json.dumps({"kitchen": CONFIGURED | changed}))
    with pytest.raises(UserError, match=re.escape(said)) as raised:
        read_domains(path)
    assert str(tmp_path) in str(raised.value) and "\n" not in str(raised.value)


def test_what_is_not_there_is_said_in_a_line(folder: Path) -> None:
    domain = Domain.model_validate(CONFIGURED)
    with pytest.raises(UserError, match=r"no hub data set for kitchen, kitchen\.jsonl"):
        read_pools({"kitchen": domain}, None, None, 0)
    with pytest.raises(UserError, match=r"elsewhere/kitchen\.jsonl for kitchen"):
        read_pools({"kitchen": domain}, folder / "elsewhere", None, 0)
    idle = CONFIGURED | {"removals": [{"name": "a", "subgoal": "bread", "pattern": "quark"}]}
    with pytest.raises(UserError, match=r"removal a: the pattern “quark” matches no row of"):
        read_pools({"kitchen": Domain.model_validate(idle)}, folder, None, 0)
    whole = CONFIGURED | {"removals": [{"name": "a", "subgoal": "bread", "pattern": "w"}]}
    with pytest.raises(UserError, match=r"removal a: the pattern “w” matches every row of"):
        read_pools({"kitchen": Domain.model_validate(whole)}, folder, None, 0)
    other = {"name": "a", "subgoal": "bread", "tag": {"column": "say", "values": ["x"]}}
    with pytest.raises(UserError, match=r"the tag “say is x” matches no row of"):
        read_pools(
            {"k": Domain.model_validate(CONFIGURED | {"removals": [other]})}, folder, None, 0
        )
    tag = {"name": "a", "subgoal": "bread", "tag": {"column": "kind", "values": ["x"]}}
    with pytest.raises(UserError, match="no column 'kind'"):
        read_pools({"k": Domain.model_validate(CONFIGURED | {"removals": [tag]})}, folder, None, 0)
    with pytest.raises(UserError, match="no domain cellar: it has kitchen"):
        chosen({"kitchen": domain}, ["cellar"], CONFIG)


@pytest.mark.skipif(not DATA.is_dir(), reason="the data of the paper's domains is not here")
def test_the_medical_rows_that_are_kept_are_about_the_papers() -> None:
    domains = chosen(read_domains(), ["medical"], CONFIG)
    (found,) = read_pools(domains, DATA, None, 0)
    assert 1 - found.matching[0] == pytest.approx(0.936, abs=0.02)


def test_the_papers_figures_stand_beside_its_own_removals_only() -> None:
    paper = read_paper()
    removed = [Removed(name=one.name, subgoal=one.subgoal, expression="x", matching=0.1)
               for one in paper.removals if one.domain == "medical"]  # fmt: skip

    def domain(name: str) -> DomainResult:
        return DomainResult(
            name=name, kind="pattern", source="", rows=9, empty=0, pool=9, failed=0, wanted=9,
            target=9, subgoals={}, removed=removed, results=[],
        )  # fmt: skip

    some = paper.beside([domain("medical")])
    assert len(some.removals) == 2 and some.headline is None, "its headline is of all six"
    assert paper.beside([domain("kitchen")]).removals == []
    assert summary([], some, separation(some.experiments())).columns[-1] == "paper's table"
    assert "paper" not in str(summary([], paper.beside([]), separation([])).columns)
