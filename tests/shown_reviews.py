"""Reviews as the chat shows them, without a run: the page in this process, and what it sends."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from goalcover.app import chat
from goalcover.app.chat import runner, standing
from goalcover.app.chat.job import Job
from goalcover.app.chat.standing import Stage, Standing
from goalcover.graph import review
from goalcover.graph.session import Pending, configure
from goalcover.memory.errors import UserError
from goalcover.memory.records import (
    Answer,
    ClauseCover,
    Contract,
    DataProfile,
    DataTopic,
    Example,
    Finding,
    Goal,
    Question,
    Specification,
    Subgoal,
)
from goalcover.memory.runs import Run
from goalcover.tools.settings import RunConfig

PAGE = Path(chat.__file__).with_name("page.py")
SESSION = "20260101-000000-0001"
TIMEOUT = 60.0


def page(session_id: str = SESSION) -> AppTest:
    """A tab, as it is first shown."""
    at = AppTest.from_file(PAGE, default_timeout=TIMEOUT)
    at.query_params["session"] = session_id
    return at.run()


def shown(at: AppTest) -> str:
    """All of its own HTML."""
    assert not at.exception, at.exception
    return "\n".join(block.proto.body for block in at.get("html"))


def button(at: AppTest, word: str, place: int = 0) -> Any:
    """The one of that word that comes at that place."""
    return [one for one in at.button if one.label == word][place]


def pills(at: AppTest) -> list[Any]:
    return list(at.get("button_group"))


@dataclass
class Waiting:
    """A session that waits; what pages send is kept and checked as the graph checks it. meanwhile:
    where it stands instead, as after a pause, and `then` once something is sent; job: what took it
    further last."""

    pending: Pending
    sent: list[dict[str, Any]] = field(default_factory=list)
    busy: bool = False
    then: Stage | None = None
    meanwhile: Stage | None = None
    job: Job | None = None
    config: RunConfig = field(default_factory=lambda: configure("rows.jsonl", "Explain medicines."))

    def standing(self, session_id: str, runner: Any) -> Standing:
        stage: Any = self.pending.name
        run = Run(
            id=session_id,
            created="",
            updated="",
            status="waiting",
            stage=stage,
            data="",
            goal=self.config.goal.text,
            out="",
            config=self.config.model_dump_json(),
        )
        if self.meanwhile:
            return Standing(session_id, self.meanwhile, run=run, job=self.job)
        return Standing(session_id, stage, run=run, pending=self.pending, job=self.job)

    def start(self, runner: Any, run_id: str, pending: Pending, response: dict[str, Any]) -> None:
        if self.busy:
            raise UserError("this run is under way already: another tab started it.")
        assert pending.payload == self.pending.payload
        review.validate(pending.payload, response)
        self.sent.append(response)
        self.meanwhile = self.then

    @property
    def decision(self) -> dict[str, Any]:
        (response,) = self.sent
        return response["decisions"][0]

    @property
    def args(self) -> dict[str, Any]:
        """Of the edit that was sent."""
        assert self.decision["type"] == "edit"
        return self.decision["edited_action"]["args"]


def waiting(pending: Pending, patch: pytest.MonkeyPatch) -> Waiting:
    found = Waiting(pending)
    patch.setattr(standing, "standing", found.standing)
    patch.setattr(runner.Runner, "start", lambda *args: found.start(*args))
    return found


AUDIENCE = Question(
    id="audience",
    dimension="audience",
    text="Who reads the answers?",
    reason="A layperson is taught otherwise.",
    suggestions=["patients", "nurses", "doctors"],
    default="whoever the data is for",
)
EDGES = Question(
    id="edge-cases",
    dimension="edge cases",
    text="Which unusual inputs?",
    suggestions=["none in particular"],
    default="none in particular",
)
OFFER = Question(
    id="start-from",
    dimension="starting point",
    text="Start from them?",
    suggestions=["start from them", "start afresh"],
    default="start afresh",
)
SPECIFICATION = Specification(
    goal=Goal(text="Explain medicines.", domain="medicine"),
    in_scope=["dosing"],
    language=["English (assumed)"],
    open_points=["safety"],
    answers=[
        Answer(question=EDGES.model_copy(update={"id": "e"}), text="typing errors"),
        Answer(question=AUDIENCE.model_copy(update={"id": "a"}), text="anyone", given=False),
    ],
)
PROFILE = DataProfile(
    read=3,
    looked_at=3,
    embedded=3,
    format="texts",
    topics=[DataTopic(name="fever", share=0.5, example=Example(input="a", output="b"))],
    how="Counted.",
)


def request(name: review.Review, args: dict[str, Any]) -> Pending:
    return Pending(review.request(name, args, ""))


def asked(
    *questions: Question, specification: Specification = SPECIFICATION, turn: int = 1
) -> Pending:
    return request(
        "answer_questions",
        {
            "questions": [question.model_dump() for question in questions],
            "specification": specification.model_dump(),
            "profile": PROFILE.model_dump(),
            "round": turn,
        },
    )


DOSES = Subgoal(id="doses", name="Doses", description="States the strength and states the timing.")
RISKS = Subgoal(id="risks", name="Risks", description="Warns about side effects.", target_count=40)
CARE = Subgoal(
    id="care",
    name="Care",
    description="Says when to see a doctor.",
    counts="a red flag is named",
    does_not_count="a plain goodbye",
    example=Example(input="My chest hurts.", output="Call an ambulance."),
)
JOINED = Finding(
    id="f1", check="atomic", subgoal_ids=["doses"], message="Two things.", evidence=["how; when"]
)
SAME = Finding(id="f2", check="disjoint", subgoal_ids=["risks", "care"], message="The same.")
LOST = Finding(id="f3", check="complete", clause="advise on travel", message="Nobody covers it.")
STANDS = Finding(id="f4", check="atomic", subgoal_ids=["care"], message="x", overruled="One desk.")
MATRIX = [
    ClauseCover(id="c1", field="goal", text="dosing", subgoal_ids=["doses"]),
    ClauseCover(id="c2", field="goal", text="advise on travel"),
    ClauseCover(id="c3", field="users", text="for patients", qualifies=True),
]


def proposed(*findings: Finding, unchecked: tuple[str, ...] = ()) -> Pending:
    contract = Contract(
        findings=list(findings), unchecked=list(unchecked), matrix=MATRIX, how=["By reading."]
    )
    return request(
        "approve_subgoals",
        {
            "subgoals": [s.model_dump(exclude_defaults=True) for s in (DOSES, RISKS, CARE)],
            "contract": contract.model_dump(),
            "specification": SPECIFICATION.model_dump(),
        },
    )
