"""Whole conversations, from the goal to approved subgoals, with a scripted model and over HTTP."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
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
from goalcover.graph.review import REUSE
from goalcover.graph.session import Pending
from goalcover.graph.specify import START_FROM
from goalcover.memory.errors import ReplyFailure, UserError
from goalcover.memory.records import Specification
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
            value = ask.reply.model_validate(talk.answer(body))
            try:
                ask.check(value)
            except ValueError as error:
                raise ReplyFailure(str(error)) from error
            return value

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


Response = dict[str, Any] | Callable[[Any], dict[str, Any]]
Replies = Sequence[tuple[str, Response]]


def finish(data: Path, talk: Talk, replies: Replies, **options: Any) -> tuple[Report, list[Any]]:
    """Runs to the end, answering each review in turn; also gives what the reviews showed.

    A reply is (name of the review, its answer or a function of what it shows).
    """
    shown: list[Any] = []
    left = iter(replies)
    report = _run(data, talk, left, shown, {"synthesize": 0} | options)
    assert not list(left), "every reply was asked for"
    return report, shown


def converse(data: Path, talk: Talk, replies: Replies, **options: Any) -> list[Any]:
    """What the reviews showed; the one after the replies, of the plan at the latest, waits.

    No report is written, which takes most of a run's time.
    """
    shown: list[Any] = []
    left = iter(replies)
    with suppress(session.Waiting):
        _run(data, talk, left, shown, {"synthesize": 1} | options)
    assert not list(left), "every reply was asked for"
    assert len(shown) == len(replies) + 1, "it waits"
    return shown


def _run(
    data: Path,
    talk: Talk,
    left: Iterator[tuple[str, Response | None]],
    shown: list[Any],
    options: dict[str, Any],
) -> Report:
    def reviewer(pending: Pending) -> dict[str, Any] | None:
        shown.append(pending.args)
        name, response = next(left, (pending.name, None))
        assert pending.name == name, pending.args
        return response if isinstance(response, dict | None) else response(pending.args)

    options = {"goal": GOAL, "out": str(data.parent / "out")} | talk.options | options
    return session.run(data, reviewer=reviewer, **options)


def kept_runs() -> set[str]:
    return {one.id for one in session.approved().list()}


def answers(stop: bool = False, message: str = "", **given: str) -> dict[str, Any]:
    args = {"answers": given, "stop": stop, "message": message}
    return review.edit("answer_questions", args)


def to_the_offer(text: str) -> tuple[str, Any]:
    return "answer_questions", review.edit("answer_questions", {"answers": {START_FROM: text}})


def specification(shown: list[Any]) -> Specification:
    return Specification.model_validate(shown[-1]["specification"])


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
        report, shown = finish(data, model, [APPROVED])
    assert report.specification.ended == "no open point is left that would change the subgoals"
    assert report.specification.answers == [] and len(model.prompts("Clarification")) == 1
    assert [s["id"] for s in shown[0]["subgoals"]] == [s["id"] for s in SUBGOALS]
    assert report.contract.findings == [] and report.contract.probes
    assert report.profile and report.profile.read == 12
    assert "12 rows of messages" in model.prompts("Clarification")[0]


def test_three_rounds_and_no_fourth(data: Path, talk: Start) -> None:
    rounds = rounds_of_questions([AUDIENCE], [REFUSALS], [COUNTRIES], [TONE])
    with talk(Clarification=rounds) as model:
        shown = converse(
            data,
            model,
            [
                ("answer_questions", answers(audience="firms")),
                ("answer_questions", answers(safety="Tax advice, please.")),
                ("answer_questions", answers(scope="all of the EU")),
            ],
        )
    found = specification(shown)
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
        shown = converse(data, model, [("answer_questions", answers(audience="I don't know"))])
    found = specification(shown)
    assert [(a.text, a.given) for a in found.answers] == [
        ("consumers", False), ("nothing", False)]  # fmt: skip
    assert "subgoals" in shown[1], "the same question in other words is not asked"
    assert found.ended == "there is no further question, though points are open"
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
        found = specification(converse(data, model, [("answer_questions", reply)]))
    assert [a.text for a in found.answers] == kept
    assert found.ended == "you asked for no more questions"
    assert found.open_points == ["scope"]


def test_what_a_person_says_unasked_is_heard(data: Path, talk: Start) -> None:
    with talk() as model:
        shown = converse(data, model, [("answer_questions", answers(message="Gift cards too."))])
    assert [a.text for a in specification(shown).answers] == ["consumers", "Gift cards too."]
    assert "Anything else? → Gift cards too." in model.prompts("Decomposition")[0]


def test_reject_and_redo(data: Path, talk: Start) -> None:
    def decompose(prompt: str) -> Body:
        return {"subgoals": SUBGOALS[:2] if "Returns are no matter of ours" in prompt else SUBGOALS}

    with talk(Clarification=rounds_of_questions([]), Decomposition=decompose) as model:
        said = ("approve_subgoals", review.reject("Returns are no matter of ours."))
        shown = converse(data, model, [said])
    assert [len(args["subgoals"]) for args in shown] == [3, 2]
    first, second = model.prompts("Decomposition")
    assert "EARLIER SUBGOALS" not in first and "- returns: Returns." in second


def test_what_a_person_rejected_holds_for_every_later_proposal(data: Path, talk: Start) -> None:
    """Findings send each proposal back, so that there are three in each loop."""
    turns: list[str] = []

    def decompose(prompt: str) -> Body:
        turns.append(prompt)
        return {"subgoals": [SUBGOALS[0] | {"name": f"Billing {len(turns)}"}, *SUBGOALS[1:]]}

    rejections = [("approve_subgoals", review.reject(why)) for why in ("Mind children.", "Short.")]
    with talk(
        Clarification=rounds_of_questions([]), Decomposition=decompose, AtomicVerdicts=never_atomic
    ) as model:
        shown = converse(data, model, rejections)
    told = ["THE PERSON REJECTED THEM" in prompt for prompt in turns]
    assert told == [False] * 3 + [True] * 6
    assert ["Mind children.\nShort." in prompt for prompt in turns] == [False] * 6 + [True] * 3
    kept = ["What should be different? → Mind children." in prompt for prompt in turns]
    assert kept == [False] * 3 + [True] * 6
    assert [a.text for a in specification(shown).answers] == ["Mind children.", "Short."]
    assert "Mind children." in model.prompts("Matrix")[-1], "the checks know it too"


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
        report, shown = finish(data, model, replies)
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


def test_lost_pieces_in_equal_words_are_overruled_apart(data: Path, talk: Start) -> None:
    def matrix(prompt: str) -> Body:
        found = ANSWERS["Matrix"](prompt)
        for line in found["clauses"][:2]:
            line["missing"] = "refunds"
        return found

    def overrule(shown: Any) -> dict[str, Any]:
        first, second = shown["contract"]["findings"]
        assert first["clause"] == second["clause"] == "refunds"
        args = {"subgoals": shown["subgoals"], "overrule": {second["id"]: "No firm asks."}}
        return review.edit("approve_subgoals", args)

    goal = "Explain refunds for people, warn about refunds for firms."
    with talk(Clarification=rounds_of_questions([]), Matrix=matrix) as model:
        shown = converse(data, model, [("approve_subgoals", overrule)], goal=goal)
    assert [f["overruled"] for f in shown[1]["contract"]["findings"]] == [None, "No firm asks."]


@pytest.mark.parametrize("checked", [True, False])
def test_an_edit_may_be_approved_at_once_where_nothing_is_found(
    data: Path, talk: Start, checked: bool
) -> None:
    changes = {} if checked else {"AtomicVerdicts": lambda prompt: {"verdicts": []}}
    args = {"subgoals": SUBGOALS[1:], "approve": True}
    with talk(Clarification=rounds_of_questions([]), **changes) as model:
        shown = converse(data, model, [("approve_subgoals", review.edit("approve_subgoals", args))])
    assert bool(shown[0]["contract"]["unchecked"]) == (not checked)
    assert [item["subgoal_id"] for item in shown[1]["items"]] == ["returns"], "a plan"
    if checked:
        assert len(model.prompts("AtomicVerdicts")) == 2


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
        shown = converse(data, model, [])
    assert len(turns) == 3
    assert "Half? → Half." in turns[1]
    assert "- disjoint: “Refunds”" in turns[1] and "- disjoint: “" not in turns[2]
    (finding,) = shown[0]["contract"]["findings"]
    assert finding["check"] == "atomic" and len(shown[0]["subgoals"]) == 3
    assert finding["message"].startswith("“Refunds” joins 2 capabilities")


def test_a_lost_clause_and_an_unasked_subgoal_are_found(data: Path, talk: Start) -> None:
    def matrix(prompt: str) -> Body:
        found = ANSWERS["Matrix"](prompt)
        for line in found["clauses"]:
            line["subgoal_ids"] = ["billing", "refunds"]
        found["clauses"][-1] |= {"subgoal_ids": [], "missing": ""}
        return found

    with talk(Clarification=rounds_of_questions([]), Matrix=matrix) as model:
        (shown,) = converse(data, model, [])
    messages = [finding["message"] for finding in shown["contract"]["findings"]]
    assert messages == [
        "No subgoal covers “returns” (of the goal).",
        "Nothing in the specification asks for “Returns”.",
    ]
    lost = [clause["text"] for clause in shown["contract"]["matrix"] if not clause["subgoal_ids"]]
    assert lost == ["returns"]


SIMILAR = "Support our customers with refunds, billing and returns."


def test_an_earlier_approval_is_offered_for_a_similar_goal(data: Path, talk: Start) -> None:
    with talk() as model:
        replies = [("answer_questions", answers(audience="firms")), APPROVED]
        first = specification(converse(data, model, replies, memory=True)[:-1])
        (first_run,) = kept_runs()
        shown = converse(data, model, [to_the_offer(REUSE), APPROVED], memory=True, goal=SIMILAR)
        (offered,) = shown[0]["questions"]
        assert offered["id"] == START_FROM and "Billing, Refunds and Returns" in offered["text"]
        second = specification(shown[:-1])
        assert second.based_on == first_run
        assert second.answers == first.answers, "not asked again"
        assert "EARLIER SUBGOALS" in model.prompts("Decomposition")[-1]
        assert len(kept_runs()) == 2

        for unoffered in ({"questions": 0}, {"goal": "Write Python functions with unit tests."}):
            options = {"goal": SIMILAR, "memory": True} | unoffered
            (shown,) = converse(data, model, [], **options)
            assert START_FROM not in {question["id"] for question in shown.get("questions", [])}
        replies = [("answer_questions", answers()), APPROVED]
        without = converse(data, model, replies, goal=SIMILAR)
        assert specification(without[:-1]).based_on == "" and len(kept_runs()) == 2


def test_only_a_yes_starts_from_what_was_approved_earlier(data: Path, talk: Start) -> None:
    with talk() as model:
        converse(data, model, [("answer_questions", answers()), APPROVED], memory=True)
        (kept,) = kept_runs()
        for said in ("Yes, but without returns.", "ok", "Start from them"):
            shown = converse(data, model, [to_the_offer(said)], memory=True, goal=SIMILAR)
            assert specification(shown).based_on == kept and "subgoals" in shown[1]
        for said in ("Nope", "I want to start afresh", "no", "", "Yesterday's were bad."):
            shown = converse(data, model, [to_the_offer(said)], memory=True, goal=SIMILAR)
            assert specification(shown).based_on == ""
            assert questions_of(shown[1]) == ["Which customers?"]


def test_what_is_kept_holds_no_row_of_the_data(data: Path, talk: Start) -> None:
    wanted = [one | {"target_count": 5} for one in SUBGOALS]
    answer = {"subgoals": wanted}
    with talk(Clarification=rounds_of_questions([]), Decomposition=lambda prompt: answer) as model:
        shown = converse(data, model, [APPROVED], memory=True)
    assert all(one["example"] and one["target_count"] == 5 for one in shown[0]["subgoals"])
    (kept,) = session.approved().list()
    assert [(one.example, one.target_count) for one in kept.subgoals] == [(None, None)] * 3


def test_what_nobody_looked_at_is_not_kept(data: Path, talk: Start) -> None:
    unattended = ("approve_subgoals", review.approve(unattended=True))
    with talk(Clarification=rounds_of_questions([])) as model:
        converse(data, model, [unattended], memory=True)
    assert session.approved().list() == []
