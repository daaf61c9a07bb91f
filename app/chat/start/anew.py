"""A new session from one that has begun: with its data and its settings, to be changed."""

from ....graph import session
from ....memory.errors import UserError
from ....tools.settings import RunConfig
from .. import drafts, uploads
from ..drafts import Draft, ModelChoice
from ..standing import Standing
from .choices import PRECISIONS


def begin_anew(found: Standing) -> Draft:
    """Kept as a session of its own: with a copy of the uploaded file, without name and key. Raises
    UserError where there is nothing to take over, or where the uploaded file is gone."""
    old = draft_of(found)
    new = old.model_copy(update=fresh())
    drafts.save(new)
    if not old.source or not uploads.is_upload(found.id, old.source):
        return new
    try:
        source = uploads.copy_upload(old.source, new.id)
        return drafts.change(new.id, source=source.model_dump())
    except UserError:
        drafts.remove(new.id)
        raise


def fresh() -> dict[str, str]:
    """Of a draft that is like another."""
    new = Draft(id=session.new_id())
    return {"id": new.id, "created": new.created, "name": ""}


def draft_of(found: Standing) -> Draft:
    """What was given for a session. The run's configuration leads: another tab may have changed the
    draft after the run was entered. Raises UserError where neither is there."""
    if found.config:
        draft = of_config(found.id, found.config)
        return draft.model_copy(update={"uploaded": found.draft.uploaded if found.draft else ""})
    if found.draft is None:
        raise UserError("the settings of this run are of another version: begin a new session.")
    return found.draft


def of_config(session_id: str, config: RunConfig) -> Draft:
    """What the page can ask for of a run's configuration, within what it can ask for."""
    models = ModelChoice()
    if config.model or config.judge:
        models = ModelChoice(
            kind="server",
            model=config.model or "",
            judge=config.judge or "",
            base_url=config.base_url or "",
        )
    least, most = PRECISIONS
    return Draft(
        id=session_id,
        source=config.source,
        goal=config.goal.text,
        domain=config.goal.domain,
        task=config.goal.task,
        models=models,
        tau=config.tau,
        precision=None if config.precision is None else min(max(config.precision, least), most),
        max_calls=config.max_calls,
        budget=config.budget,
        synthesize=config.synthesize,
    )
