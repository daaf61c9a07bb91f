"""Questions about the results, kept with the session."""

import threading
from pathlib import Path

from chats import support_run

from goalcover.app.chat import drafts
from goalcover.app.chat.asked import asked, keep_answer
from goalcover.graph import session
from goalcover.memory.records import Found


def test_answers_are_kept_in_their_order_and_go_with_the_session(tmp_path: Path) -> None:
    """Of a run that was not started here, too; looking makes no folder."""
    run_id = support_run(tmp_path)
    assert asked(run_id) == [] and not (drafts.root() / run_id).exists()
    for question in ("first?", "second?"):
        keep_answer(run_id, Found(question=question))
    assert [found.question for found in asked(run_id)] == ["first?", "second?"]
    session.delete_run(run_id)
    assert asked(run_id) == []
    keep_answer(run_id, Found(question="late?"))
    assert not (drafts.root() / run_id).exists(), "an answer does not bring it back"


def test_answers_of_several_tabs_are_all_kept(tmp_path: Path) -> None:
    run_id, tabs = support_run(tmp_path), 8
    together = threading.Barrier(tabs)

    def ask(number: int) -> None:
        together.wait()
        keep_answer(run_id, Found(question=str(number)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(tabs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found.question for found in asked(run_id)) == sorted(map(str, range(tabs)))


def test_a_run_that_a_script_has_named_keeps_none() -> None:
    keep_answer("../mine", Found(question="?"))
    assert asked("../mine") == [] and not drafts.root().exists()
