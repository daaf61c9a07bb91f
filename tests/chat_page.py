"""The chat's page as a person uses it: what is pressed, typed and seen in a browser."""

import os
import re
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Dialog, Locator, Page, TimeoutError, expect
from waiting import until

SCREENSHOTS = os.environ.get("GOALCOVER_SCREENSHOTS", "")
"""A folder for a picture of each stage, light and dark, wide and narrow; "" takes none."""

WIDE, NARROW = (1280, 900), (400, 850)
PAUSE = 500
"""Milliseconds in which charts and fonts settle before a picture, and widgets of another width
before a click."""

TABS = 80
"""Presses of Tab within which anything on a page is reached."""

OVERFLOW = """() => [document.documentElement, document.querySelector(".stMain")]
  .some(part => part && part.scrollWidth > part.clientWidth)"""


class ChatPage:
    """A tab of the browser. Each look at a stage checks that a phone need not scroll sideways."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.on("dialog", self._refuse)
        self.dialogs: list[str] = []

    def _refuse(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    # --- seen

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("button", name=name, exact=isinstance(name, str))

    def sees(self, *texts: str | re.Pattern[str]) -> None:
        """Waits until all are there."""
        for text in texts:
            expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible()

    def said(self) -> str:
        """All that the page shows."""
        return self.page.locator(".stMain").inner_text()

    def settled(self) -> None:
        """Waits until the script has run."""
        state = "[data-testid=stApp][data-test-script-state=notRunning]"
        self.page.wait_for_selector(state)

    def stage(self, name: str) -> None:
        """Looks at a stage on a phone and, where pictures are wanted, takes them."""
        self.settled()
        for scheme in ("light", "dark") if SCREENSHOTS else ("light",):
            if SCREENSHOTS:
                self.page.emulate_media(color_scheme=scheme)
                self._picture(f"{name}-{scheme}-wide")
            self._resize(*NARROW)
            until(lambda: not self.page.evaluate(OVERFLOW), f"{name} scrolls sideways on a phone")
            if SCREENSHOTS:
                self._picture(f"{name}-{scheme}-narrow")
            self._resize(*WIDE)
        if SCREENSHOTS:
            self.page.emulate_media(color_scheme="light")
        self.page.wait_for_timeout(PAUSE)

    def _resize(self, width: int, height: int) -> None:
        self.page.set_viewport_size({"width": width, "height": height})

    def _picture(self, name: str) -> None:
        folder = Path(SCREENSHOTS)
        folder.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_timeout(PAUSE)
        self.page.screenshot(path=folder / f"{name}.png")

    # --- done

    def press(self, name: str | re.Pattern[str]) -> None:
        """A button; the first, where there are several."""
        self.button(name).first.click()

    def opens(self, section: str) -> None:
        """Of the results. The browser drops a click on what is drawn anew in its midst."""
        sections = self.page.get_by_role("radiogroup", name="Section")
        radio = sections.get_by_role("radio", name=section, exact=True)
        for _ in range(3):
            radio.click()
            with suppress(AssertionError):
                expect(radio).to_be_checked(timeout=5_000)
                return
        raise AssertionError(f"{section} cannot be opened")

    def fill(self, name: str, text: str) -> None:
        """A field, as far as the script knows it."""
        field = self.page.get_by_label(name, exact=True).filter(visible=True).first
        field.fill(text)
        field.press("Tab")

    def say(self, text: str) -> None:
        """In the chat box."""
        box = self.page.get_by_test_id("stChatInputTextArea")
        box.fill(text)
        box.press("Enter")

    def tab_to(self, target: Locator) -> None:
        """By keyboard alone."""
        for _ in range(TABS):
            if target.evaluate("node => node === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {target}")

    def choose(self, file: Path) -> None:
        """By Enter on the button that has the focus. Headless Chromium drops some of its dialogs
        unopened."""
        for _ in range(5):
            with suppress(TimeoutError):
                with self.page.expect_file_chooser(timeout=3_000) as chooser:
                    self.page.keyboard.press("Enter")
                chooser.value.set_files(file)
                return
        raise AssertionError("no file can be chosen by keyboard")

    def card(self, heading: str) -> Locator:
        """What is framed together with a heading."""
        named = self.page.get_by_role("heading", name=heading)
        return self.page.locator("[class*=st-key-]").filter(has=named).last

    def download(self, name: str) -> Path:
        with self.page.expect_download() as download:
            self.press(f"Download {name}")
        return Path(download.value.path())
