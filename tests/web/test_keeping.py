"""What is kept of a conversation: over reloads and restarts of the bot, for this visitor alone, until it is erased."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from panel import HURT, NONE, TRY_AGAIN, Chat
from playwright.sync_api import APIResponse, Locator, Page, Route, expect
from served import WebBot, site_page


def events(bot: WebBot, sender: str) -> int:
    """How many events of a conversation are in the bot's database."""
    with closing(sqlite3.connect(bot.database)) as connection:
        return connection.execute("SELECT count(*) FROM events WHERE sender_id = ?", [sender]).fetchone()[0]


def ask_to_erase(chat: Chat) -> Locator:
    """Presses the button that erases, and returns the question that comes."""
    chat.button("Erase my chat").last.click()
    question = chat.page.get_by_role("dialog", name="Erase this chat for good, on this device and on the server?")
    expect(question).to_be_visible()
    return question


def test_after_a_reload_all_is_still_there(chat) -> None:
    chat.say("My lower back has seized up")
    chat.box.fill("it was when I")
    chat.reload()
    expect(chat.earlier).to_contain_text("My lower back has seized up")
    expect(chat.earlier).to_contain_text("How did it start?")
    expect(chat.box).to_have_value("it was when I")
    chat.tap("Lifting or bending")
    expect(chat.log).to_contain_text("do you have any of these?")
    assert chat.told() == ["My lower back has seized up", "Lifting or bending"]


def test_a_checklist_is_still_there_after_a_reload(chat) -> None:
    chat.say(HURT)
    chat.reload()
    chat.choose("fever, chills or night sweats")
    expect(chat.log).to_contain_text("Does any of this apply to you?")


def test_only_what_is_new_is_read_out(chat) -> None:
    chat.say("My lower back has seized up")
    expect(chat.log).to_contain_text("How did it start?")
    chat.reload()
    expect(chat.earlier).to_contain_text("How did it start?")
    expect(chat.log.get_by_text("How did it start?")).to_have_count(0)
    chat.tap("Lifting or bending")
    expect(chat.log).to_contain_text("do you have any of these?")
    expect(chat.log.get_by_text("How did it start?")).to_have_count(0)


def second_tab(chat: Chat) -> Chat:
    """The same chat in another tab of the browser."""
    other = Chat(chat.page.context.new_page(), "")
    other.page.goto(chat.page.url)
    expect(other.earlier).to_contain_text("How did it start?")
    return other


def test_another_page_of_the_site_goes_on_with_the_conversation(chat) -> None:
    chat.say("My lower back has seized up")
    other = second_tab(chat)
    other.tap("Lifting or bending")
    expect(other.log).to_contain_text("do you have any of these?")


def test_erasing_asks_first_and_can_be_left(chat) -> None:
    chat.say("My lower back has seized up")
    question = ask_to_erase(chat)
    question.get_by_role("button", name="No, keep it").click()
    expect(question).to_be_hidden()
    expect(chat.button("Erase my chat").last).to_be_focused()
    expect(chat.log).to_contain_text("How did it start?")
    assert chat.told() == ["My lower back has seized up"]


def test_erasing_leaves_nothing_here_or_on_the_server(chat, bot) -> None:
    chat.say("My lower back has seized up")
    chat.box.fill("and a draft")
    sender, token = chat.sender, chat.token
    assert events(bot, sender) > 0
    ask_to_erase(chat).get_by_role("button", name="Yes, erase it").click()
    expect(chat.panel.get_by_text("Your chat is erased.")).to_be_visible()
    expect(chat.panel.get_by_text("How did it start?")).to_have_count(0)
    expect(chat.panel.get_by_text("You: ")).to_have_count(0)
    expect(chat.box).to_have_value("")
    assert events(bot, sender) == 0
    assert chat.history(token) == []
    kept = chat.stored()
    assert set(kept) <= {"session", "open"} and chat.sender != sender
    chat.reload()
    expect(chat.panel.get_by_text("How did it start?")).to_have_count(0)


def test_what_was_erased_on_one_page_goes_from_the_other_as_well(chat) -> None:
    chat.say("My lower back has seized up")
    other = second_tab(chat)
    ask_to_erase(chat).get_by_role("button", name="Yes, erase it").click()
    expect(other.panel.get_by_text("How did it start?")).to_have_count(0)


def test_what_could_not_be_erased_is_said_to_be_still_there(chat, watch) -> None:
    watch.expects("Failed to load resource: net::ERR_FAILED .*/chat/api/conversation")
    chat.say("My lower back has seized up")
    chat.page.route("**/chat/api/conversation", lambda route: route.abort())
    question = ask_to_erase(chat)
    question.get_by_role("button", name="Yes, erase it").click()
    expect(question.get_by_role("alert")).to_contain_text("This could not be erased")
    expect(chat.log).to_contain_text("How did it start?")


def test_two_visitors_at_once_never_mix(visit, bot) -> None:
    ann, ben = visit(), visit()
    ann.write("My neck has seized up")
    ben.write("My lower back has seized up")
    ann.wait()
    ben.wait()
    ann.tap("Woke up with it")
    ben.tap("Lifting or bending")
    for chat, own, others in (ann, "neck", "lower back"), (ben, "lower back", "neck"):
        chat.reload()
        expect(chat.earlier).to_contain_text(f"My {own} has seized up")
        expect(chat.earlier).not_to_contain_text(f"My {others} has seized up")
    assert ann.token != ben.token
    assert ann.told() == ["My neck has seized up", "Woke up with it"]
    assert ben.told() == ["My lower back has seized up", "Lifting or bending"]


def test_a_token_that_was_changed_opens_no_conversation(visit, watch, bot) -> None:
    watch.expects("401 .*/chat/api/history")
    ann, ben = visit(), visit()
    ann.say("My neck has seized up")
    ben.say("My lower back has seized up")
    head, body, _ = ann.token.split(".")
    name = ben.page.evaluate("() => Object.keys(localStorage).find((name) => name.endsWith('session'))")
    forged = {**ben.stored()["session"], "token": f"{head}.{body}.{ben.token.split('.')[2]}"}
    ben.page.evaluate("([name, session]) => localStorage.setItem(name, JSON.stringify(session))", [name, forged])
    ben.page.reload()
    expect(ben.panel.get_by_text("Your earlier chat has ended")).to_be_visible()
    expect(ben.panel.get_by_text("My neck has seized up")).to_have_count(0)


@pytest.fixture
def own_bot(tmp_path, host_site, bot) -> Iterator[WebBot]:
    """A bot that a test may kill."""
    started = WebBot(tmp_path, host_site.allowed)
    started.start()
    yield started
    started.kill()


def test_a_message_written_while_the_bot_is_down_is_sent_when_it_is_back(own_bot, visit, watch) -> None:
    watch.allows(own_bot.url)
    watch.expects(r"Failed to load resource: net::ERR_|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_REFUSED")
    chat = Chat(visit(at=f"{own_bot.url}/site", before=lambda page: keep_page(page, own_bot)).page, own_bot.url)
    chat.ready()
    chat.say("My lower back has seized up")
    own_bot.kill()
    chat.write("I lifted a box")
    expect(chat.alert).to_contain_text("This was not sent.")
    expect(chat.log.get_by_text("I lifted a box")).to_be_visible()
    chat.page.reload()
    expect(chat.panel.get_by_text("There is no connection")).to_be_visible()
    assert [item["message"] for item in chat.stored()["unsent"]] == ["I lifted a box"]
    own_bot.start()
    chat.button(TRY_AGAIN).click()
    expect(chat.earlier).to_contain_text("How did it start?")
    expect(chat.alert).to_contain_text("This was not sent.")
    chat.button(TRY_AGAIN).click()
    expect(chat.button(NONE)).to_be_visible()
    expect(chat.alert).to_have_count(0)
    assert chat.told() == ["My lower back has seized up", "I lifted a box"]
    assert sum("do you have any of these" in message.get("text", "") for message in chat.history()) == 1
    assert "unsent" not in chat.stored()
    chat.tap(NONE)
    expect(chat.log).to_contain_text("Does any of this apply to you?")


def keep_page(page: Page, bot: WebBot) -> None:
    """Keeps the page and the widget's files while the bot is away, as on a site of its own with a cache."""
    files: dict[str, APIResponse] = {}

    def serve(route: Route) -> None:
        address = route.request.url
        if address not in files:
            files[address] = route.fetch()
        route.fulfill(response=files[address])

    page.route(f"{bot.url}/chat/*.*", serve)
    html = site_page(bot.url, {"open": ""})
    page.route(f"{bot.url}/site", lambda route: route.fulfill(content_type="text/html", body=html))
