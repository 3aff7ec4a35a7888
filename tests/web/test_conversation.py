"""Whole conversations in the browser, by mouse and by keyboard."""

import pytest
from panel import AT_HOME, NONE, URGENT, WATCH_FOCUS
from playwright.sync_api import expect


def test_by_mouse_a_strain_ends_in_self_care(chat) -> None:
    chat.say("My back has seized up")
    chat.region("Lower back").click()
    chat.tap("Continue", "Lifting or bending", NONE, NONE, "A few days", "6 - bad")
    result = chat.result(AT_HOME)
    expect(result.get_by_role("heading", name=AT_HOME)).to_be_visible()
    expect(result.get_by_role("heading", name="What may relieve it")).to_be_visible()
    expect(result.get_by_text("Heat or ice", exact=True)).to_be_visible()
    expect(result.get_by_role("img", name="Where: lower back")).to_be_visible()
    expect(result.get_by_text("erector spinae").first).to_be_visible()
    source = result.get_by_role("link", name="NHS, Back pain")
    expect(source).to_have_attribute("href", "https://www.nhs.uk/conditions/back-pain/")
    expect(source).to_have_attribute("rel", "noopener noreferrer")


@pytest.mark.parametrize(
    "viewport", [{"width": 1280, "height": 800}, {"width": 320, "height": 568}], ids=["desk", "phone"]
)
def test_by_keyboard_alone_the_same_result_is_reached(visit, viewport) -> None:
    chat = visit(site={}, viewport=viewport)
    expect(chat.launcher).to_be_visible()
    chat.tab_to(chat.launcher)
    chat.page.evaluate(WATCH_FOCUS)
    chat.press("Enter")
    is_phone = viewport["width"] < 480
    # On a phone, its keyboard would cover what is said first.
    expect(chat.panel if is_phone else chat.box).to_be_focused()
    chat.ready()
    if is_phone:
        chat.tab_to(chat.box)
    chat.page.keyboard.type("My back has seized up")
    chat.press("Enter")
    expect(chat.map).to_be_visible()
    chat.tab_to(chat.region("Lower back"), "Shift+Tab")
    chat.press("Space")
    chat.answer_by_keyboard("Continue")
    chat.answer_by_keyboard("Lifting or bending", "Space")
    chat.answer_by_keyboard(NONE)
    chat.answer_by_keyboard(NONE, "Space")
    chat.answer_by_keyboard("A few days")
    chat.answer_by_keyboard("6 - bad")
    expect(chat.result(AT_HOME)).to_be_visible()
    assert not chat.focus_was_lost()
    chat.press("Escape")
    expect(chat.panel).to_be_hidden()
    expect(chat.launcher).to_be_focused()


def test_a_closed_chat_goes_on_where_it_was(chat) -> None:
    chat.say("My back has seized up")
    chat.box.fill("half a thou")
    chat.button("Close the chat").click()
    chat.launcher.click()
    expect(chat.map).to_be_visible()
    expect(chat.box).to_have_value("half a thou")


def test_several_entries_of_a_list_all_count_and_it_is_not_asked_again(chat) -> None:
    chat.say("My lower back has seized up")
    chat.tap("Lifting or bending")
    chat.choose("fever, chills or night sweats", "pain that never lets up")
    expect(chat.log).to_contain_text("Does any of this apply to you?")
    chat.choose("osteoporosis (thin, brittle bones)", "pregnancy")
    expect(chat.log).to_contain_text("How long have you had it?")
    chat.tap("A few days", "4 - bearable")
    result = chat.result(URGENT)
    for reason in ("Fever, chills or night sweats", "Pain that nothing eases", "Osteoporosis"):
        expect(result).to_contain_text(reason)
    chat.tap("Summary")
    expect(chat.log).to_contain_text("Pregnancy")
    assert sum("do you have any of these" in message.get("text", "") for message in chat.history()) == 1
    assert sum("Does any of this apply to you" in message.get("text", "") for message in chat.history()) == 1


def test_continue_without_a_choice_sends_nothing_and_says_what_to_do(chat) -> None:
    chat.say("My back has seized up")
    chat.button("Continue").click()
    expect(chat.panel.get_by_text("Please choose at least one")).to_be_visible()
    assert chat.told() == ["My back has seized up"]


def test_what_the_bot_writes_by_itself_appears(chat) -> None:
    chat.reach_result()
    chat.tap("Yes, ask me")
    expect(chat.log).to_contain_text("how is your back", ignore_case=True)


def test_a_closed_chat_counts_what_the_bot_writes_by_itself(chat) -> None:
    chat.reach_result()
    chat.tap("Yes, ask me")
    chat.button("Close the chat").click()
    expect(chat.launcher).to_contain_text("1")
    chat.launcher.click()
    expect(chat.log).to_contain_text("how is your back", ignore_case=True)
    chat.button("Close the chat").click()
    expect(chat.launcher).not_to_contain_text("1")
