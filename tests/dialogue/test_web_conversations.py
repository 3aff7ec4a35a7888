"""The web channel of a real bot: conversations of their own, history, erasing, restarts, messages that are repeated."""

import json
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import jwt
import pytest
from visitors import Bot, free_port

SECONDS = 60


class Served:
    """A bot with the shipped channels, whose database can be looked into and which can be started anew."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "conversations.db"
        self._bot = Bot(free_port(), free_port(), database=self.database, logs=folder)
        self._bot.start()

    @property
    def url(self) -> str:
        return f"{self._bot.url}/chat/api"

    def restart(self) -> None:
        self._bot.stop()
        self._bot.start()

    def stop(self) -> None:
        self._bot.stop()

    def events(self, sender: str) -> int:
        """How many events of a conversation are in the database."""
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute("SELECT count(*) FROM events WHERE sender_id = ?", [sender]).fetchone()[0]


class OnTheWeb:
    """A visitor of the web channel."""

    def __init__(self, bot: Served) -> None:
        self._bot = bot
        self.token = json.loads(self.ask("POST", "session")[1])["token"]
        self.replies: list[dict[str, Any]] = []

    @property
    def sender(self) -> str:
        return f"web:{jwt.decode(self.token, options={'verify_signature': False})['sub']}"

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and body of an answer."""
        token = getattr(self, "token", None)
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._bot.url}/{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def say(self, message: str, **fields: Any) -> list[dict[str, Any]]:
        """The replies to a message."""
        status, lines = self.ask("POST", "messages", {"message": message, **fields})
        assert status == 200
        self.replies = [json.loads(line) for line in lines.splitlines()]
        return self.replies

    def payload(self, title: str) -> str:
        """What a button of the last replies sends."""
        buttons = (button for reply in self.replies for button in reply.get("buttons", ()))
        return next(button["payload"] for button in buttons if button["title"] == title)

    def history(self) -> list[dict[str, Any]]:
        """The messages so far, without their times."""
        messages = json.loads(self.ask("GET", "history")[1])["messages"]
        return [{name: part for name, part in message.items() if name != "time"} for message in messages]


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BACKTALK_SESSION_KEY", "a key that outlives the server of this test")
        served = Served(tmp_path_factory.mktemp("web_channel"))
        yield served
        served.stop()


def as_history(text: str, replies: list[dict[str, Any]], **fields: Any) -> list[dict[str, Any]]:
    return [{"from": "visitor", "text": text, **fields}, *({"from": "bot", **reply} for reply in replies)]


def test_two_visitors_never_mix(bot: Served) -> None:
    first, second = OnTheWeb(bot), OnTheWeb(bot)
    first.say("i cant hold my pee since this morning")
    replies = second.say("what is a back spasm")
    assert "tightens" in replies[0]["text"]
    assert second.history() == as_history("what is a back spasm", replies)
    assert all("pee" not in json.dumps(message) for message in second.history())
    assert first.history()[0] == {"from": "visitor", "text": "i cant hold my pee since this morning"}


def test_history_is_what_was_streamed_with_the_titles_of_tapped_buttons(bot: Served) -> None:
    visitor = OnTheWeb(bot)
    words = "threw my lower back out lifting a box yesterday"
    expected = as_history(words, visitor.say(words))
    buttons = [button for reply in visitor.replies for button in reply.get("buttons", ())]
    assert buttons
    tapped = buttons[0]
    expected += as_history(tapped["title"], visitor.say(tapped["payload"], id="tap-1"), id="tap-1")
    expected += as_history("what is a back spasm", visitor.say("what is a back spasm"))
    assert visitor.history() == expected
    assert any("buttons" in message for message in expected)


def test_several_signs_at_once_are_shown_by_their_titles(bot: Served) -> None:
    visitor = OnTheWeb(bot)
    visitor.say("threw my lower back out lifting a box yesterday")
    buttons = [button for reply in visitor.replies for button in reply.get("buttons", ())]
    signs = [button for button in buttons if '"red_flag"' in button["payload"]][:2]
    values = [json.loads(button["payload"].removeprefix("/inform"))["red_flag"] for button in signs]
    visitor.say("/inform" + json.dumps({"red_flag": values}))
    shown = [message["text"] for message in visitor.history() if message["from"] == "visitor"]
    assert len(signs) == 2 and shown[-1] == ", ".join(button["title"] for button in signs)


def test_history_and_token_outlive_a_restart(bot: Served) -> None:
    visitor = OnTheWeb(bot)
    visitor.say("threw my lower back out lifting a box yesterday", id="m-1")
    visitor.say("no")
    before = visitor.history()
    assert len(before) > 3
    bot.restart()
    assert visitor.history() == before
    replies = visitor.say("what is a back spasm")
    assert visitor.history() == before + as_history("what is a back spasm", replies)


def test_a_message_that_is_sent_again_is_not_handled_twice(bot: Served) -> None:
    visitor = OnTheWeb(bot)
    replies = visitor.say("threw my lower back out lifting a box yesterday", id="m-1")
    events = bot.events(visitor.sender)
    assert visitor.say("threw my lower back out lifting a box yesterday", id="m-1", again=True) == replies
    bot.restart()
    assert visitor.say("threw my lower back out lifting a box yesterday", id="m-1", again=True) == replies
    assert bot.events(visitor.sender) == events
    assert [message["from"] for message in visitor.history()].count("visitor") == 1


def test_erasing_leaves_nothing_in_the_file(bot: Served) -> None:
    visitor, other = OnTheWeb(bot), OnTheWeb(bot)
    visitor.say("my quokka sat on my lower back yesterday")
    other.say("what is a back spasm")
    assert bot.events(visitor.sender) and b"quokka" in bot.database.read_bytes()
    assert visitor.ask("DELETE", "conversation") == (204, "")
    assert (bot.events(visitor.sender), visitor.history()) == (0, [])
    content = bot.database.read_bytes()
    assert b"quokka" not in content and visitor.sender.encode() not in content
    assert other.history()
    replies = visitor.say("what is a back spasm")
    assert visitor.history() == as_history("what is a back spasm", replies)


def test_an_erased_check_in_never_comes(bot: Served) -> None:
    visitor = OnTheWeb(bot)
    for message in ("woke up with a stiff neck today, 3 out of 10", "none", "none", "/check_in"):
        visitor.say(message)
    assert "I will ask you" in visitor.replies[0]["text"]
    assert visitor.ask("DELETE", "conversation")[0] == 204
    bot.restart()
    assert (bot.events(visitor.sender), visitor.history()) == (0, [])
