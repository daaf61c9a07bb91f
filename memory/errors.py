"""What can go wrong for a user, as exceptions with one clear line."""


class UserError(Exception):
    """Something the user can mend: the text names it and says what to do. Exit code 2."""


class ModelUnavailable(UserError):
    """No call to the model can succeed now (dead server, wrong key, unknown model).

    The run stops; nothing is lost, and it can be resumed.
    """


class ReplyFailure(Exception):
    """One ask got no usable reply. It never becomes a score: it is recorded with its reason."""
