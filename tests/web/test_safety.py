"""An emergency in the browser: what to do first, and the number to call, which stays until it is taken back."""

import pytest
from panel import CANNOT_HOLD, EMERGENCY, Chat
from playwright.sync_api import expect


@pytest.fixture
def emergency(chat: Chat) -> Chat:
    """A chat in which the visitor told of an emergency."""
    chat.say(CANNOT_HOLD)
    expect(chat.result(EMERGENCY)).to_be_visible()
    return chat


def test_an_emergency_says_first_what_to_do(emergency) -> None:
    result = emergency.result(EMERGENCY)
    headings = result.get_by_role("heading").all_inner_texts()
    assert headings[:2] == [EMERGENCY, "What to do first"]
    assert "What may relieve it" not in headings
    expect(result).to_contain_text("Do not drive yourself")
    expect(result.get_by_role("link", name="Call 911")).to_have_attribute("href", "tel:911")


def test_its_beginning_is_what_the_visitor_sees(emergency) -> None:
    expect(emergency.result(EMERGENCY).get_by_role("heading", name=EMERGENCY)).to_be_in_viewport(ratio=1)
    expect(emergency.result(EMERGENCY).get_by_text("Please get emergency help now.")).to_be_in_viewport(ratio=1)


def test_the_number_to_call_stays_in_sight(emergency) -> None:
    call = emergency.emergency.get_by_role("link", name="Call 911")
    expect(call).to_have_attribute("href", "tel:911")
    emergency.say("what is a back spasm", "what can help?")
    emergency.panel.get_by_text("I am a program, not a doctor.").scroll_into_view_if_needed()
    expect(call).to_be_in_viewport(ratio=1)
    emergency.panel.get_by_text("what can help?", exact=True).scroll_into_view_if_needed()
    expect(call).to_be_in_viewport(ratio=1)
    emergency.reload()
    expect(call).to_be_in_viewport(ratio=1)


def test_in_britain_the_number_is_999(visit) -> None:
    chat = visit(locale="en-GB")
    chat.say(CANNOT_HOLD)
    expect(chat.emergency.get_by_role("link", name="Call 999")).to_have_attribute("href", "tel:999")
    expect(chat.result(EMERGENCY)).to_contain_text("Call 999 now")


def test_the_country_of_a_site_goes_before_the_language_of_the_browser(visit) -> None:
    chat = visit(site={"open": "", "country": "GB"})
    chat.say(CANNOT_HOLD)
    expect(chat.emergency.get_by_role("link", name="Call 999")).to_be_visible()


def test_a_site_can_name_its_own_number(visit) -> None:
    chat = visit(site={"open": "", "emergency-number": "000"})
    expect(chat.panel.get_by_text("In an emergency, call 000 at once.")).to_be_visible()
    chat.say(CANNOT_HOLD)
    expect(chat.emergency.get_by_role("link", name="Call 000")).to_have_attribute("href", "tel:000")
    expect(chat.result(EMERGENCY)).to_contain_text("Call 000 now")
    expect(chat.result(EMERGENCY)).not_to_contain_text("911")


def test_start_over_asks_before_it_forgets_an_emergency(emergency) -> None:
    emergency.tap("Start over")
    expect(emergency.log).to_contain_text("before I set it aside")
    expect(emergency.emergency).to_be_visible()
    emergency.tap("Yes")
    expect(emergency.emergency).to_be_visible()


def test_an_emergency_that_is_taken_back_takes_its_number_away(emergency) -> None:
    emergency.tap("Start over", "No")
    expect(emergency.log).to_contain_text("we start afresh")
    expect(emergency.emergency).to_be_hidden()
    emergency.reload()
    expect(emergency.earlier).to_contain_text("we start afresh")
    expect(emergency.emergency).to_be_hidden()


def test_an_emergency_that_was_a_mistake_takes_its_number_away(emergency) -> None:
    emergency.say("no wait, that was wrong, my bladder is fine")
    expect(emergency.emergency).to_be_visible()
    emergency.tap("No")
    expect(emergency.log).to_contain_text("No longer counted")
    expect(emergency.emergency).to_be_hidden()


def test_an_emergency_told_on_another_page_of_the_site_is_shown_here_too(emergency) -> None:
    other = emergency.page.context.new_page()
    other.goto(emergency.page.url)
    expect(other.get_by_role("link", name="Call 911").first).to_be_visible()


def test_the_number_to_call_is_there_after_a_reload_without_a_connection(emergency, watch) -> None:
    watch.expects("Failed to load resource: net::ERR_FAILED .*/chat/api/")
    emergency.page.route("**/chat/api/**", lambda route: route.abort())
    emergency.page.reload()
    expect(emergency.panel.get_by_text("There is no connection")).to_be_visible()
    expect(emergency.emergency.get_by_role("link", name="Call 911")).to_be_in_viewport(ratio=1)


def test_a_second_tab_shows_the_number_to_call(emergency) -> None:
    other = emergency.page.context.new_page()
    other.goto(emergency.page.url)
    expect(other.get_by_role("complementary").get_by_role("link", name="Call 911")).to_be_visible()
    other.close()


def test_a_chat_that_was_open_is_open_again_after_a_reload(visit) -> None:
    chat = visit(site={})
    chat.launcher.click()
    chat.ready()
    chat.say(CANNOT_HOLD)
    chat.page.reload()
    expect(chat.emergency.get_by_role("link", name="Call 911")).to_be_in_viewport(ratio=1)
    chat.button("Close the chat").click()
    chat.page.reload()
    expect(chat.launcher).to_be_visible()
    expect(chat.panel).to_be_hidden()
