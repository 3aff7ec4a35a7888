"""Bad moments: nothing that was written is lost, nothing is shown twice, and each time it is said what to do."""

import pytest
from panel import TRY_AGAIN, WATCH_FOCUS, Chat, lines
from playwright.sync_api import Route, expect

MESSAGES = "**/chat/api/messages"


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_an_empty_message_is_not_sent(chat, text) -> None:
    chat.write(text)
    chat.box.press("Enter")
    expect(chat.log.get_by_text("You: ")).to_have_count(0)
    assert chat.history() == []


def test_shift_and_enter_begin_a_new_line(chat) -> None:
    chat.box.fill("my lower back")
    chat.box.press("Shift+Enter")
    chat.page.keyboard.type("seized up")
    expect(chat.box).to_have_value("my lower back\nseized up")
    chat.box.press("Enter")
    chat.wait()
    assert chat.told() == ["my lower back\nseized up"]


def test_a_message_that_is_too_long_is_kept_and_says_by_how_much(chat) -> None:
    text = "a" * 2007
    chat.write(text)
    expect(chat.panel.get_by_text("That is 7 characters too long.")).to_be_visible()
    expect(chat.box).to_have_value(text)
    assert chat.history() == []
    chat.say(f"my lower back hurts {'a' * 1980}")
    expect(chat.panel.get_by_text("characters too long")).to_have_count(0)
    assert len(chat.told()) == 1


def test_too_many_messages_are_told_how_long_to_wait(chat, watch) -> None:
    watch.expects("429 .*/chat/api/messages")
    refusal = {"error": "too_many", "message": "That was a lot at once."}
    chat.page.route(
        MESSAGES, lambda route: route.fulfill(status=429, headers={"Retry-After": "17"}, json=refusal), times=1
    )
    chat.write("My lower back has seized up")
    expect(chat.alert).to_contain_text("wait 17 seconds")
    expect(chat.log.get_by_text("My lower back has seized up")).to_be_visible()
    chat.tap(TRY_AGAIN)
    expect(chat.log).to_contain_text("How did it start?")
    expect(chat.alert).to_have_count(0)
    assert chat.told() == ["My lower back has seized up"]


def test_a_chat_that_has_ended_keeps_the_message_and_sending_it_begins_a_new_one(chat, watch) -> None:
    watch.expects("401 .*/chat/api/messages")
    end_session(chat)
    chat.write("My lower back has seized up")
    expect(chat.alert).to_contain_text("Trying again begins a new one")
    expect(chat.log.get_by_text("My lower back has seized up")).to_be_visible()
    chat.tap(TRY_AGAIN)
    expect(chat.log).to_contain_text("How did it start?")
    assert chat.told() == ["My lower back has seized up"]


def test_a_chat_that_has_ended_is_said_to_have_when_the_page_is_opened(chat, watch) -> None:
    watch.expects("401 .*/chat/api/history")
    chat.say("My lower back has seized up")
    end_session(chat)
    chat.page.reload()
    expect(chat.panel.get_by_text("Your earlier chat has ended, and a new one begins here.")).to_be_visible()
    chat.say("My neck has seized up")
    expect(chat.log).to_contain_text("How did it start?")
    assert chat.told() == ["My neck has seized up"]


def end_session(chat: Chat) -> None:
    """Makes the bot not know the chat's token any more."""
    chat.page.evaluate("""() => {
        const name = Object.keys(localStorage).find((name) => name.endsWith("session"));
        localStorage.setItem(name, JSON.stringify({ ...JSON.parse(localStorage.getItem(name)), token: "ended" }));
    }""")


def test_an_error_at_the_end_of_a_reply_is_told_in_its_words(chat) -> None:
    failure = lines({"error": "failed", "message": "Sorry, something went wrong on my side."})
    chat.page.route(MESSAGES, lambda route: route.fulfill(content_type="application/x-ndjson", body=failure), times=1)
    chat.write("My lower back has seized up")
    expect(chat.alert).to_contain_text("Sorry, something went wrong on my side.")
    chat.tap(TRY_AGAIN)
    expect(chat.log).to_contain_text("How did it start?")
    expect(chat.alert).to_have_count(0)
    assert chat.told() == ["My lower back has seized up"]


def test_a_reply_that_breaks_off_is_fetched_again_and_shown_once(chat) -> None:
    def break_off(route: Route) -> None:
        whole = route.fetch().text()
        route.fulfill(content_type="application/x-ndjson", body=whole[: int(len(whole) * 0.8)])

    chat.page.route(MESSAGES, break_off, times=1)
    chat.say("threw my lower back out lifting a box yesterday, about a 6")
    expect(chat.option("fever, chills or night sweats")).to_be_visible()
    expect(chat.log.get_by_text("do you have any of these?")).to_have_count(1)
    expect(chat.log.get_by_text("You: ")).to_have_count(1)
    expect(chat.alert).to_have_count(0)
    assert len(chat.told()) == 1
    assert sum(message["from"] == "bot" for message in chat.history()) == 2


def test_a_message_that_never_arrived_is_sent_again_by_itself(chat, watch) -> None:
    watch.expects("Failed to load resource: net::ERR_FAILED .*/chat/api/messages")
    chat.page.route(MESSAGES, lambda route: route.abort(), times=1)
    chat.say("My lower back has seized up")
    expect(chat.log).to_contain_text("How did it start?")
    expect(chat.alert).to_have_count(0)
    assert chat.told() == ["My lower back has seized up"]


def test_a_message_that_was_not_sent_outlives_a_reload_and_is_sent_once(chat, watch) -> None:
    watch.expects("Failed to load resource: net::ERR_FAILED .*/chat/api/messages")
    chat.say("My lower back has seized up")
    chat.page.route(MESSAGES, lambda route: route.abort())
    chat.write("I lifted a box")
    expect(chat.alert).to_contain_text("There is no connection")
    chat.page.unroute(MESSAGES)
    chat.reload()
    expect(chat.earlier.get_by_text("I lifted a box")).to_be_visible()
    expect(chat.alert).to_contain_text("This was not sent.")
    chat.tap(TRY_AGAIN)
    expect(chat.log).to_contain_text("do you have any of these?")
    expect(chat.alert).to_have_count(0)
    assert chat.told() == ["My lower back has seized up", "I lifted a box"]
    chat.reload()
    expect(chat.panel.get_by_text("I lifted a box")).to_have_count(1)


def test_trying_again_by_keyboard_keeps_the_focus_in_the_chat(chat, watch) -> None:
    watch.expects("Failed to load resource: net::ERR_FAILED .*/chat/api/messages")
    chat.page.route(MESSAGES, lambda route: route.abort())
    chat.box.focus()
    chat.page.evaluate(WATCH_FOCUS)
    chat.page.keyboard.type("My lower back has seized up")
    chat.press("Enter")
    expect(chat.alert).to_contain_text("This was not sent.")
    chat.page.unroute(MESSAGES)
    chat.tab_to(chat.button(TRY_AGAIN), "Shift+Tab")
    chat.press("Enter")
    expect(chat.log).to_contain_text("How did it start?")
    assert not chat.focus_was_lost()


def test_after_a_failure_the_answers_can_still_be_given(chat, watch) -> None:
    watch.expects("Failed to load resource: net::ERR_FAILED .*/chat/api/messages")
    chat.say("My lower back has seized up")
    chat.page.route(MESSAGES, lambda route: route.abort())
    chat.button("Lifting or bending").click()
    expect(chat.alert).to_contain_text("This was not sent.")
    chat.page.unroute(MESSAGES)
    chat.tap(TRY_AGAIN)
    expect(chat.log).to_contain_text("do you have any of these?")
    assert chat.told()[-1] == "Lifting or bending"


def test_messages_written_one_upon_the_other_are_answered_in_turn(chat) -> None:
    chat.write("My lower back has seized up")
    chat.write("I lifted a box")
    chat.wait()
    expect(chat.log).to_contain_text("do you have any of these?")
    assert chat.told() == ["My lower back has seized up", "I lifted a box"]


def test_without_a_connection_at_the_beginning_it_can_be_tried_again(visit, watch) -> None:
    watch.expects("Failed to load resource: net::ERR_FAILED .*/chat/api/session")
    chat = visit(site={}, before=lambda page: page.route("**/chat/api/session", lambda route: route.abort()))
    chat.launcher.click()
    expect(chat.panel.get_by_text("There is no connection to the chat right now.")).to_be_visible()
    chat.page.unroute("**/chat/api/session")
    chat.page.evaluate(WATCH_FOCUS)
    chat.tab_to(chat.button(TRY_AGAIN), "Shift+Tab")
    chat.press("Enter")
    chat.ready()
    assert not chat.focus_was_lost()
    expect(chat.panel.get_by_text("There is no connection")).to_have_count(0)


def test_a_chat_with_no_place_to_keep_anything_works_all_the_same(visit) -> None:
    refusal = "get() { throw new DOMException('denied', 'SecurityError'); }"
    no_storage = f"Object.defineProperty(window, 'localStorage', {{ {refusal} }})"
    chat = visit(before=lambda page: page.add_init_script(no_storage))
    chat.say("My lower back has seized up")
    chat.tap("Lifting or bending")
    expect(chat.log).to_contain_text("do you have any of these?")


def test_a_message_that_is_refused_can_be_changed(chat, watch) -> None:
    watch.expects("413 .*/chat/api/messages")
    refusal = {"error": "too_long", "message": "This message is too long."}
    chat.page.route(MESSAGES, lambda route: route.fulfill(status=413, json=refusal), times=1)
    chat.write("My lower back has seized up")
    expect(chat.alert).to_contain_text("This message is too long.")
    expect(chat.button(TRY_AGAIN)).to_have_count(0)
    expect(chat.box).to_have_value("My lower back has seized up")
    chat.button("Send").click()
    expect(chat.log).to_contain_text("How did it start?")
    assert chat.told() == ["My lower back has seized up"]


def test_a_full_browser_store_is_no_hindrance(visit) -> None:
    full = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };"
    chat = visit(before=lambda page: page.add_init_script(full))
    chat.say("My lower back has seized up")
    expect(chat.log).to_contain_text("How did it start?")
    chat.tap("Lifting or bending")
    expect(chat.log).to_contain_text("do you have any of these?")
