"""Data, goal, answers and a model that try to run or fetch something: the page shows text."""

import json
import re
from typing import Any

from answers import answer, asked, clarification, schema_of, support_rows
from chat_page import ChatPage
from chat_process import ChatProcess
from fake_server import FakeServer
from hostile import BIG, HOSTILE
from playwright.sync_api import FilePayload, Page, expect
from waiting import until

Body = dict[str, Any]

MARK = "<script>alert(1)</script><img src=http"
"""The beginning of what is hostile, as a page must show it, even where it is cut short."""

BAIT = "<img src=http://evil.example/a.png onerror=alert(1)> ![x](http://evil.example/b.png)"
NAME = "<img src=x onerror=alert(1)> ![x](javascript:alert(1)) $x$ :blush: dosing.jsonl"
MOST = 300_000
"""Characters of a page: a row of a megabyte is not shown at once."""

SECTIONS = {
    "Coverage": "Coverage", "Gaps": "Gaps", "Overlap": "Overlap seen in the data",
    "Synthetic rows": "Synthetic rows", "About": "Goal and subgoals", "Rows": "Rows",
}  # fmt: skip
"""Of the results, each with a heading that no other has."""

INJECTED = """() => [
  ...document.querySelectorAll("[src*=evil], [href*=evil], [href^=javascript], [onerror]"),
  ...[...document.scripts].filter(script => script.text.includes("alert(1)")),
].map(node => node.outerHTML)"""


def rows(count: int = 24) -> bytes:
    """A support desk's, with what is hostile at the end of each; one is a megabyte."""
    said = [json.loads(line)["messages"] for line in support_rows(count).splitlines()]
    told = [
        {
            "id": f"{at} {BAIT}",
            "prompt": f"{user['content']} {HOSTILE}",
            "completion": f"{reply['content']} {BIG if at == 1 else HOSTILE} \ud83d \x07\x1b[31m",
        }
        for at, (user, reply) in enumerate(said)
    ]
    return "".join(json.dumps(row) + "\n" for row in told).encode()


class Walk(ChatPage):
    """Looks at each stage for what was run, fetched or made an element of."""

    def harmless(self, times: int = 2) -> None:
        """times: that what is hostile is at least shown as text, of which the title is one. That is
        waited for: before the script has heard of a click, the page seems settled too."""
        until(lambda: self.said().count(MARK) >= times, "what is hostile is not shown as text")
        self.settled()
        assert self.page.evaluate(INJECTED) == [] and self.dialogs == []
        assert len(self.said()) < MOST


def test_hostile_data_with_the_embedded_model(chat: ChatProcess, browser_page: Page) -> None:
    page = Walk(browser_page)
    begin(page, chat)
    answer_all(page)
    look(page, written=approve(page))


def test_a_hostile_model(chat: ChatProcess, browser_page: Page) -> None:
    page = Walk(browser_page)
    with FakeServer(Hostile()) as server:
        begin(page, chat, server)
        answer_all(page)
        look(page, written=approve(page))
    assert server.errors == []


class Hostile:
    """A model that puts what is hostile into all that it may word."""

    WORDED = frozenset({
        "action", "counts", "default", "description", "does_not_count", "explanation", "input",
        "name", "output", "reason", "scenarios", "source", "suggestions", "text", "users",
    })  # fmt: skip

    def __init__(self) -> None:
        self._asked = False

    def __call__(self, body: Body) -> Body:
        if schema_of(body) != "Clarification":
            return self._worded(answer(body))
        questions = [asked("audience", "Which customers?", ["consumers", "firms"])]
        self._asked, first = True, not self._asked
        return self._worded(clarification(questions if first else [], users=["consumers"]))

    def _worded(self, told: Any, key: str = "") -> Any:
        if isinstance(told, dict):
            # Quotes must be found in what is quoted.
            return {k: v if k == "quotes" else self._worded(v, k) for k, v in told.items()}
        if isinstance(told, list):
            return [self._worded(one, key) for one in told]
        return f"{told} {HOSTILE}" if key in self.WORDED and told else told


def begin(page: Walk, chat: ChatProcess, server: FakeServer | None = None) -> None:
    page.page.goto(chat.base_url)
    page.sees("Which data?")
    page.settled()
    file = FilePayload(name=NAME, mimeType="application/jsonl", buffer=rows())
    page.page.set_input_files("input[type=file]", file)
    page.sees("24 rows")
    page.harmless()
    assert NAME in page.said()
    page.say(f"Help customers with billing, refunds and returns. {HOSTILE}")
    page.sees("Before I start")
    if server:
        page.page.locator("summary").filter(has_text="Settings").click()
        page.page.get_by_text("OpenAI-compatible server").click()
        page.fill("Address of the server", server.base_url)
        page.fill("Model", BAIT)
        page.press("Test connection")
        page.sees(f"{BAIT} at")
    page.harmless()
    page.press("Start")


def answer_all(page: Walk) -> None:
    page.sees(re.compile("^(Before the questions|Questions, round 1)$"))
    page.harmless()
    if page.page.get_by_text("Before the questions").count():  # what the other test approved
        page.press("Skip these questions")
    page.sees("Questions, round 1")
    page.harmless()
    page.page.get_by_placeholder("In your own words").first.fill(f"Consumers. {HOSTILE}")
    page.page.keyboard.press("Tab")
    page.sees(re.compile("1 of . answered|All are answered"))
    page.harmless()
    page.press("Stop asking")


def approve(page: Walk) -> bool:
    """Subgoals, and the rows to write, where any can be; gives whether there were such."""
    page.sees("Approval")
    page.harmless()
    reason = page.page.get_by_label(re.compile("^To approve with"))
    if reason.count():
        reason.fill(HOSTILE)
        reason.press("Tab")
    page.press("Approve and start scoring")
    page.sees(re.compile("^(Rows to write|Mean alignment)$"))
    page.harmless()
    planned = page.page.get_by_role("heading", name="Rows to write").count() > 0
    if planned:
        page.press(re.compile("^Approve and write"))
    return planned


def look(page: Walk, written: bool) -> None:
    """written: there are synthetic rows; without them their section shows no text of others."""
    page.sees("Mean alignment")
    for section, heading in SECTIONS.items():
        page.opens(section)
        expect(page.page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        page.harmless(2 if written or section != "Synthetic rows" else 1)
    page.press("Whole row 1")
    page.sees("Part of")
    page.harmless()
    page.page.keyboard.press("Escape")
    page.say(f"Which rows show billing? {HOSTILE}")
    page.sees("were searched")
    page.harmless()
