"""The page in a real browser: filters, search, a link to a finding, and who cannot see it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from harness.record.run_record import RunRecord
from harness.report.html import page
from tests.report.browser import chromium

pytestmark = pytest.mark.needs("chromium")

#: A machine that is ten times slower, and busy.
DEADLINE_MS = 120_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    assert path is not None
    # As root, Chromium has no sandbox of its own; /dev/shm is small in containers.
    flags = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=flags, timeout=DEADLINE_MS)
        yield launched
        launched.close()


@pytest.fixture
def shown(browser: Browser, stored: RunRecord, tmp_path: Path) -> Iterator[Page]:
    """The page of the stored record; whatever the browser complains of fails the test."""
    (tmp_path / "index.html").write_text(page(stored), encoding="utf-8")
    context = browser.new_context(offline=True)
    opened = context.new_page()
    opened.set_default_timeout(DEADLINE_MS)
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("dialog", lambda dialog: complaints.append(dialog.message))
    opened.goto((tmp_path / "index.html").as_uri())
    yield opened
    context.close()
    assert complaints == []


def visible(page: Page) -> list[str | None]:
    return [row.get_attribute("id") for row in page.locator("details.row:visible").all()]


def test_search_and_filters(shown: Page) -> None:
    output = shown.locator("#shown")
    assert output.inner_text() == "4 of 4"
    shown.get_by_label("Search").fill("COMMITS not_counted")
    assert visible(shown) == ["commits.said.not_counted"]
    assert output.inner_text() == "1 of 4"
    shown.get_by_label("Search").fill("")
    for label, choice, expected in (
        ("Verdict", "fail", ["privacy.prompt"]),
        ("Impact", "loss of data", ["events.user_prompt.exported"]),
        ("Level", "SHOULD", ["commits.said.not_counted"]),
        ("Scenario", "toolbox", ["privacy.prompt"]),
    ):
        shown.get_by_label(label).select_option(choice)
        assert visible(shown) == expected, label
        shown.get_by_label(label).select_option("")
    shown.get_by_label("Protocol").select_option("grpc")
    assert "tls.unseen" not in visible(shown)
    shown.get_by_role("button", name="Show all").click()
    shown.wait_for_function("document.querySelectorAll('details.row:not([hidden])').length === 4")


def test_a_link_to_a_finding_opens_it_whatever_is_filtered(shown: Page) -> None:
    shown.get_by_label("Verdict").select_option("pass")
    shown.get_by_role("link", name="privacy.prompt").click()
    row = shown.locator("details.row[id='privacy.prompt']")
    row.locator(".finding").wait_for(state="visible")
    assert shown.evaluate("document.activeElement.parentElement.id") == "privacy.prompt"
    assert shown.locator("#shown").inner_text() == "4 of 4"


def test_a_link_from_elsewhere_opens_it(shown: Page) -> None:
    shown.goto(f"{shown.url}#commits.said.not_counted")
    shown.reload()
    finding = shown.locator("details.row[id='commits.said.not_counted'] .finding")
    finding.first.wait_for(state="visible")
    assert "<script>alert(1)</script>" in finding.first.inner_text()


def test_the_keyboard_is_enough(shown: Page) -> None:
    summary = shown.locator("details.row[id='privacy.prompt'] > summary")
    summary.focus()
    shown.keyboard.press("Enter")
    shown.locator("details.row[id='privacy.prompt'] .finding").wait_for(state="visible")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_people_who_cannot_see_it_can_read_it(shown: Page, scheme: str) -> None:
    shown.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    shown.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = Axe().run(shown).response["violations"]
    grave = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(each["id"], each["nodes"][0]["html"]) for each in grave] == []


def test_on_paper_the_findings_are_there(shown: Page) -> None:
    shown.emulate_media(media="print")
    shown.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert shown.locator("details.row[id='privacy.prompt'] .finding").is_visible()
    assert not shown.locator(".filter").is_visible()
