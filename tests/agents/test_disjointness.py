"""Do two subgoals ask for different things? Rows that are to part them, and what they show."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from goalcover.agents.disjointness import (
    MOST_PAIRS,
    PlaceAsk,
    Placement,
    Placements,
    SeparateAsk,
    WrittenProbe,
    WrittenProbes,
    check_disjoint,
    close_pairs,
)
from goalcover.memory.errors import ModelUnavailable, ReplyFailure
from goalcover.memory.records import Example, Finding, Goal, Probe, Specification, Subgoal
from goalcover.memory.store import Store
from goalcover.tools.embeddings import Embedder
from goalcover.tools.model import Door
from goalcover.tools.scripted_model import ScriptedModel

GOAL = Specification(goal=Goal(text="Explain dosing of medicines, warn about side effects."))
FEES = Subgoal(id="fees", name="Fees", description="Explains a charge on an invoice.")
TAX = Subgoal(id="tax", name="Tax", description="Explains the tax on an invoice.")
OPERA = Subgoal(id="opera", name="Opera", description="Recommends an opera singer.")

Shown = Callable[[str, Example], list[str]]


def row_for(name: str) -> str:
    return f"What is {name}?"


def own_subgoal(text: str, pair: list[str]) -> list[str]:
    """Each row shows what it was written for."""
    return [name for name in pair if text == row_for(name)]


def script(
    shows: Callable[[str, list[str]], list[str]] = own_subgoal,
    impossible: tuple[str, ...] = (),
    fails: Callable[[Any], Exception | None] = lambda ask: None,
) -> ScriptedModel:
    """Writes a row for every side that is not impossible; `shows` places it by its text."""

    def probe(name: str) -> WrittenProbe:
        if name in impossible:
            return WrittenProbe(why="It is the same.", possible=False, input="", output="")
        return WrittenProbe(why="Another matter.", possible=True, input=row_for(name), output="So.")

    def answer(ask: Any) -> Any:
        if failure := fails(ask):
            raise failure
        if isinstance(ask, SeparateAsk):
            return WrittenProbes(first_only=probe(ask.first.id), second_only=probe(ask.second.id))
        pair = [subgoal.id for subgoal in ask.subgoals]
        return Placements(
            placements=[
                Placement(row=name, explanation="It says so.", shows=shows(row.input, pair))
                for name, row in reversed(ask.rows.items())
            ]
        )

    return ScriptedModel(checker=answer)


async def checked(
    model: ScriptedModel, store: Store, embedder: Embedder, *subgoals: Subgoal
) -> tuple[list[Finding], list[Probe], list[str]]:
    return await check_disjoint(Door(model, store, "run"), embedder, GOAL, subgoals or (FEES, TAX))


async def test_rows_that_part_a_pair_are_kept_as_probes(store: Store, embedder: Embedder) -> None:
    findings, probes, unchecked = await checked(script(), store, embedder)
    assert (findings, unchecked) == ([], [])
    assert [(p.fits, p.not_fits, p.shown_by, p.holds) for p in probes] == [
        ("fees", "tax", ["fees"], True),
        ("tax", "fees", ["tax"], True),
    ]
    assert probes[0].row == Example(input="What is fees?", output="So.")
    assert probes[0].note == "It says so."


@pytest.mark.parametrize(
    ("shared", "message"),
    [
        (["fees"], "“Fees” lies within “Tax”: no row fits the first alone."),
        (["tax"], "“Tax” lies within “Fees”: no row fits the first alone."),
        (["fees", "tax"], "“Fees” and “Tax” ask for the same: no row fits one alone."),
    ],
)
async def test_a_row_that_also_shows_the_other_is_evidence_of_overlap(
    shared: list[str], message: str, store: Store, embedder: Embedder
) -> None:
    """The subgoal that no row shows alone lies within the other."""

    def shows(text: str, pair: list[str]) -> list[str]:
        return pair if text in map(row_for, shared) else own_subgoal(text, pair)

    (found,), probes, _ = await checked(script(shows), store, embedder)
    assert (found.check, found.subgoal_ids, found.message) == ("disjoint", ["fees", "tax"], message)
    assert [p.fits for p in probes if not p.holds] == shared
    names = {"fees": ("Fees", "Tax"), "tax": ("Tax", "Fees")}
    assert found.evidence == [
        f"The row written to fit “{names[name][0]}” alone also shows “{names[name][1]}”: "
        f"{row_for(name)} → So."
        for name in shared
    ]


@pytest.mark.parametrize(
    ("impossible", "inner"), [(("fees",), "“Fees” lies within"), (("tax",), "“Tax” lies within")]
)
async def test_a_row_that_cannot_be_written_is_evidence_of_overlap(
    impossible: tuple[str, ...], inner: str, store: Store, embedder: Embedder
) -> None:
    (found,), probes, _ = await checked(script(impossible=impossible), store, embedder)
    assert [p.fits for p in probes if not p.possible] == list(impossible)
    name = impossible[0].capitalize()
    assert found.message.startswith(inner)
    assert found.evidence == [f"No row fits “{name}” alone: It is the same."]
    assert [(p.row, p.note) for p in probes if p.fits == impossible[0]] == [
        (None, "It is the same.")
    ]


async def test_findings_on_a_pair_are_others_when_they_say_another_thing(
    store: Store, embedder: Embedder
) -> None:
    """Else a reason for "the first lies within the second" would overrule the reverse."""
    sides = [("fees",), ("tax",), ("fees", "tax")]
    ids = set[str]()
    for side in sides:
        model = script(impossible=side)
        model.name = " ".join(side)  # what one says is not remembered for another
        (found,), _, _ = await checked(model, store, embedder)
        ids.add(found.id)
    assert len(ids) == len(sides)


@pytest.mark.parametrize("impossible", [(), ("fees",)])
async def test_a_subgoal_is_told_apart_by_a_row_that_was_written_for_the_other(
    impossible: tuple[str, ...], store: Store, embedder: Embedder
) -> None:
    """Whatever was said to be possible: the row is there."""

    def shows(text: str, pair: list[str]) -> list[str]:
        return ["fees"] if text == row_for("tax") else pair

    (found,), _, _ = await checked(script(shows, impossible), store, embedder)
    assert found.message == "“Tax” lies within “Fees”: no row fits the first alone."
    assert found.evidence == [
        f"The row written to fit “Tax” alone shows “Fees”: {row_for('tax')} → So."
    ]


async def test_rows_that_show_each_others_subgoal_part_the_pair(
    store: Store, embedder: Embedder
) -> None:
    def shows(text: str, pair: list[str]) -> list[str]:
        return [name for name in pair if text != row_for(name)]

    findings, probes, unchecked = await checked(script(shows), store, embedder)
    assert (findings, unchecked) == ([], [])
    assert not any(probe.holds for probe in probes)


async def test_where_no_row_can_be_written_none_is_placed(store: Store, embedder: Embedder) -> None:
    model = script(impossible=("fees", "tax"))
    (found,), _, _ = await checked(model, store, embedder)
    assert "ask for the same" in found.message
    assert [type(ask) for ask in model.asked] == [SeparateAsk]


@pytest.mark.parametrize("shows", [lambda text, pair: [], lambda text, pair: [
    name for name in pair if name not in own_subgoal(text, pair)]])  # fmt: skip
async def test_a_probe_holds_only_when_its_row_shows_its_own_subgoal(
    shows: Any, store: Store, embedder: Embedder
) -> None:
    _, probes, _ = await checked(script(shows), store, embedder)
    assert len(probes) == 2 and not any(probe.holds for probe in probes)


async def test_a_row_that_shows_neither_tells_nothing(store: Store, embedder: Embedder) -> None:
    def shows(text: str, pair: list[str]) -> list[str]:
        return [] if text == row_for("fees") else own_subgoal(text, pair)

    findings, _, unchecked = await checked(script(shows), store, embedder)
    assert findings == []
    assert unchecked == [
        "Whether a row fits “Fees” and not “Tax”: the one that was written was found to show "
        "neither"
    ]


@pytest.mark.parametrize("failing", [SeparateAsk, PlaceAsk])
async def test_a_pair_without_a_usable_reply_is_unchecked_and_never_overlapping(
    failing: type, store: Store, embedder: Embedder
) -> None:
    def fails(ask: Any) -> Exception | None:
        subgoals = [ask.first, ask.second] if isinstance(ask, SeparateAsk) else ask.subgoals
        mine = isinstance(ask, failing) and OPERA not in subgoals
        return ReplyFailure("no JSON") if mine else None

    model = script(impossible=("fees", "tax"), fails=fails) if failing is SeparateAsk else (
        script(lambda text, pair: pair, fails=fails))  # fmt: skip
    findings, probes, unchecked = await checked(model, store, embedder, FEES, TAX, OPERA)
    assert unchecked == ["Whether “Fees” and “Tax” are disjoint: no JSON"]
    assert all("opera" in found.subgoal_ids for found in findings)
    assert probes and all("opera" in (probe.fits, probe.not_fits) for probe in probes)


@pytest.mark.parametrize("error", [ReplyFailure("503", outage=True), ModelUnavailable("no key")])
async def test_a_server_that_is_out_of_order_stops_the_check(
    error: Exception, store: Store, embedder: Embedder
) -> None:
    with pytest.raises(type(error), match=str(error)):
        await checked(script(fails=lambda ask: error), store, embedder)


async def test_a_single_subgoal_needs_no_call(store: Store, embedder: Embedder) -> None:
    model = script()
    assert await checked(model, store, embedder, FEES) == ([], [], [])
    assert model.asked == []


# Which pairs


async def test_close_pairs_and_the_nearest_of_each_are_probed(embedder: Embedder) -> None:
    chess = Subgoal(id="chess", name="Chess", description="Teaches chess openings.")
    found = await close_pairs([OPERA, TAX, chess, FEES], embedder)
    assert {frozenset((a.id, b.id)) for a, b in found[:1]} == {frozenset(("tax", "fees"))}
    assert {s.id for pair in found for s in pair} == {"opera", "tax", "chess", "fees"}
    assert len(found) < 6, "far pairs are not probed"


async def test_at_most_so_many_pairs_are_probed(embedder: Embedder) -> None:
    alike = [
        Subgoal(id=f"s{i}", name="Fees", description=f"Explains charge {i}.") for i in range(7)
    ]
    found = await close_pairs(alike, embedder)
    assert len(found) == MOST_PAIRS < 21
    assert len({frozenset((a.id, b.id)) for a, b in found}) == MOST_PAIRS


# What a model is told


async def test_the_order_of_the_rows_does_not_say_what_they_were_written_for(
    store: Store, embedder: Embedder
) -> None:
    """Over several pairs, the row of the first subgoal comes now first, now second."""
    model = script()
    subgoals = [
        Subgoal(id=f"fee{i}", name=f"Fee {i}", description="Explains fees.") for i in range(5)
    ]
    await checked(model, store, embedder, *subgoals)
    places = []
    for ask in model.asked:
        if isinstance(ask, PlaceAsk):
            assert list(ask.rows) == ["row1", "row2"]
            texts = [row.input for row in ask.rows.values()]
            places.append(texts.index(row_for(ask.subgoals[0].id)))
    assert len(places) == 10 and set(places) == {0, 1}


def test_rows_are_placed_without_sight_of_the_examples() -> None:
    """A row that was written after an example would be known by it."""
    example = Example(input="Why 5 euros?", output="A monthly charge.")
    pair = (FEES.model_copy(update={"example": example}), TAX)
    ask = PlaceAsk(rows={"row1": Example(input="How much?", output="Seven.")}, subgoals=pair)
    user = ask.messages()[1]["content"]
    assert re.search(r"<<<(ROW row1 [0-9a-f]{16})\nHow much\?\n→ Seven\.\n\1>>>", user)
    assert "- fees: Fees. Explains a charge on an invoice.\n- tax: Tax." in user
    assert "5 euros" not in user and "monthly" not in user


def test_rows_are_written_for_two_fenced_subgoals() -> None:
    user = SeparateAsk(clauses=("a clause",), first=FEES, second=TAX).messages()[1]["content"]
    for label, text in (("FIRST", "- fees: Fees. Explains"), ("SECOND", "- tax: Tax. Explains")):
        assert re.search(rf"<<<{label} [0-9a-f]{{16}}\n{text}", user)
    assert "a clause" not in user


async def test_only_the_embedded_model_is_given_clauses(store: Store, embedder: Embedder) -> None:
    """They are in no prompt, so a reply that was paid for stays good when they change."""
    model = script()
    await checked(model, store, embedder)
    assert [ask.clauses for ask in model.asked if isinstance(ask, SeparateAsk)] == [()]


# What a valid schema does not say


@pytest.mark.parametrize(("given", "output"), [("", "So."), ("Why?", " "), ("", "")])
def test_a_row_that_is_possible_has_input_and_output(given: str, output: str) -> None:
    good = WrittenProbe(why="", possible=True, input="Why?", output="So.")
    bad = WrittenProbe(why="", possible=True, input=given, output=output)
    ask = SeparateAsk(clauses=(), first=FEES, second=TAX)
    ask.check(WrittenProbes(first_only=good, second_only=good))
    for first, second in ((good, bad), (bad, good)):
        with pytest.raises(ValueError, match="write the input and the output"):
            ask.check(WrittenProbes(first_only=first, second_only=second))


@pytest.mark.parametrize(
    ("placed", "reason"),
    [
        ({"row1": ["fees"]}, "exactly one placement for row2"),
        ({"row1": [], "row2": [], "row3": []}, "there is no row3"),
        ({"row1": ["fees"], "row2": ["Tax"]}, "there is no subgoal Tax"),
    ],
)
def test_a_placement_names_the_rows_and_subgoals_that_there_are(
    placed: dict[str, list[str]], reason: str
) -> None:
    row = Example(input="?", output=".")
    ask = PlaceAsk(rows={"row1": row, "row2": row}, subgoals=(FEES, TAX))
    placements = [Placement(row=name, explanation="", shows=s) for name, s in placed.items()]
    with pytest.raises(ValueError, match=reason):
        ask.check(Placements(placements=placements))


# The embedded model


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        ("Explains the dosing of medicines.", "Explain dosing of medicines.", True),
        ("States how much of a medicine to take.", "Names the dose of a medicine.", True),
        ("Explains dosing of medicines.", "Warns about side effects.", False),
        ("Explains dosing of medicines.", "Recommends an opera singer.", False),
    ],
)
async def test_the_embedded_model_goes_by_similarity_and_clause(
    first: str, second: str, overlap: bool, embedded: Door, embedder: Embedder
) -> None:
    pair = [Subgoal(id=name, name=name, description=text) for name, text in
            (("a", first), ("b", second))]  # fmt: skip
    findings, _, _ = await check_disjoint(embedded, embedder, GOAL, pair)
    assert [found.subgoal_ids for found in findings] == ([["a", "b"]] if overlap else [])
    assert all("ask for the same." in f.message and len(f.evidence) == 1 for f in findings)
    assert all("Their similarity is 0." in line for f in findings for line in f.evidence)


async def test_the_embedded_model_compares_every_pair(embedded: Door, embedder: Embedder) -> None:
    chess = Subgoal(id="chess", name="Chess", description="Teaches chess openings.")
    subgoals = [OPERA, TAX, chess, FEES]
    assert len(await close_pairs(subgoals, embedder)) < 6
    _, probes, _ = await check_disjoint(embedded, embedder, GOAL, subgoals)
    assert len({frozenset((probe.fits, probe.not_fits)) for probe in probes}) == 6


async def test_subgoals_nearest_to_one_clause_overlap_sooner(
    embedded: Door, embedder: Embedder
) -> None:
    pair = [
        Subgoal(id="a", name="a", description="States how much of a medicine to take."),
        Subgoal(id="b", name="b", description="Names the dose of a medicine."),
    ]
    (found,), _, _ = await check_disjoint(embedded, embedder, GOAL, pair)
    assert all("“Explain dosing of medicines”" in line for line in found.evidence)
    manner = Specification(goal=Goal(text="Be brief."))  # says nothing of what rows are about
    assert (await check_disjoint(embedded, embedder, manner, pair))[0] == []
