"""Trying a model out before a run: one judgement of a made-up row."""

import time
from dataclasses import dataclass

from ..memory.errors import ReplyFailure, UserError
from ..memory.records import Sample, Spent, Subgoal
from .chat_model import ChatModel
from .formats import Form
from .judge import Judgements, asks_of, scores_of
from .model import Reply
from .settings import ModelConfig, untraced

PATIENCE = 20.0
"""Seconds that a reply may take, where the configuration does not ask for fewer: a person waits."""

SUBGOAL = Subgoal(
    id="percentages",
    name="Percentages",
    description="Works out a percentage of an amount and shows the steps.",
)
ROW = Sample(
    index=0,
    id="made-up",
    input="A lamp costs 80 euros and is reduced by 15 %. What does it cost now?",
    output="15 % of 80 euros is 0.15 × 80 = 12 euros, so the lamp costs 80 − 12 = 68 euros now.",
)


@dataclass(frozen=True)
class Connection:
    """What came of one judgement of ROW for SUBGOAL.

    place: host and path of the server. seconds: by the clock, from the first call to the reply.
    calls: one, and one more for each way of asking that the server refused before `form`. spent: on
    the reply, entered in no run's usage. price: of the model in words, "not known" where it is not.
    score, explanation: the model's own; explanation is untrusted text.
    """

    model: str
    place: str
    seconds: float
    calls: int
    spent: Spent
    price: str
    form: Form
    score: float
    explanation: str


async def try_connection(config: ModelConfig, name: str) -> Connection:
    """Asks the model of that name for one judgement, without repeating a call that failed and
    without a second chance for a reply that does not fit.

    Raises UserError, in one line, for a server that cannot be reached, refuses the key, does not
    know the model, takes too long, or gives no usable judgement.
    """
    model = ChatModel(
        name,
        config.base_url,
        timeout=min(config.timeout, PATIENCE),
        retries=0,
        prices=config.prices,
        repair=False,
    )
    (ask,) = asks_of(ROW, [SUBGOAL], "joint")
    start = time.monotonic()
    with untraced():
        try:
            reply = await model.answer(ask)
        except ReplyFailure as failure:
            raise _no_use(model, failure) from failure
        finally:
            await model.aclose()
    return _connection(model, reply, time.monotonic() - start)


def _connection(model: ChatModel, reply: Reply[Judgements], seconds: float) -> Connection:
    score = scores_of(reply.value, [SUBGOAL])[SUBGOAL.hash]
    if score.value is None:
        raise _no_use(model, ReplyFailure(score.error or ""))
    return Connection(
        model=model.model,
        place=model.place,
        seconds=seconds,
        calls=1 + model.refusals,
        spent=reply.spent,
        price=str(model.price or "not known"),
        form=model.form,
        score=score.value,
        explanation=score.explanation,
    )


def _no_use(model: ChatModel, failure: ReplyFailure) -> UserError:
    then = "try again when the server is well" if failure.outage else "try another model"
    return UserError(f"{model.name} gave no usable judgement ({failure}): {then}.")
