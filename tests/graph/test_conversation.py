"""Whole conversations, from the goal to approved subgoals, with a scripted model and over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from answers import (
    ANSWERS,
    SUBGOALS,
    Body,
    asked,
    clarification,
    ids_of,
    prompt_of,
    schema_of,
    subgoal,
    support_rows,
)
from fake_server import FakeServer

from goalcover.graph import review, session, toolbox
from goalcover.graph.session import Pending
from goalcover.graph.specify import REUSE, START_FROM
from goalcover.memory.errors import UserError
from goalcover.tools.report import Report
from goalcover.tools.scripted_model import ScriptedModel

GOAL = "Help customers with billing, refunds and returns."
ROLES = ("clarifier", "decomposer", "checker", "scorer", "analyzer", "recommender")
TWIN = subgoal("money_back", "Money back", "Tells how a customer gets a refund.")

Answer = Callable[[str], Body]


class Talk:
    """A model that answers as told, the run's options to reach it, and what it was asked."""

    def __init__(self, changes: dict[str, Answer]) -> None:
        self.answers = ANSWERS | changes
        self.options: dict[str, Any] = {}
        self.asked: list[tuple[str, str]] = []

    def answer(self, body: Body) -> Body:
        name, prompt = schema_of(body), prompt_of(body)
        self.asked.append((name, prompt))
        return self.answers[name](prompt)

    def prompts(self, schema: str) -> list[str]:
        return [prompt for name, prompt in self.asked if name == schema]


Start = Callable[..., AbstractContextManager[Talk]]


@pytest.fixture(params=["scripted", "http"])
def talk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Start:
    @contextmanager
    def start(**changes: Answer) -> Iterator[Talk]:
        talk = Talk(changes)
        if request.param == "http":
            with FakeServer(talk.answer) as server:
                talk.options = {"model": "m", "base_url": server.base_url}
                yield talk
            assert not server.errors
            return

        def reply(ask: Any) -> Any:
            form = {"json_schema": {"name": ask.reply.__name__}}
            body = {"messages": ask.messages(), "response_format": form}
            return ask.reply.model_validate(talk.answer(body))

        model = ScriptedModel(**dict.fromkeys(ROLES, reply))
        monkeypatch.setattr(toolbox, "open_model", lambda *args, **options: model)
        talk.options = {"model": "scripted"}
        yield talk

    return start


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "support.jsonl"
    path.write_text(support_rows(12))
    return path


Replies = list[tuple[str, Any]]


def converse(data: Path, talk: Talk, replies: Replies, **options: Any) -> tuple[Report, list[Any]]:
    """Runs to the end, answering each review in turn; also gives what the reviews showed.

    A reply is (name of the review, its answer or a function of what it shows).
    """
    shown: list[Any] = []
    left = iter(replies)

    def reviewer(pending: Pending) -> dict[str, Any]:
        shown.append(pending.args)
        name, response = next(left)
        assert pending.name == name, pending.args
        return response(pending.args) if callable(response) else response

    report = session.run(
        data,
        options.pop("goal", GOAL),
        reviewer=reviewer,
        out=str(data.parent / "out"),
        synthesize=0,
        **talk.options,
        **options,
    )
    assert not list(left), "every reply was asked for"
    return report, shown


def answers(stop: bool = False, message: str = "", **given: str) -> dict[str, Any]:
    args = {"answers": given, "stop": stop, "message": message}
    return review.edit("answer_questions", args)


def questions_of(shown: Any) -> list[str]:
    return [question["text"] for question in shown["questions"]]


APPROVED = ("approve_subgoals", review.approve())


def rounds_of_questions(*rounds: list[Body]) -> Answer:
    """Asks round by round, by how many answers the prompt holds."""
    texts = [[question["text"] for question in questions] for questions in rounds]

    def answer(prompt: str) -> Body:
        done = sum(bool(some) and all(f"- {t} →" in prompt for t in some) for some in texts)
        settled = [f"settled {number}" for number in range(1, done + 1)]
        return clarification(rounds[done] if done < len(rounds) else [], edge_cases=settled)

    return answer


AUDIENCE = asked("audience", "Which customers?", ["consumers", "firms"])
REFUSALS = asked("safety", "What must it refuse?", ["nothing", "legal advice"])
COUNTRIES = asked("scope", "Which countries' law applies?", ["Germany", "all of the EU"])
TONE = asked("format", "How long may an answer be?", ["a paragraph", "a page"])


def test_complete_at_once(data: Path, talk: Start) -> None:
    with talk(Clarification=rounds_of_questions([])) as model:
        report, shown = converse(data, model, [APPROVED])
    assert report.specification.ended.startswith("no question is left")
    assert report.specification.answers == [] and len(model.prompts("Clarification")) == 1
    assert [s["id"] for s in shown[0]["subgoals"]] == [s["id"] for s in SUBGOALS]
    assert report.contract.findings == [] and report.contract.probes
    assert report.profile and report.profile.read == 12
    assert "12 rows of messages" in model.prompts("Clarification")[0]


def test_three_rounds_and_no_fourth(data: Path, talk: Start) -> None:
    rounds = rounds_of_questions([AUDIENCE], [REFUSALS], [COUNTRIES], [TONE])
    with talk(Clarification=rounds) as model:
        report, shown = converse(
            data,
            model,
            [
                ("answer_questions", answers(audience="firms")),
                ("answer_questions", answers(safety="Tax advice, please.")),
                ("answer_questions", answers(scope="all of the EU")),
                APPROVED,
            ],
        )
    found = report.specification
    assert [questions_of(args) for args in shown[:3]] == [
        ["Which customers?"],
        ["What must it refuse?"],
        ["Which countries' law applies?"],
    ]
    assert [args["specification"]["edge_cases"] for args in shown] == [
        [],
        ["settled 1"],
        ["settled 1", "settled 2"],
        ["settled 1", "settled 2", "settled 3"],
    ]
    assert [a.text for a in found.answers] == ["firms", "Tax advice, please.", "all of the EU"]
    assert found.ended == "3 rounds of questions were asked, which is the limit"
    assert found.open_points == ["format"], "what was not asked any more is still open"
    assert "Tax advice, please." in model.prompts("Decomposition")[0]


def test_skipped_questions_take_their_defaults_and_are_not_asked_again(
    data: Path, talk: Start
) -> None:
    nagging = asked("audience again", "Which customers are they?", ["consumers"])
    rounds = rounds_of_questions([AUDIENCE, REFUSALS], [nagging])
    with talk(Clarification=rounds) as model:
        report, shown = converse(
            data, model, [("answer_questions", answers(audience="I don't know")), APPROVED]
        )
    assert [(a.text, a.given) for a in report.specification.answers] == [
        ("consumers", False), ("nothing", False)]  # fmt: skip
    assert len(shown) == 2, "the same question in other words is not asked"
    assert report.specification.ended.startswith("no question is left")
    assert "consumers (not answered; assumed)" in model.prompts("Decomposition")[0]


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        (answers(audience="firms", safety="stop asking"), ["firms", "nothing"]),
        (answers(audience="firms", stop=True), ["firms", "nothing"]),
        (answers(message="No more questions!"), ["consumers", "nothing"]),
        (review.reject(), ["consumers", "nothing"]),
    ],
)
def test_stop_asking(data: Path, talk: Start, reply: Any, kept: list[str]) -> None:
    rounds = rounds_of_questions([AUDIENCE, REFUSALS], [COUNTRIES])
    with talk(Clarification=rounds) as model:
        report, _ = converse(data, model, [("answer_questions", reply), APPROVED])
    assert [a.text for a in report.specification.answers] == kept
    assert report.specification.ended == "you asked for no more questions"
    assert report.specification.open_points == ["scope"]


def test_what_a_person_says_unasked_is_heard(data: Path, talk: Start) -> None:
    with talk() as model:
        report, _ = converse(
            data, model, [("answer_questions", answers(message="Gift cards too.")), APPROVED]
        )
    assert [a.text for a in report.specification.answers] == ["consumers", "Gift cards too."]
    assert "Anything else? → Gift cards too." in model.prompts("Decomposition")[0]


def test_reject_and_redo(data: Path, talk: Start) -> None:
    def decompose(prompt: str) -> Body:
        return {"subgoals": SUBGOALS[:2] if "Returns are no matter of ours" in prompt else SUBGOALS}

    with talk(Clarification=rounds_of_questions([]), Decomposition=decompose) as model:
        report, shown = converse(
            data,
            model,
            [("approve_subgoals", review.reject("Returns are no matter of ours.")), APPROVED],
        )
    assert [len(args["subgoals"]) for args in shown] == [3, 2]
    assert [c.subgoal.id for c in report.coverage] == ["billing", "refunds"]
    first, second = model.prompts("Decomposition")
    assert "EARLIER SUBGOALS" not in first and "- returns: Returns." in second


def twins_overlap(prompt: str) -> Body:
    """Rows of a pair of refunds and money back show both."""
    found = ANSWERS["Placements"](prompt)
    ids = ids_of(prompt, "SUBGOALS")
    if set(ids) == {"refunds", "money_back"}:
        for placement in found["placements"]:
            placement["shows"] = ids
    return found


def test_an_edit_that_breaks_disjointness_is_seen_and_may_be_overruled(
    data: Path, talk: Start
) -> None:
    edited = review.edit("approve_subgoals", {"subgoals": [*SUBGOALS, TWIN]})

    def overrule(shown: Any) -> dict[str, Any]:
        (finding,) = shown["contract"]["findings"]
        args = {
            "subgoals": shown["subgoals"],
            "overrule": {finding["id"]: "They go to two teams."},
            "approve": True,
        }
        return review.edit("approve_subgoals", args)

    with talk(Clarification=rounds_of_questions([]), Placements=twins_overlap) as model:
        replies = [("approve_subgoals", edited), ("approve_subgoals", overrule)]
        report, shown = converse(data, model, replies)
    (finding,) = report.contract.findings
    assert (finding.check, set(finding.subgoal_ids)) == ("disjoint", {"refunds", "money_back"})
    assert "How about refunds?" in " ".join(finding.evidence), "the row is the evidence"
    assert finding.overruled == "They go to two teams."
    assert shown[1]["contract"]["findings"][0]["overruled"] is None
    assert [c.subgoal.id for c in report.coverage] == [
        "billing",
        "refunds",
        "returns",
        "money_back",
    ]
    assert "They go to two teams." in Path(report.files["html"]).read_text()


def test_an_edit_may_be_approved_at_once_where_nothing_is_found(data: Path, talk: Start) -> None:
    args = {"subgoals": SUBGOALS[1:], "approve": True}
    with talk(Clarification=rounds_of_questions([])) as model:
        report, shown = converse(
            data, model, [("approve_subgoals", review.edit("approve_subgoals", args))]
        )
    assert [c.subgoal.id for c in report.coverage] == ["refunds", "returns"]
    assert len(shown) == 1 and len(model.prompts("AtomicVerdicts")) == 2


@pytest.mark.parametrize(
    ("overrule", "reason"),
    [
        ({"nosuch": "why"}, "no finding 'nosuch'"),
        ({"ID": "  "}, "say why finding"),
        (["ID"], "overrule is {finding id: reason}"),
    ],
)
def test_a_wrong_overruling_is_refused(data: Path, talk: Start, overrule: Any, reason: str) -> None:
    def reply(shown: Any) -> dict[str, Any]:
        name = shown["contract"]["findings"][0]["id"]
        mended = {key.replace("ID", name): why for key, why in dict(overrule).items()} if (
            isinstance(overrule, dict)) else overrule  # fmt: skip
        return review.edit("approve_subgoals", {"subgoals": SUBGOALS, "overrule": mended})

    with (
        talk(Clarification=rounds_of_questions([]), AtomicVerdicts=never_atomic) as model,
        pytest.raises(UserError, match=reason),
    ):
        converse(data, model, [("approve_subgoals", reply)])


def never_atomic(prompt: str) -> Body:
    verdicts = [
        {
            "subgoal_id": name,
            "capabilities": ["one thing", "another"],
            "half_input": "Half?",
            "half_output": "Half.",
            "atomic": name != "refunds",
        }
        for name in ids_of(prompt, "SUBGOALS")
    ]
    return {"verdicts": verdicts}


def test_findings_go_back_at_most_three_times_and_the_best_set_is_shown(
    data: Path, talk: Start
) -> None:
    sets = [[*SUBGOALS, TWIN], SUBGOALS, [*SUBGOALS, TWIN]]
    turns: list[str] = []

    def decompose(prompt: str) -> Body:
        turns.append(prompt)
        return {"subgoals": sets[len(turns) - 1]}

    with talk(
        Clarification=rounds_of_questions([]),
        Decomposition=decompose,
        AtomicVerdicts=never_atomic,
        Placements=twins_overlap,
    ) as model:
        report, shown = converse(data, model, [APPROVED])
    assert len(turns) == 3
    assert "Half? → Half." in turns[1]
    assert "- disjoint: “Refunds”" in turns[1] and "- disjoint: “" not in turns[2]
    (finding,) = shown[0]["contract"]["findings"]
    assert finding["check"] == "atomic" and len(shown[0]["subgoals"]) == 3
    assert report.contract.open[0].message.startswith("“Refunds” joins 2 capabilities")


def test_a_lost_clause_and_an_unasked_subgoal_are_found(data: Path, talk: Start) -> None:
    def matrix(prompt: str) -> Body:
        found = ANSWERS["Matrix"](prompt)
        for line in found["clauses"]:
            line["subgoal_ids"] = ["billing", "refunds"]
        found["clauses"][-1] |= {"subgoal_ids": [], "missing": ""}
        return found

    with talk(Clarification=rounds_of_questions([]), Matrix=matrix) as model:
        report, shown = converse(data, model, [APPROVED])
    messages = [finding["message"] for finding in shown[0]["contract"]["findings"]]
    assert messages == [
        "No subgoal covers “returns” (of the goal).",
        "Nothing in the specification asks for “Returns”.",
    ]
    assert [c.text for c in report.contract.matrix if not c.subgoal_ids] == ["returns"]


def test_an_earlier_approval_is_offered_for_a_similar_goal(data: Path, talk: Start) -> None:
    similar = "Support our customers with refunds, billing and returns."
    with talk() as model:
        replies = [("answer_questions", answers(audience="firms")), APPROVED]
        first, _ = converse(data, model, replies, memory=True)
        replies = [("answer_questions", answers(**{START_FROM: REUSE})), APPROVED]
        second, shown = converse(data, model, replies, memory=True, goal=similar)
        (offered,) = shown[0]["questions"]
        assert offered["id"] == START_FROM and "Billing, Refunds and Returns" in offered["text"]
        assert second.specification.based_on == first.run
        assert second.specification.answers == first.specification.answers, "not asked again"
        assert "EARLIER SUBGOALS" in model.prompts("Decomposition")[-1]

        afresh = [("answer_questions", review.approve()), ("answer_questions", answers()), APPROVED]
        third, _ = converse(data, model, afresh, memory=True, goal=f"{similar} Be kind.")
        assert third.specification.based_on == ""
        without, _ = converse(
            data, model, [("answer_questions", answers()), APPROVED], goal=similar
        )
        assert without.specification.based_on == ""
        other = [("answer_questions", answers()), APPROVED]
        converse(data, model, other, memory=True, goal="Write Python functions with unit tests.")
    assert {one.id for one in session.approved().list()} >= {first.run, second.run, third.run}
    assert without.run not in {one.id for one in session.approved().list()}
