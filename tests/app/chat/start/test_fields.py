"""What is typed into the fields of a draft is kept, however fast."""

from pathlib import Path

from chat_page import ChatPage
from chat_process import ChatProcess
from playwright.sync_api import Page

SLOW = Path(__file__).with_name("slow_page.py")


def test_who_is_quicker_than_the_server_loses_nothing(tmp_path: Path, browser_page: Page) -> None:
    page = ChatPage(browser_page)
    with ChatProcess(tmp_path, page=SLOW) as chat:
        browser_page.goto(chat.base_url)
        page.sees("Start")
        page.settled()
        page.fill("Domain", "health")
        page.fill("Task", "answering")
        page.press("Start")
        page.sees("health and answering")
