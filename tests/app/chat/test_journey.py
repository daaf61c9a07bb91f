"""The whole way from an upload to the downloads, in a real browser, over a killed server."""

import re
import subprocess
import sys
from pathlib import Path

from answers import support_rows
from chat_page import ChatPage
from chat_process import LOST, ChatProcess
from fake_server import FakeServer
from playwright.sync_api import Page, expect
from support_desk import SupportDesk
from taken_home import TITLES, check_contents, check_files, check_nowhere
from waiting import until

GOAL = "Help customers with billing, refunds and returns."
KEY = "sk-typed-0123456789-typed"
ROWS, BEFORE, SEEN = 60, 16, 10
"""Rows of the upload, those that are judged before the kill, and those then seen as judged."""


def test_from_upload_to_downloads_over_a_killed_server(
    chat: ChatProcess, browser_page: Page, tmp_path: Path, expected_errors: list[str]
) -> None:
    expected_errors += LOST
    data = tmp_path / "support.jsonl"
    data.write_text(support_rows(ROWS))
    desk, page = SupportDesk(), ChatPage(browser_page)
    with FakeServer(desk.answer, behaviour=desk.behaviour, api_key=KEY) as server:
        give_data_and_goal_by_keyboard(page, chat, data)
        choose_the_server(page, server)
        answer_questions(page)
        edit_subgoals(page)
        seen = score_until_killed(page, chat, desk)
        asked = set(desk.asked)
        go_on_after_a_script(page, chat, desk)
        page.sees("Coverage so far")
        assert set(desk.asked.values()) == {1} and len(asked | set(desk.asked)) == ROWS
        assert len(desk.asked) <= ROWS - seen, "what was seen as judged is not paid for again"
        approve_fewer_rows(page)
        look_at_results(page)
        drop_a_row(page)
        take_files_home(page, data, chat)
        ask_a_question(page)
        assert page.dialogs == []
        check_nowhere(KEY, chat.home.parent)
        rename_and_delete(page, chat)


def session_of(page: ChatPage) -> str:
    return page.page.url.rpartition("?session=")[2]


def give_data_and_goal_by_keyboard(page: ChatPage, chat: ChatProcess, data: Path) -> None:
    page.page.goto(chat.base_url)
    page.sees("Which data?")
    page.stage("welcome")
    page.tab_to(page.page.locator("[data-testid=stFileUploaderDropzone] button"))
    page.choose(data)
    page.sees(f"{ROWS} rows", "Why is my bill higher in month 0?", "Billing adds the fee")
    page.stage("data")
    page.tab_to(page.page.get_by_test_id("stChatInputTextArea"))
    page.page.keyboard.type(GOAL)
    page.page.keyboard.press("Enter")
    page.sees("Before I start")
    page.stage("goal")


def choose_the_server(page: ChatPage, server: FakeServer) -> None:
    page.page.locator("summary").filter(has_text="Settings").click()
    page.page.get_by_text("OpenAI-compatible server").click()
    page.fill("Address of the server", server.base_url)
    page.fill("Model", "writer")
    page.sees(f"writer at {server.base_url}")
    type_the_key(page)
    page.press("Test connection")
    page.sees(f"writer at 127.0.0.1:{server.port}/v1 answers.")
    assert server.calls == 1
    page.stage("settings")


def type_the_key(page: ChatPage) -> None:
    page.page.get_by_label("Key", exact=True).fill(KEY)
    page.press("Keep this key")
    page.sees("A typed key is kept until the server ends")


def answer_questions(page: ChatPage) -> None:
    page.press("Start")
    page.sees("Questions, round 1", "0 of 2 answered")
    page.stage("questions")
    page.press("firms")
    own = page.page.get_by_role("textbox", name="Question 2 in your own words")
    own.fill("Our handbook.")
    own.press("Tab")
    page.sees("All are answered.")
    page.press("Send answers")
    page.sees("Questions, round 2", "private customers", "our handbook")
    page.stage("questions-again")
    page.press("Stop asking")


def edit_subgoals(page: ChatPage) -> None:
    page.sees("4 subgoals; the checks found nothing against them.")
    page.stage("subgoals")
    page.card("1. Billing").get_by_role("button", name="Edit 1").click()
    page.fill("What a row must demonstrate, in one sentence", "Explains each line of an invoice.")
    page.stage("subgoal-edited")
    page.press("Apply")
    page.sees("1 change not checked yet")
    page.card("4. Opening hours").get_by_role("button", name="Remove 4").click()
    page.sees("2 changes not checked yet")
    page.stage("subgoals-changed")
    page.press("Check")
    page.sees("3 subgoals; the checks found nothing against them.", "against all 3 subgoals")
    expect(page.page.get_by_text("Opening hours")).to_have_count(0)
    page.sees("Explains each line of an invoice.")


def shown(page: ChatPage) -> int:
    """Rows that the page shows as judged."""
    found = re.search(rf"(\d+) of {ROWS} rows", page.said())
    return int(found[1]) if found else 0


def score_until_killed(page: ChatPage, chat: ChatProcess, desk: SupportDesk) -> int:
    """Approves in two tabs, of which one comes first; gives the rows that were seen as judged."""
    other = ChatPage(page.page.context.new_page())
    other.page.goto(page.page.url)
    other.sees("Approve and start scoring")
    desk.asked.clear()
    desk.hold_after(BEFORE)
    page.press("Approve and start scoring")
    until(lambda: shown(page) >= 1, "no row was judged")
    first = shown(page)
    other.press("Approve and start scoring")
    until(lambda: shown(page) > max(first, SEEN), "no more rows were judged")
    page.stage("scoring")
    until(lambda: shown(other) > SEEN, "the second tab does not follow")
    resumed = resume(chat, session_of(page))
    _, errors = resumed.communicate(timeout=60)
    assert resumed.returncode == 2 and "under way" in errors and errors.count("\n") == 1
    other.page.close()
    seen = shown(page)
    assert seen < ROWS
    chat.kill()
    check_nowhere(KEY, chat.home.parent)
    chat.start()
    page.page.reload()
    page.sees("It stopped while judging rows", "What was done is kept.")
    page.stage("stopped")
    return seen


def resume(chat: ChatProcess, run_id: str) -> subprocess.Popen[str]:
    """`goalcover resume` beside the chat."""
    return subprocess.Popen(
        [sys.executable, "-m", "goalcover.app.cli", "resume", run_id],
        cwd=chat.cwd,
        env=chat.environment() | {"OPENAI_API_KEY": KEY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def go_on_after_a_script(page: ChatPage, chat: ChatProcess, desk: SupportDesk) -> None:
    """A script is faster, and ends; the typed key went with the server that was killed."""
    desk.hold_after(0)
    before = sum(desk.asked.values())
    script = resume(chat, session_of(page))
    until(lambda: sum(desk.asked.values()) > before, "the script asks nothing")
    page.press("Go on")
    page.sees("Another process works on this session")
    main = page.page.locator(".stMain")
    expect(main.get_by_role("button")).to_have_count(0)
    page.stage("elsewhere")
    script.kill()
    script.communicate()
    page.sees("It stopped while judging rows")
    page.press("Go on")
    page.sees("wants a key: type it under “Key”")
    page.stage("wants-a-key")
    type_the_key(page)
    desk.asked.clear()
    desk.hold_after(None)
    page.press("Go on")


def approve_fewer_rows(page: ChatPage) -> None:
    page.sees("Approve and write 5 rows")
    page.stage("plan")
    page.fill("Rows for gap 1", "4")
    page.press("Approve and write 4 rows")


def look_at_results(page: ChatPage) -> None:
    page.sees("1 of 3 subgoals lacks supporting rows: “Returns”.", "Mean alignment")
    expect(page.page.locator(".vega-embed svg, .vega-embed canvas").first).to_be_visible()
    page.stage("coverage")
    page.opens("Gaps")
    page.sees("Collect chats of the returns desk.")
    page.page.locator("summary", has_text="1 quote").first.click()
    page.sees("“The row does not show it.”")
    page.stage("gaps")
    page.press("Show its 60 rows")
    page.sees("Page 1 of 3")
    page.stage("rows")
    page.opens("Overlap")
    expect(page.page.get_by_role("heading", name="Overlap")).to_be_visible()
    page.stage("overlap")
    page.opens("About")
    page.sees("as the server counted them")
    page.stage("about")


def drop_a_row(page: ChatPage) -> None:
    page.opens("Synthetic rows")
    page.sees("4 rows asked for, 4 kept")
    page.stage("candidates")
    page.page.get_by_text("Keep row 1", exact=True).click()
    page.sees("1 change")
    page.press("Apply")
    page.sees("4 rows asked for, 3 kept", "dropped by you")
    page.stage("dropped")


def take_files_home(page: ChatPage, data: Path, chat: ChatProcess) -> None:
    page.opens("Downloads")
    page.sees("Files of this run")
    page.stage("downloads")
    got = {title: page.download(title) for title in TITLES}
    check_files(got, chat.home / "chat" / session_of(page) / "results")
    check_contents(got, GOAL, data, synthetic=4 - 1)


def ask_a_question(page: ChatPage) -> None:
    page.say("Which rows show billing?")
    page.sees("It does.", "Judge on Billing: The row does show it.")
    page.stage("question")


def rename_and_delete(page: ChatPage, chat: ChatProcess) -> None:
    """Its address opens it in another browser too, under its new name."""
    page.page.get_by_text("This session", exact=True).click()
    page.fill("Name", "The desk")
    page.press("Rename")
    expect(page.page.get_by_role("heading", name="The desk")).to_be_visible()
    browser = page.page.context.browser
    assert browser
    with browser.new_context() as other:
        elsewhere = ChatPage(other.new_page())
        elsewhere.page.goto(page.page.url)
        elsewhere.sees("1 of 3 subgoals lacks supporting rows: “Returns”.")
        expect(elsewhere.page.get_by_role("heading", name="The desk")).to_be_visible()
    folder = chat.home / "chat" / session_of(page)
    assert (folder / "upload" / "support.jsonl").exists()
    page.press("Delete …")
    page.sees("This takes away")
    page.stage("delete")
    page.press("Delete")
    page.sees("Which data?")
    assert not folder.exists()
    expect(page.page.get_by_text("The desk")).to_have_count(0)
