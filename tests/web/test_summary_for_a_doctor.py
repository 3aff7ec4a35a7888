"""The summary for a doctor: seen, printed, saved and copied."""

import json
from pathlib import Path

import pytest
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from panel import Chat
from playwright.sync_api import Locator, expect

TITLE, WHERE = "Back spasm summary", "Where: lower back"
PARTS = [TITLE, "What was said", "Ruled out in the chat", "What the chatbot advised", "Sources"]


@pytest.fixture
def summed_up(chat: Chat) -> Chat:
    """A chat with a result and its summary."""
    chat.reach_result()
    chat.result("Care for it at home").get_by_role("button", name="Summary for a doctor").click()
    chat.wait()
    return chat


def sheet(chat: Chat) -> Locator:
    """The summary, shown over the page."""
    return chat.page.get_by_role("dialog", name="Summary for a doctor")


def test_it_can_be_seen(summed_up) -> None:
    summed_up.button("View").click()
    expect(sheet(summed_up).get_by_role("heading", name=TITLE)).to_be_visible()
    expect(sheet(summed_up).get_by_text(WHERE)).to_be_visible()
    sheet(summed_up).get_by_role("button", name="Close the summary").click()
    expect(sheet(summed_up)).to_be_hidden()
    expect(summed_up.button("View")).to_be_focused()


def test_escape_closes_the_summary_and_not_the_chat(summed_up) -> None:
    summed_up.button("View").press("Enter")
    expect(sheet(summed_up)).to_be_visible()
    summed_up.press("Escape")
    expect(sheet(summed_up)).to_be_hidden()
    expect(summed_up.panel).to_be_visible()


@pytest.mark.parametrize("seen", [False, True])
def test_it_is_printed_alone(summed_up, seen) -> None:
    page = summed_up.page
    page.evaluate("() => { window.print = () => { window.printed = true; }; }")
    if seen:
        summed_up.button("View").click()
        sheet(summed_up).get_by_role("button", name="Print").click()
    else:
        summed_up.button("Print").click()
    assert page.evaluate("() => window.printed")
    page.emulate_media(media="print")
    expect(page.get_by_role("heading")).to_have_text(PARTS)
    expect(page.get_by_text(WHERE).locator("visible=true")).to_have_count(1)
    expect(page.get_by_role("button")).to_have_count(0)
    page.emulate_media(media="screen")
    page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    expect(page.get_by_role("heading", name="Back and neck practice")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="Back and neck practice")).to_be_visible()
    expect(page.get_by_role("heading", name=TITLE)).to_have_count(0)


def saved(chat: Chat, name: str) -> "tuple[str, str]":
    """Name and content of the file that a button saves."""
    with chat.page.expect_download() as download:
        chat.button(name).click()
    return download.value.suggested_filename, Path(download.value.path()).read_text(encoding="utf-8")


def test_it_can_be_saved_as_a_page(summed_up, visit) -> None:
    name, content = saved(summed_up, "Download")
    assert name.startswith("back-summary-") and name.endswith(".html")
    for words in (TITLE, WHERE, "Pain now: 6 out of 10"):
        assert words in content
    assert "<script" not in content


def test_it_can_be_saved_for_records(summed_up) -> None:
    name, content = saved(summed_up, "Download for a clinic (FHIR)")
    assert name.endswith(".json")
    assert QuestionnaireResponse.model_validate(json.loads(content)).status


def test_it_can_be_copied(visit) -> None:
    chat = visit(permissions=["clipboard-read", "clipboard-write"])
    chat.reach_result()
    chat.tap("Summary")
    chat.button("Copy as text").click()
    expect(chat.panel.get_by_text("Copied.")).to_be_visible()
    copied = chat.page.evaluate("() => navigator.clipboard.readText()")
    assert copied.startswith(TITLE) and WHERE in copied and "Nobody has been examined" in copied


def test_before_anything_was_told_there_is_none(chat) -> None:
    chat.tap("Summary")
    expect(chat.button("View")).to_have_count(0)
    assert chat.history()[-1]["text"]
