"""The whole way from an upload to the downloads, in a real browser, over a killed server."""

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from answers import support_rows
from chat_page import ChatPage, until
from chat_process import LOST, ChatProcess
from fake_server import FakeServer
from playwright.sync_api import Page, expect
from support_desk import SupportDesk

GOAL = "Help customers with billing, refunds and returns."
KEY = "sk-typed-0123456789-typed"
ROWS, BEFORE = 60, 12
"""Rows of the upload, and those that are judged before the kill."""


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
