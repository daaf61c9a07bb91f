"""Rows near the cut, judged after all."""

from judging import THREE, VALUES, judged, sample, scorer_of, stored, values

from goalcover.memory.errors import BudgetSpent, ReplyFailure
from goalcover.tools.scripted_model import ScriptedModel
from goalcover.tools.survey.beside import judge_beside


class Rows:
    """A table of samples; row 3 has no output."""

    def sample(self, row: int):
        return None if row == 3 else sample(row)


def answering(*bad: tuple[str, Exception]) -> ScriptedModel:
    """Judges rows well, but for those of which the input is named."""
    wrong = dict(bad)

    def script(ask):
        if error := wrong.get(ask.input):
            raise error
        return judged(list(ask.order))

    return ScriptedModel(scorer=script)


async def rejudged(scorer, rows: list[int]) -> int:
    return await judge_beside(scorer, Rows(), rows, THREE, "run")  # type: ignore[arg-type]


async def test_these_rows_are_judged_and_the_run_keeps_its_own(store):
    model = answering()
    scorer = scorer_of(model, store)
    store.scores.join("run", [sample(0), sample(1)])
    assert await rejudged(scorer, [5, 3, 1]) == 2
    assert {ask.input for ask in model.asked} == {"question 5", "question 1"}
    assert values(stored(store, scorer, sample(5))) == VALUES
    listed = [row for row, *_ in store.scores.rows("run", scorer.judge, THREE)]
    assert listed == [0, 1]
    assert store.connection.execute("SELECT DISTINCT run FROM members").fetchall() == [("run",)]


async def test_what_is_known_is_not_asked_again(store):
    model = answering()
    scorer = scorer_of(model, store)
    await rejudged(scorer, [5])
    assert await rejudged(scorer, [5, 6]) == 2
    assert len(model.asked) == 2


async def test_a_row_whose_judgement_failed_does_not_count(store):
    model = answering(("question 1", ReplyFailure("refused")))
    assert await rejudged(scorer_of(model, store), [0, 1]) == 1


async def test_where_the_cap_is_met_it_ends_with_what_was_judged(store):
    model = answering(("question 2", BudgetSpent("the cap is met")))
    scorer = scorer_of(model, store, concurrency=1)
    assert await rejudged(scorer, [0, 1, 2, 4]) == 2
    assert len(model.asked) == 3
    assert store.connection.execute("SELECT COUNT(*) FROM members").fetchone() == (0,)


async def test_no_rows_no_calls(store):
    model = answering()
    assert await rejudged(scorer_of(model, store), [3]) == 0
    assert model.asked == []
