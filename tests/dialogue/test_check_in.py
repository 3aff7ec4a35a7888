"""The check-in on the channels where the bot can write first: Rasa's callback channel and the web channel's stream.

A bot of its own, with a check-in after seconds; it is stopped and started again while one is due.
"""

import json
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from visitors import Bot, free_port

SECONDS = 6.0
PATIENCE = 60
OFFER = "Shall I ask you again"


class Site:
    """A site of its own, to which the callback channel posts the bot's messages."""

    def __init__(self) -> None:
        self.messages: queue.Queue[dict[str, Any]] = queue.Queue()
        messages = self.messages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                messages.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/from-the-bot"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait_for(self, words: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """The next message with these words."""
        ends = time.monotonic() + seconds
        while True:
            message = self.messages.get(timeout=max(0.1, ends - time.monotonic()))
            if words in message.get("text", ""):
                return message

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


class Restartable:
    """A bot that can be stopped and started on the same port and database."""

    def __init__(self, folder: Path, callback: str) -> None:
        self._folder, self._ports = folder, (free_port(), free_port())
        credentials = folder / "credentials.yml"
        credentials.write_text(
            f"backtalk.channels.callback.CallbackInput:\n  url: {callback}\n"
            "backtalk.channels.web.WebInput:\n  listen_seconds: 40\n"
        )
        self._arguments = ["--enable-api", "--credentials", str(credentials)]
        self.bot: Bot = None
        self.start()

    def start(self) -> None:
        database = self._folder / "conversations.db"
        self.bot = Bot(*self._ports, database=database, logs=self._folder, arguments=self._arguments)
        self.bot.start()

    def stop(self) -> None:
        self.bot.stop()

    def slots(self, sender: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.bot.url}/conversations/callback:{sender}/tracker", timeout=30) as reply:
            return json.load(reply)["slots"]


@pytest.fixture(scope="module")
def bot(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restartable]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BACKTALK_CHECK_IN_HOURS", str(SECONDS / 3600))
        patch.setenv("BACKTALK_SESSION_KEY", "a key that outlives the server of this test")
        running = Restartable(tmp_path_factory.mktemp("check_in"), site.url)
        yield running
        running.stop()


def post(url: str, body: Any, token: str | None = None) -> tuple[int, str]:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class ByCallback:
    """A visitor whose replies come over the callback channel."""

    def __init__(self, bot: Restartable, site: Site, sender: str) -> None:
        self.bot, self.site, self.sender = bot, site, sender

    def say(self, *messages: str) -> None:
        for message in messages:
            body = {"sender": self.sender, "message": message}
            assert post(f"{self.bot.bot.url}/webhooks/callback/webhook", body)[0] == 200


STIFF_NECK = ("woke up with a stiff neck today, 3 out of 10", "none", "none")


def test_is_offered_asked_for_and_worse_goes_through_triage_again(bot: Restartable, site: Site) -> None:
    visitor = ByCallback(bot, site, "callback-1")
    visitor.say(*STIFF_NECK)
    offer = site.wait_for(OFFER)
    assert [button["title"] for button in offer["buttons"]] == ["Yes, ask me", "No, thanks"]
    visitor.say("yes please")
    site.wait_for("I will ask you")
    assert bot.slots(visitor.sender)["check_in_due"]
    asked = site.wait_for("you wanted me to ask again")
    assert (asked["recipient_id"], len(asked["buttons"])) == (visitor.sender, 4)
    visitor.say("worse")
    site.wait_for("Let us look at the danger signs once more")
    visitor.say("my left arm has become weak", "7")
    result = site.wait_for("worked it out again")
    assert result["custom"]["urgency"] == "urgent" and result["custom"]["relief"] == []


def test_comes_although_the_server_was_stopped_and_started(bot: Restartable, site: Site) -> None:
    visitor = ByCallback(bot, site, "callback-2")
    visitor.say(*STIFF_NECK, "yes")
    site.wait_for("I will ask you")
    bot.stop()
    time.sleep(SECONDS)
    bot.start()
    assert site.wait_for("you wanted me to ask again")["recipient_id"] == visitor.sender
    visitor.say("about the same")
    site.wait_for("That can take some time")


def test_comes_although_the_session_is_long_over(bot: Restartable, site: Site) -> None:
    visitor = ByCallback(bot, site, "callback-5")
    visitor.say(*STIFF_NECK, "yes")
    site.wait_for("I will ask you")
    parsed = {"intent": {"name": "greet"}, "entities": [], "text": ""}
    event = {
        "event": "user",
        "text": "",
        "parse_data": parsed,
        "timestamp": time.time() - 86400,
        "input_channel": "callback",
    }
    assert post(f"{bot.bot.url}/conversations/callback:{visitor.sender}/tracker/events", event)[0] == 200
    assert site.wait_for("you wanted me to ask again")["recipient_id"] == visitor.sender
    visitor.say("much better")
    site.wait_for("Good to hear")


def test_is_cancelled_by_a_word(bot: Restartable, site: Site) -> None:
    visitor = ByCallback(bot, site, "callback-3")
    visitor.say(*STIFF_NECK, "yes", "cancel the check-in")
    site.wait_for("not write to you again")
    assert bot.slots(visitor.sender)["check_in_due"] is None
    with pytest.raises(queue.Empty):
        site.wait_for("you wanted me to ask again", SECONDS + 4)


def test_is_not_offered_in_an_emergency(bot: Restartable, site: Site) -> None:
    visitor = ByCallback(bot, site, "callback-4")
    visitor.say("i cant hold my wee since this morning", "check on me tomorrow")
    assert "emergency" in site.wait_for("call")["text"]
    site.wait_for("should not wait for a message from me")


class OnTheWeb:
    """A visitor of the web channel."""

    def __init__(self, bot: Restartable) -> None:
        self.bot = bot
        self.token = json.loads(post(f"{bot.bot.url}/chat/api/session", {})[1])["token"]

    def say(self, message: str) -> list[dict[str, Any]]:
        status, lines = post(f"{self.bot.bot.url}/chat/api/messages", {"message": message}, self.token)
        assert status == 200
        return [json.loads(line) for line in lines.splitlines()]

    def listen(self) -> dict[str, Any]:
        """The first thing that the bot writes by itself."""
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.bot.bot.url}/chat/api/events", headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as stream:
            return json.loads(stream.readline())


def test_comes_over_the_stream_of_the_web_channel(bot: Restartable) -> None:
    visitor = OnTheWeb(bot)
    for message in STIFF_NECK[:-1]:
        visitor.say(message)
    replies = visitor.say(STIFF_NECK[-1])
    assert replies[0]["custom"]["urgency"] == "self_care" and OFFER in replies[-1]["text"]
    assert "I will ask you" in visitor.say("/check_in")[0]["text"]
    assert "you wanted me to ask again" in visitor.listen()["text"]
    assert "Good to hear" in visitor.say("much better")[0]["text"]


def test_comes_over_the_stream_after_a_restart(bot: Restartable) -> None:
    visitor = OnTheWeb(bot)
    for message in (*STIFF_NECK, "yes"):
        visitor.say(message)
    bot.stop()
    bot.start()
    assert "you wanted me to ask again" in visitor.listen()["text"]


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
@pytest.mark.parametrize("path", ["messages", "events"])
def test_without_a_good_token_nothing_is_told(bot: Restartable, path: str, token: str) -> None:
    request = urllib.request.Request(
        f"{bot.bot.url}/chat/api/{path}",
        b'{"message": "hi"}' if path == "messages" else None,
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request, timeout=PATIENCE)
    assert (error.value.code, json.load(error.value)["error"]) == (401, "no_session")


def test_two_messages_at_once_get_each_their_own_replies(bot: Restartable) -> None:
    visitor = OnTheWeb(bot)
    found: dict[str, str] = {}
    threads = [
        threading.Thread(target=lambda m=message: found.update({m: visitor.say(m)[0]["text"]}))
        for message in ("what is a back spasm", "which muscles are in the neck")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "tightens" in found["what is a back spasm"] and "trapezius" in found["which muscles are in the neck"]
