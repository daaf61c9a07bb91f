"""What can go wrong for a user, as exceptions with one clear line."""

from .records import Spent


class UserError(Exception):
    """Something the user can mend: the text names it and says what to do. Exit code 2."""


class Unanswered(Exception):
    """A run stopped at a review that nobody answered; it can be resumed. Exit code 3."""


class ModelUnavailable(UserError):
    """No call to the model can succeed now (dead server, wrong key, unknown model).

    The run stops; nothing is lost, and it can be resumed.
    """


class ReplyFailure(Exception):
    """One ask got no usable reply. It never becomes a score: it is recorded with its reason.

    outage: the server, not the ask, is at fault (time-outs, 429, 5xx). What was spent on replies
    that came was paid for all the same.
    """

    def __init__(self, reason: str, *, outage: bool = False, spent: Spent | None = None) -> None:
        super().__init__(reason)
        self.outage = outage
        self.spent = spent or Spent()


class BudgetSpent(ReplyFailure):
    """The run's cap is met: the ask was not sent, and nothing charged. See `tools/cap.py`.

    It is no failure of the ask: it is never recorded as a judgement, and another run may ask it.
    """
