"""The web channel on the real server: tokens, messages, history, erasing, limits, origins and headers."""

import asyncio
import base64
import http.client
import json
import socket
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event as Flag
from threading import Thread

import jwt
import pytest
from rasa.core import jobs
from rasa.core.channels import channel as rasa_channel
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, ReminderScheduled, SessionStarted, SlotSet, UserUttered
from sanic import Sanic

from backtalk.channels.messages import failure
from backtalk.channels.settings import SettingsError
from backtalk.channels.web import WebInput
from backtalk.channels.web.history import as_words, replies_to, shown
from backtalk.channels.web.pages import STRICT
from backtalk.channels.web.tokens import ALGORITHM, KEY_VARIABLE
from backtalk.engine.http import HEADERS, StrictProtocol, create_app
from backtalk.engine.tracker_store import RememberingTrackerStore, StoreUnavailable

KEY = "a key of the tests that is long enough for the longest of the algorithms"
SITE = "https://clinic.example"
DOMAIN = Domain.from_yaml('version: "3.1"\nintents: [greet]\n')
BUTTONS = [{"title": "Yes", "payload": "/affirm"}, {"title": "No", "payload": "/deny"}]
HELLO = {"text": "Hello.", "buttons": BUTTONS, "custom": {"type": "x"}}
BYE = {"text": "Bye."}
URGENT = {"text": "Call now.", "custom": {"type": "assessment", "urgency": "emergency"}}
SOON = {"text": "Be seen today.", "custom": {"type": "assessment", "urgency": "urgent"}}
RELIEVED = {"text": "Rest.", "custom": {"type": "assessment", "urgency": "self_care"}}
FAILED = {"error": "failed", "message": failure(RuntimeError("broken"))[1]}
ROUTES = [("POST", "session"), ("POST", "messages"), ("GET", "events"), ("GET", "history"), ("DELETE", "conversation")]
WITH_TOKEN = ROUTES[1:]


class Agent:
    """What the channel uses of Rasa's agent, with Rasa's real stores: answers Hello and Bye, and keeps the events."""

    def __init__(self, store):
        self.tracker_store, self.lock_store = store, InMemoryLockStore()
        self.heard, self.replies, self.fails = [], [HELLO, BYE], False
        self.may_answer, self.is_answering = Flag(), Flag()
        self.may_answer.set()

    async def handle_message(self, message):
        async with self.lock_store.lock(message.sender_id, wait_time_in_seconds=0.02):
            self.heard.append(message)
            self.is_answering.set()
            while not self.may_answer.is_set():
                await asyncio.sleep(0.01)
            tracker = await self.tracker_store.get_or_create_tracker(message.sender_id, append_action_listen=False)
            events = (
                []
                if tracker.events
                else [ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")]
            )
            events.append(
                UserUttered(
                    message.text, {"name": "greet"}, metadata=message.metadata, input_channel=message.input_channel
                )
            )
            for reply in self.replies:
                await message.output_channel.send_response(message.sender_id, dict(reply))
                events.append(
                    BotUttered(reply.get("text"), {name: part for name, part in reply.items() if name != "text"})
                )
            if self.fails:
                raise RuntimeError("broken")
            tracker.update_with_events(events, DOMAIN)
            await self.tracker_store.save(tracker)


@dataclass
class Answer:
    status: int
    headers: list
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def lines(self):
        return [json.loads(line) for line in self.body.decode().splitlines()]

    def header(self, name):
        """The one value of a header; None where there is none."""
        found = [value for known, value in self.headers if known.lower() == name.lower()]
        assert len(found) < 2, f"{name} comes {len(found)} times"
        return found[0] if found else None


class Server:
    """A served channel, and a browser that calls it."""

    def __init__(self, run, channel, agent, proxies=None, cors=None):
        self.run, self.channel, self.agent = run, channel, agent
        # Each server's application has the same name.
        Sanic._app_registry.clear()
        app = create_app(False, cors, None)
        app.config.PROXIES_COUNT = proxies
        app.ctx.agent = agent
        rasa_channel.register([channel], app, route="/webhooks/")
        channel.prepare(app)
        self._server = run(self._start(app))
        self.port = self._server.server.sockets[0].getsockname()[1]

    @staticmethod
    async def _start(app):
        # Given a port of 0, Sanic takes 8000.
        listening = socket.create_server(("127.0.0.1", 0))
        server = await app.create_server(
            sock=listening, return_asyncio_server=True, access_log=False, protocol=StrictProtocol
        )
        await server.startup()
        await server.before_start()
        await server.start_serving()
        return server

    async def stop(self):
        """Ends the server and all connections to it."""
        await self._server.before_stop()
        self._server.server.close()
        for connection in [*self._server.connections]:
            connection.abort()

    def ask(self, method, path, body=None, token=None, **headers):
        """A request to the channel; a body that is not bytes goes as JSON."""
        return self.ask_for(method, f"/chat/api/{path}", body, token, **headers)

    def ask_for(self, method, path, body=None, token=None, **headers):
        """A request to the server."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            # A server that refuses a body reads no more of it; its answer is there all the same.
            with suppress(ConnectionError):
                connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return Answer(reply.status, reply.getheaders(), reply.read())

    def begin(self):
        """The token of a new conversation."""
        return self.ask("POST", "session").json["token"]

    def say(self, token, message="my back hurts", **fields):
        return self.ask("POST", "messages", {"message": message, **fields}, token)

    def history(self, token):
        """The messages so far, without their times."""
        messages = self.ask("GET", "history", token=token).json["messages"]
        assert all(isinstance(message.pop("time"), float) for message in messages)
        return messages

    def push(self, token, message):
        """Makes the bot write by itself."""
        self.run(self.channel.get_output_channel().send_response(conversation(token), message))

    @staticmethod
    def head(method, path, token, length):
        """What stands before the body of a request."""
        lines = [f"{method} /chat/api/{path} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}"]
        return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()

    def leave(self, method, path, token, body=b""):
        """A request whose sender is gone once its handling began."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(self.head(method, path, token, len(body)) + body)
            assert self.agent.is_answering.wait(10)


@pytest.fixture(scope="module")
def run():
    """Runs a coroutine in the loop of the servers."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(20)
    loop.call_soon_threadsafe(jobs.kill_scheduler)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def store(tmp_path):
    store = RememberingTrackerStore(DOMAIN, dialect="sqlite", db=str(tmp_path / "conversations.db"))
    yield store
    store.engine.dispose()


@pytest.fixture
def agent(store):
    return Agent(store)


@pytest.fixture
def serve(run, agent, monkeypatch):
    """Serves a channel with settings; `proxies` is Sanic's setting, `cors` the server's option."""
    servers = []
    monkeypatch.setenv(KEY_VARIABLE, KEY)

    def start(proxies=None, cors=None, **settings):
        servers.append(
            Server(run, WebInput.from_credentials({"listen_seconds": 0.3, **settings}), agent, proxies, cors)
        )
        return servers[-1]

    yield start
    agent.may_answer.set()

    async def end():
        for server in servers:
            await server.stop()
        # What is still being handled ends before the database is closed.
        if tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(tasks)

    run(end())


@pytest.fixture
def server(serve):
    return serve(origins=[SITE])


@pytest.fixture
def token(server):
    return server.begin()


def subject(token):
    return jwt.decode(token, options={"verify_signature": False})["sub"]


def conversation(token):
    """The name of a token's conversation, as the bot knows it."""
    return f"web:{subject(token)}"


def signed(key=KEY, algorithm=ALGORITHM, **claims):
    return jwt.encode({"sub": "a" * 32, "exp": int(time.time()) + 60, **claims}, key, algorithm)


def from_visitor(text, **fields):
    return {"from": "visitor", "text": text, **fields}


def from_bot(parts):
    return {"from": "bot", **parts}


class TestSession:
    def test_tells_what_a_page_needs_to_know(self, server, knowledge):
        begun = server.ask("POST", "session")
        assert (begun.status, set(begun.json)) == (200, {"token", "expires", "keep_days", "max_characters"})
        assert (begun.json["keep_days"], begun.json["max_characters"]) == (knowledge.privacy.keep_days, 2000)

    def test_holds_as_long_as_conversations_are_kept(self, server):
        begun = server.ask("POST", "session", {}).json
        claims = jwt.decode(begun["token"], KEY, [ALGORITHM])
        assert claims["exp"] == begun["expires"]
        assert abs(begun["expires"] - time.time() - begun["keep_days"] * 86400) < 3600

    def test_each_is_another_conversation(self, server):
        assert len({subject(server.begin()) for _ in range(5)}) == 5

    def test_holds_on_every_server_with_the_key(self, serve):
        token = serve().begin()
        assert serve().say(token).status == 200

    def test_without_a_key_ends_with_the_server(self, serve, monkeypatch, caplog):
        monkeypatch.delenv(KEY_VARIABLE)
        token = serve().begin()
        assert serve().say(token).status == 401
        assert f"{KEY_VARIABLE} is not set" in caplog.text

    def test_a_key_that_could_be_guessed_is_refused(self, serve, monkeypatch):
        monkeypatch.setenv(KEY_VARIABLE, "short")
        with pytest.raises(SettingsError, match=f"{KEY_VARIABLE} could be guessed"):
            serve()

    def test_a_good_token_is_renewed_for_the_same_conversation(self, server, token):
        server.say(token, "before")
        renewed = server.ask("POST", "session", token=token)
        assert renewed.status == 200 and subject(renewed.json["token"]) == subject(token)
        assert server.history(renewed.json["token"]) == server.history(token) != []
        assert server.ask("POST", "session", token=token + "x").status == 401


def _tampered(token):
    head, _, signature = token.split(".")
    claims = (
        base64.urlsafe_b64encode(json.dumps({"sub": "b" * 32, "exp": int(time.time()) + 60}).encode())
        .decode()
        .rstrip("=")
    )
    return f"{head}.{claims}.{signature}"


FORGED = {
    "no algorithm": lambda: jwt.encode({"sub": "a" * 32, "exp": int(time.time()) + 60}, None, "none"),
    "another algorithm": lambda: signed(algorithm="HS512"),
    "another key": lambda: signed("another key that is 32 characters long, too"),
    "another subject": lambda: _tampered(signed()),
    "expired": lambda: signed(exp=int(time.time()) - 5),
    "without an end": lambda: jwt.encode({"sub": "a" * 32}, KEY, ALGORITHM),
    "without a subject": lambda: jwt.encode({"exp": int(time.time()) + 60}, KEY, ALGORITHM),
    "a subject of another form": lambda: signed(sub="visitor"),
    "a longer subject": lambda: signed(sub="a" * 33),
    "not valid yet": lambda: signed(nbf=int(time.time()) + 50),
    "a word": lambda: "x",
    "empty": lambda: "",
    "three words": lambda: "a.b.c",
    "no UTF-8": lambda: "\xff\xfe.b.c",
    "nested deeply": lambda: base64.urlsafe_b64encode(b"[" * 3000).decode() + ".e30.x",
}


class TestTokens:
    @pytest.mark.parametrize("method, path", WITH_TOKEN)
    @pytest.mark.parametrize("forged", FORGED)
    def test_a_wrong_one_learns_nothing(self, server, agent, forged, method, path):
        answer = server.ask(method, path, {"message": "hi"} if method == "POST" else None, FORGED[forged]())
        plain = server.ask(method, path)
        assert (answer.status, answer.body, agent.heard) == (401, plain.body, [])
        assert answer.json["error"] == "no_session"

    @pytest.mark.parametrize("header", ["{}", "Basic {}", "bearer{}", "Token {}"])
    def test_only_as_a_bearer(self, server, token, header):
        assert server.ask("GET", "history", Authorization=header.format(token)).status == 401

    def test_one_that_was_signed_right_is_good(self, server):
        assert server.ask("GET", "history", token=signed()).json == {"messages": []}


class TestMessages:
    def test_replies_come_one_a_line_and_whole(self, server, token):
        answer = server.say(token)
        assert (answer.status, answer.header("Content-Type"), answer.lines) == (
            200,
            "application/x-ndjson",
            [HELLO, BYE],
        )

    def test_reaches_the_bot_under_the_tokens_conversation(self, server, token, agent):
        server.say(token, sender="somebody else", locale="en-GB", id="m-1_A", emergency_number="+44 999", other=1)
        (heard,) = agent.heard
        assert (heard.sender_id, heard.text, heard.input_channel) == (conversation(token), "my back hurts", "web")
        assert {name: heard.metadata.get(name) for name in ("locale", "id", "emergency_number", "other")} == {
            "locale": "en-GB",
            "id": "m-1_A",
            "emergency_number": "+44 999",
            "other": None,
        }

    @pytest.mark.parametrize("field", ["locale", "id", "emergency_number", "again"])
    def test_null_is_as_good_as_nothing(self, server, token, agent, field):
        assert server.say(token, **{field: None}).status == 200
        assert field not in agent.heard[0].metadata

    @pytest.mark.parametrize("locale", [7, ["en"], "x" * 36, "en GB", ""])
    def test_an_odd_locale_is_left_out(self, server, token, agent, locale):
        assert server.say(token, locale=locale).status == 200
        assert "locale" not in agent.heard[0].metadata

    @pytest.mark.parametrize("good", ["a", "Z" * 64, "0-_"])
    def test_a_good_id_is_taken(self, server, token, agent, good):
        server.say(token, id=good)
        assert agent.heard[0].metadata["id"] == good

    @pytest.mark.parametrize("bad", ["", "a" * 65, "a b", "ä", "a\n", 7, ["a"], {}, True])
    def test_a_bad_id_is_refused(self, server, token, agent, bad):
        answer = server.say(token, id=bad)
        assert (answer.status, answer.json["error"], agent.heard) == (400, "bad_id", [])

    @pytest.mark.parametrize("good", ["112", "+43 112", "00 800 123 456", "99"])
    def test_a_good_emergency_number_is_taken(self, server, token, agent, good):
        server.say(token, emergency_number=good)
        assert agent.heard[0].metadata["emergency_number"] == good

    @pytest.mark.parametrize("bad", ["", "1", "1" * 16, "112 or 999", "1\n2", "٩٩٩", "  ", 112, ["112"], False])
    def test_a_bad_emergency_number_keeps_no_message_from_being_heard(self, server, token, agent, bad):
        assert server.say(token, emergency_number=bad).status == 200
        assert "emergency_number" not in agent.heard[0].metadata

    @pytest.mark.parametrize(
        "sent, heard",
        [
            ("/restart", "restart"),
            (" hi\x00\x07 ", "hi"),
            ("/affirm", "/affirm"),
            ("", ""),
            ("a\ud800b", "a b"),
            ("🙂", "🙂"),
        ],
    )
    def test_the_text_is_cleaned(self, server, token, agent, sent, heard):
        assert server.say(token, sent).status == 200
        assert [message.text for message in agent.heard] == [heard]

    @pytest.mark.parametrize(
        "body, code",
        [
            (b"", None),
            (b"{", "not_json"),
            (b"\xff\xfe", "not_json"),
            (b'{"message": "hi"', "not_json"),
            (b"null", "not_an_object"),
            (b"[]", "not_an_object"),
            (b'"hi"', "not_an_object"),
            (b"{}", "bad_message"),
            (b'{"message": null}', "bad_message"),
            (b'{"message": 7}', "bad_message"),
            (b'{"message": ["hi"]}', "bad_message"),
            (b'{"message": {"text": "hi"}}', "bad_message"),
            pytest.param(b"[" * 16000, "not_json", id="nested deeply"),
            pytest.param(b'{"message":' + b'{"a":' * 3000, "not_json", id="objects nested deeply"),
        ],
    )
    def test_what_is_no_message_is_refused(self, server, token, agent, body, code):
        answer = server.ask("POST", "messages", body, token)
        assert (answer.status, set(answer.json), agent.heard) == (400, {"error", "message"}, [])
        assert code in (None, answer.json["error"])

    @pytest.mark.parametrize("fails", [True, False])
    def test_a_failure_ends_the_stream_with_an_error(self, server, token, agent, fails):
        agent.fails, agent.replies = fails, [BYE] if fails else []
        answer = server.say(token)
        assert (answer.status, answer.lines) == (200, [*agent.replies, FAILED])

    @pytest.mark.parametrize(
        "fields, number",
        [({}, None), ({"locale": "en-GB"}, "999"), ({"locale": "en-GB", "emergency_number": "000"}, "000")],
        ids=["site", "locale", "page"],
    )
    def test_a_failure_tells_the_emergency_number_of_the_visitor(self, server, token, agent, knowledge, fields, number):
        agent.fails, agent.replies = True, []
        (line,) = server.say(token, **fields).lines
        assert f"call {number or knowledge.settings['emergency_number']}." in line["message"]

    def test_two_visitors_never_mix(self, server, agent):
        first, second = server.begin(), server.begin()
        server.say(first, "one")
        server.say(second, "two")
        assert [(message.sender_id, message.text) for message in agent.heard] == [
            (conversation(first), "one"),
            (conversation(second), "two"),
        ]
        assert [server.history(token)[0]["text"] for token in (first, second)] == ["one", "two"]


class TestStoreAway:
    """With a database whose table cannot be read, or not be written."""

    NOT_STORED = {"error": "not_stored", "message": failure(StoreUnavailable("x"))[1]}

    @pytest.fixture
    def read_only(self, store):
        with store.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )

    @pytest.fixture
    def unreadable(self, server, token, store):
        server.say(token, "before")
        with store.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE events RENAME COLUMN sender_id TO name")

    @pytest.mark.usefixtures("read_only")
    def test_replies_end_with_what_was_not_stored(self, server, token):
        answer = server.say(token, id="m1")
        assert (answer.status, answer.lines) == (200, [HELLO, BYE, self.NOT_STORED])
        assert server.history(token) == []

    @pytest.mark.usefixtures("unreadable")
    def test_only_what_is_urgent_is_answered_without_the_conversation(self, server, token, agent):
        agent.replies = [HELLO, URGENT, RELIEVED, SOON, {"text": "x", "custom": {"urgency": "no such level"}}, BYE]
        answer = server.say(token)
        assert (answer.status, answer.lines) == (200, [URGENT, SOON, self.NOT_STORED])
        agent.replies = [HELLO, BYE]
        assert server.say(token).lines == [self.NOT_STORED]

    @pytest.mark.usefixtures("unreadable")
    def test_a_message_that_is_sent_again_is_answered_as_any_other(self, server, token, agent):
        agent.replies = [URGENT]
        answer = server.say(token, id="m1", again=True)
        assert (answer.status, answer.lines) == (200, [URGENT, self.NOT_STORED])

    @pytest.mark.usefixtures("unreadable")
    def test_what_the_bot_cannot_look_into_is_not_there_now(self, server, token):
        for method, path in (("GET", "history"), ("DELETE", "conversation")):
            answer = server.ask(method, path, token=token)
            assert (answer.status, answer.json["error"]) == (503, "not_now")

    @pytest.mark.usefixtures("unreadable")
    def test_goes_on_when_it_is_back(self, server, token, store, agent):
        server.say(token, "meanwhile")
        with store.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE events RENAME COLUMN name TO sender_id")
        assert server.say(token, "after").lines == [HELLO, BYE]
        assert [message["text"] for message in server.history(token) if message["from"] == "visitor"] == [
            "before",
            "after",
        ]


class TestSentAgain:
    def test_is_not_handled_twice(self, server, token, agent):
        first = server.say(token, id="m1").lines
        server.say(token, "and then", id="m2")
        assert server.say(token, id="m1", again=True).lines == first == [HELLO, BYE]
        assert len(agent.heard) == 2

    def test_is_handled_when_it_never_came(self, server, token, agent):
        assert server.say(token, id="m1", again=True).lines == [HELLO, BYE]
        assert len(agent.heard) == 1

    @pytest.mark.parametrize("again", ["yes", 1, None, False])
    def test_only_where_the_page_says_so(self, server, token, agent, again):
        server.say(token, id="m1")
        server.say(token, id="m1", again=again)
        assert len(agent.heard) == 2

    def test_without_an_id_is_a_new_message(self, server, token, agent):
        server.say(token)
        server.say(token, again=True)
        assert len(agent.heard) == 2

    def test_is_another_conversations_message_with_the_same_id(self, server, token, agent):
        server.say(token, id="m1")
        server.say(server.begin(), id="m1", again=True)
        assert len(agent.heard) == 2

    def test_is_handled_once_more_after_a_failure(self, server, token, agent):
        agent.fails = True
        server.say(token, id="m1")
        agent.fails = False
        assert server.say(token, id="m1", again=True).lines == [HELLO, BYE]
        assert len(agent.heard) == 2

    def test_waits_for_the_first_one(self, server, token, agent):
        agent.may_answer.clear()
        server.leave("POST", "messages", token, b'{"message": "hi", "id": "m1"}')
        found = []
        threads = [
            Thread(target=lambda: found.append(server.say(token, "hi", id="m1", again=True).lines)) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        agent.may_answer.set()
        for thread in threads:
            thread.join()
        assert (found, len(agent.heard)) == ([[HELLO, BYE]] * 3, 1)
        # What could be asked for again does not come as news, too.
        assert server.ask("GET", "events", token=token).lines == []

    def test_several_at_once_are_handled_once(self, server, token, agent):
        found = []
        threads = [Thread(target=lambda: found.append(server.say(token, id="m1", again=True).lines)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (found, len(agent.heard)) == ([[HELLO, BYE]] * 4, 1)


class TestEvents:
    def test_brings_what_the_bot_wrote_by_itself(self, server, token):
        server.push(token, HELLO)
        answer = server.ask("GET", "events", token=token)
        assert (answer.status, answer.header("Content-Type"), answer.lines) == (200, "application/x-ndjson", [HELLO])
        assert server.ask("GET", "events", token=token).lines == []

    def test_brings_nobody_elses(self, server, token):
        server.push(server.begin(), HELLO)
        assert server.ask("GET", "events", token=token).lines == []

    def test_brings_the_replies_that_nobody_read(self, server, token, agent):
        agent.may_answer.clear()
        server.leave("POST", "messages", token, b'{"message": "hi"}')
        agent.may_answer.set()
        lines = []
        for _ in range(20):
            lines += server.ask("GET", "events", token=token).lines
            if len(lines) > 1:
                break
        assert lines == [HELLO, BYE]


class TestHistory:
    def test_is_what_was_said_and_streamed(self, server, token):
        streamed = [*server.say(token, "hi", id="m1").lines, *server.say(token, "my neck").lines]
        assert server.history(token) == [
            from_visitor("hi", id="m1"),
            *map(from_bot, streamed[:2]),
            from_visitor("my neck"),
            *map(from_bot, streamed[2:]),
        ]

    def test_is_empty_at_first(self, server, token):
        assert server.history(token) == []

    def test_shows_a_tapped_button_by_its_title(self, server, token):
        server.say(token, "hi")
        server.say(token, "/affirm")
        assert [message["text"] for message in server.history(token) if message["from"] == "visitor"] == ["hi", "Yes"]

    def test_goes_over_all_sessions(self, server, token, store, run):
        server.say(token, "yesterday")
        tracker = run(store.retrieve(conversation(token)))
        tracker.update_with_events([ActionExecuted("action_session_start"), SessionStarted()], DOMAIN)
        run(store.save(tracker))
        server.say(token, "today")
        assert [message["text"] for message in server.history(token) if message["from"] == "visitor"] == [
            "yesterday",
            "today",
        ]

    def test_forgets_what_was_kept_for_a_listener(self, server, token):
        server.say(token)
        server.push(token, BYE)
        server.history(token)
        assert server.ask("GET", "events", token=token).lines == []

    def test_leaves_what_was_kept_for_others(self, server, token):
        other = server.begin()
        server.push(other, BYE)
        server.history(token)
        assert server.ask("GET", "events", token=other).lines == [BYE]

    def test_waits_for_a_message_that_is_being_handled(self, server, token, agent):
        agent.may_answer.clear()
        server.leave("POST", "messages", token, b'{"message": "hi"}')
        found = []
        thread = Thread(target=lambda: found.extend(server.history(token)))
        thread.start()
        agent.may_answer.set()
        thread.join()
        assert found == [from_visitor("hi"), from_bot(HELLO), from_bot(BYE)]

    def test_does_not_mark_the_remembered_conversation_as_in_use(self, server, token, store, run):
        server.say(token)
        remembered = store._remembered[conversation(token)]
        server.history(token)
        assert store._remembered[conversation(token)] is remembered and not remembered.in_use

    def test_says_so_when_the_database_is_away(self, server, token, store, monkeypatch):
        server.push(token, BYE)
        monkeypatch.setattr(type(store), "retrieve_full_tracker", None)
        answer = server.ask("GET", "history", token=token)
        assert (answer.status, answer.json) == (500, FAILED)
        assert server.ask("GET", "events", token=token).lines == [BYE]


CHECKLIST = BotUttered(
    "Any of these?",
    {
        "buttons": [
            {"title": "Fever", "payload": '/inform{"red_flag":"fever"}'},
            {"title": "Pain at night", "payload": '/inform{"red_flag": "night_pain"}'},
            {"title": "Neck", "payload": '/inform{"region":"neck"}'},
            {"title": "None", "payload": "/deny"},
        ]
    },
)


class TestShown:
    @pytest.mark.parametrize(
        "text, words",
        [
            ("plain / words", "plain / words"),
            ("/deny", "None"),
            ('/inform{"red_flag":"fever"}', "Fever"),
            ('/inform{ "red_flag" : "night_pain" }', "Pain at night"),
            ('/inform{"red_flag":["fever"]}', "Fever"),
            ('/inform{"red_flag":["fever","night_pain"]}', "Fever, Pain at night"),
            ('/inform{"red_flag":["night_pain","fever"]}', "Pain at night, Fever"),
            ('/inform{"region":"neck","red_flag":["fever","unknown"]}', "Neck, Fever"),
            ('/inform{"red_flag":"unknown"}', "Inform"),
            ("/not_sure", "Not sure"),
            ("/start_over", "Start over"),
            ("/inform{broken}", "inform{broken}"),
            ("/inform{" + '"a":[' * 3000 + "}", None),
        ],
        ids=str,
    )
    def test_a_button_by_its_title(self, text, words):
        (_, seen) = shown([CHECKLIST, UserUttered(text, {"name": "x"})])
        assert seen["text"] == (words if words is not None else text[1:])

    def test_the_latest_title_counts(self):
        again = BotUttered("Once more", {"buttons": [{"title": "Nothing", "payload": "/deny"}]})
        said = UserUttered("/deny", {"name": "deny"})
        assert [message["text"] for message in shown([CHECKLIST, said, again, said])][1::2] == ["None", "Nothing"]

    def test_buttons_that_come_later_do_not_count(self):
        assert shown([UserUttered("/deny", {"name": "deny"}), CHECKLIST])[0]["text"] == "Deny"

    def test_quick_replies_are_buttons(self):
        offered = BotUttered("Well?", {"quick_replies": [{"title": "Sure", "payload": "/affirm"}]})
        first, second = shown([offered, UserUttered("/affirm", {"name": "affirm"})])
        assert (first["buttons"], second["text"]) == ([{"title": "Sure", "payload": "/affirm"}], "Sure")

    def test_without_what_nobody_wrote(self):
        events = [
            ActionExecuted("action_session_start"),
            SessionStarted(),
            UserUttered("/session_start", {"name": "session_start"}),
            UserUttered.create_external("EXTERNAL_check_in"),
            UserUttered(""),
            UserUttered(None),
            BotUttered(None, {}),
            SlotSet("a", 1),
        ]
        assert shown(events) == []

    def test_a_visitor_may_write_like_a_reminder(self):
        assert [message["text"] for message in shown([UserUttered("EXTERNAL: me")])] == ["EXTERNAL: me"]

    def test_a_button_without_title_or_payload_is_no_harm(self):
        odd = BotUttered(
            "Odd", {"buttons": [{"title": "No payload"}, {"payload": "/affirm"}, {"title": "Web", "payload": "words"}]}
        )
        assert shown([odd, UserUttered("/affirm", {"name": "affirm"})])[1]["text"] == "Affirm"

    def test_replies_are_those_before_the_next_message(self):
        said = UserUttered("hi", {"name": "greet"}, metadata={"id": "m1"})
        events = [said, BotUttered("One"), BotUttered("Two"), UserUttered.create_external("x"), BotUttered("Later")]
        assert replies_to(events, "m1") == [{"text": "One"}, {"text": "Two"}]
        assert replies_to([said], "m1") == []
        assert replies_to(events, "m2") is None

    def test_what_was_ticked_is_shown_as_the_page_showed_it(self):
        options = [
            {"id": "fever", "entity": "red_flag", "text": "fever or chills"},
            {"id": "pregnancy", "entity": "caution", "text": "pregnancy"},
        ]
        asked = BotUttered(
            "Which?",
            {"buttons": [{"title": "Fever", "payload": '/inform{"red_flag":"fever"}'}], "custom": {"options": options}},
        )
        ticked = UserUttered(
            '/inform{"answer":"only","red_flag":["fever"],"caution":["pregnancy"]}', {"name": "inform"}
        )
        assert shown([asked, ticked])[1]["text"] == "fever or chills, pregnancy"

    def test_words_of_a_payload_with_several_entities_of_one_button(self):
        pair = BotUttered(
            "Both", {"buttons": [{"title": "Neck and fever", "payload": '/inform{"region":"neck","red_flag":"fever"}'}]}
        )
        both = UserUttered('/inform{"red_flag":["fever","x"],"region":"neck"}', {"name": "inform"})
        assert shown([pair, both])[1]["text"] == "Neck and fever"
        assert as_words("/help", {}) == "Help"


class TestErasing:
    def test_leaves_nothing(self, server, token, store, tmp_path):
        server.say(token, "something private")
        server.push(token, BYE)
        assert b"something private" in (tmp_path / "conversations.db").read_bytes()
        erased = server.ask("DELETE", "conversation", token=token)
        assert (erased.status, erased.body) == (204, b"")
        assert server.history(token) == [] and server.ask("GET", "events", token=token).lines == []
        assert conversation(token) not in store._remembered
        content = (tmp_path / "conversations.db").read_bytes()
        assert b"something private" not in content and subject(token).encode() not in content

    def test_leaves_the_others(self, server, token):
        other = server.begin()
        server.say(other, "another visitor")
        server.say(token)
        server.ask("DELETE", "conversation", token=token)
        assert server.history(other)[0] == from_visitor("another visitor")

    def test_can_be_done_twice_and_before_anything_was_said(self, server, token):
        assert [server.ask("DELETE", "conversation", token=token).status for _ in range(2)] == [204, 204]

    def test_the_token_then_begins_an_empty_conversation(self, server, token):
        server.say(token, "before")
        server.ask("DELETE", "conversation", token=token)
        server.say(token, "after")
        assert [message["text"] for message in server.history(token)] == ["after", "Hello.", "Bye."]

    def test_waits_for_a_message_that_is_being_handled(self, server, token, agent):
        agent.may_answer.clear()
        server.leave("POST", "messages", token, b'{"message": "hi", "id": "m1"}')
        found = []
        thread = Thread(target=lambda: found.append(server.ask("DELETE", "conversation", token=token).status))
        thread.start()
        agent.may_answer.set()
        thread.join()
        assert (found, server.history(token)) == ([204], [])

    def test_takes_the_reminders_out_of_the_schedule(self, server, token, run):
        async def names():
            return {job.id for job in (await jobs.scheduler()).get_jobs()}

        async def schedule(sender, name):
            run_at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + 3600))
            (await jobs.scheduler()).add_job(
                print, "date", run_date=run_at, id=name, name=f"[1,2,3]__sender_id:{sender}"
            )

        reminder = ReminderScheduled("EXTERNAL_check_in", datetime.now(UTC), name="r")
        assert reminder.scheduled_job_name("x").endswith("__sender_id:x")
        run(schedule(conversation(token), "mine"))
        run(schedule("web:" + "b" * 32, "another's"))
        server.ask("DELETE", "conversation", token=token)
        assert run(names()) == {"another's"}

    def test_says_so_where_the_store_cannot(self, server, token, agent, caplog):
        agent.tracker_store = InMemoryTrackerStore(DOMAIN)
        server.say(token)
        answer = server.ask("DELETE", "conversation", token=token)
        assert (answer.status, answer.json["error"]) == (501, "cannot_erase")
        assert "InMemoryTrackerStore" in caplog.text
        assert len(server.history(token)) == 3


class TestSizes:
    LIMIT = 500

    def body(self, size):
        empty = len(json.dumps({"message": "hi", "other": ""}))
        return json.dumps({"message": "hi", "other": "x" * (size - empty)}).encode()

    @pytest.mark.parametrize("over, status", [(0, 200), (1, 413)])
    def test_a_body_may_be_as_large_as_the_limit(self, serve, over, status):
        server = serve(max_body_bytes=self.LIMIT)
        body = self.body(self.LIMIT + over)
        assert len(body) == self.LIMIT + over
        answer = server.ask("POST", "messages", body, server.begin())
        assert answer.status == status and (status == 200 or answer.json["error"] == "too_large")

    @pytest.mark.parametrize("path", ["messages", "session"])
    def test_ten_megabytes_are_refused(self, server, token, agent, path):
        answer = server.ask("POST", path, b"x" * 10_000_000, token)
        assert (answer.status, answer.json["error"], agent.heard) == (413, "too_large", [])

    def test_is_refused_by_what_it_says_of_itself(self, server, token):
        with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
            connection.sendall(server.head("POST", "messages", token, 90_000_000))
            assert b" 413 " in connection.recv(1000).splitlines()[0]

    def test_is_refused_when_it_comes_in_chunks(self, serve):
        server = serve(max_body_bytes=self.LIMIT)
        chunks = iter([b"x" * 400, b"x" * 400])
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
            connection.request(
                "POST", "/chat/api/messages", chunks, {"Authorization": f"Bearer {server.begin()}"}, encode_chunked=True
            )
            assert connection.getresponse().status == 413

    def test_a_body_in_chunks_is_read(self, server, token, agent):
        chunks = iter([b'{"mess', b'age": "hi"}'])
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
            headers = {"Authorization": f"Bearer {token}", "Transfer-Encoding": "chunked"}
            connection.request("POST", "/chat/api/messages", chunks, headers, encode_chunked=True)
            assert connection.getresponse().status == 200
        assert [message.text for message in agent.heard] == ["hi"]

    @pytest.mark.parametrize("character", ["x", "🙂"])
    def test_a_message_may_have_so_many_characters(self, serve, agent, character):
        server = serve(max_characters=20)
        token = server.begin()
        assert server.say(token, character * 20).status == 200
        answer = server.say(token, character * 21)
        assert (answer.status, answer.json["error"], len(agent.heard)) == (413, "too_long", 1)
        assert "20" in answer.json["message"]


class TestRates:
    def refused(self, answer):
        assert (answer.status, answer.json["error"], set(answer.json)) == (429, "too_many", {"error", "message"})
        return int(answer.header("Retry-After"))

    def test_of_messages_in_a_conversation(self, serve, agent):
        server = serve(session_rate="2/hour")
        first, second = server.begin(), server.begin()
        assert [server.say(first).status for _ in range(2)] == [200, 200]
        assert 1 <= self.refused(server.say(first)) <= 3600
        assert server.say(second).status == 200
        assert len(agent.heard) == 3

    def test_bad_messages_count(self, serve):
        server = serve(session_rate="1/hour")
        token = server.begin()
        assert server.ask("POST", "messages", b"{", token).status == 400
        self.refused(server.say(token))

    def test_of_messages_from_an_address(self, serve):
        server = serve(address_rate="2/hour")
        assert [server.say(server.begin()).status for _ in range(2)] == [200, 200]
        self.refused(server.say(server.begin()))

    def test_of_messages_from_an_address_count_without_a_token(self, serve):
        server = serve(address_rate="2/hour")
        assert [server.ask("POST", "messages", token="x").status for _ in range(2)] == [401, 401]
        self.refused(server.say(server.begin()))

    def test_of_new_conversations(self, serve):
        server = serve(new_session_rate="2/hour")
        token, _ = server.begin(), server.begin()
        self.refused(server.ask("POST", "session"))
        assert server.say(token).status == 200

    @pytest.mark.parametrize("method, path", [route for route in WITH_TOKEN if route[1] != "messages"])
    def test_of_everything_else(self, serve, method, path):
        server = serve(reading_rate="1/hour")
        token = server.begin()
        assert server.ask(method, path, token=token).status < 300
        self.refused(server.ask(method, path, token=token))
        assert server.say(token).status == 200

    def test_several_hold_together(self, serve):
        server = serve(session_rate="5/hour; 1/day")
        token = server.begin()
        assert server.say(token).status == 200
        self.refused(server.say(token))

    def test_an_address_is_the_one_that_proxies_name(self, serve):
        server = serve(proxies=1, new_session_rate="1/hour")
        assert [
            server.ask("POST", "session", X_Forwarded_For=address).status for address in ("1.1.1.1", "2.2.2.2")
        ] == [200, 200]
        # What a visitor wrote into the header stands before what the proxy adds.
        self.refused(server.ask("POST", "session", X_Forwarded_For="9.9.9.9, 1.1.1.1"))

    def test_without_proxies_nobody_names_another_address(self, serve):
        server = serve(new_session_rate="1/hour")
        server.ask("POST", "session", X_Forwarded_For="1.1.1.1")
        self.refused(server.ask("POST", "session", X_Forwarded_For="2.2.2.2"))

    def test_a_network_of_ipv6_is_one_address(self, serve):
        server = serve(proxies=1, new_session_rate="1/hour")
        statuses = [server.ask("POST", "session", X_Forwarded_For=f"[2001:db8::{n}]").status for n in (1, 2)]
        assert statuses == [200, 429]
        assert server.ask("POST", "session", X_Forwarded_For="[2001:db8:0:1::1]").status == 200

    def test_goes_on_where_requests_cannot_be_counted(self, serve, monkeypatch, caplog):
        server = serve()
        monkeypatch.setattr(type(server.channel._limits._storage), "acquire_entry", None)
        assert server.ask("POST", "session").status == 200
        assert "cannot be counted" in caplog.text


class TestSettings:
    @pytest.mark.parametrize(
        "setting, value, words",
        [
            ("session_rate", "often", '"30/minute"'),
            ("address_rate", "0/minute", '"30/minute"'),
            ("new_session_rate", 60, '"30/minute"'),
            ("reading_rate", None, '"30/minute"'),
            ("session_rate", "", '"30/minute"'),
            ("max_body_bytes", 0, "above 0"),
            ("max_characters", "2000", "above 0"),
            ("max_characters", 1.5, "whole number"),
            ("max_body_bytes", True, "above 0"),
            ("listen_seconds", -1, "above 0"),
            ("session_seconds", 0, "above 0"),
            ("rate_storage", "nowhere://", "memory://"),
            ("rate_storage", 7, "memory://"),
            ("rate_storage", "", "memory://"),
            ("origins", "https://a.example", "list"),
            ("origins", ["*"], "no *"),
            ("origins", ["a.example"], "https://example.org"),
            ("origins", ["https://a.example/chat"], "no path"),
            ("origins", [None], "https://example.org"),
            ("origins", ["https://user@a.example"], "https://example.org"),
            ("origins", ["ftp://a.example"], "https://example.org"),
            ("origins", ["https://a.example:port"], "https://example.org"),
        ],
    )
    def test_a_bad_one_is_named_in_plain_words(self, setting, value, words):
        with pytest.raises(SettingsError) as error:
            WebInput.from_credentials({setting: value})
        assert setting in str(error.value) and words in str(error.value)

    def test_an_unknown_one_is_named(self):
        with pytest.raises(SettingsError, match=r"max_charcters.*max_characters"):
            WebInput.from_credentials({"max_charcters": 5})

    def test_origins_of_the_environment_are_checked(self, monkeypatch):
        monkeypatch.setenv("BACKTALK_ORIGINS", "https://a.example *")
        with pytest.raises(SettingsError, match=r"^BACKTALK_ORIGINS must be"):
            WebInput.from_credentials({})

    def test_none_are_needed(self):
        WebInput.from_credentials(None)


class TestOrigins:
    @pytest.mark.parametrize("method, path", ROUTES)
    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example",
            "null",
            "",
            "http://clinic.example",
            f"{SITE}:8443",
            f"{SITE}.evil.example",
            "https://",
            "x",
            f"{SITE}/",
        ],
    )
    def test_others_are_refused(self, server, token, agent, method, path, origin):
        answer = server.ask(method, path, {"message": "hi"} if method == "POST" else None, token, Origin=origin)
        assert (answer.status, answer.json["error"], agent.heard) == (403, "origin_not_allowed", [])
        assert answer.header("Access-Control-Allow-Origin") is None

    @pytest.mark.parametrize("method, path", ROUTES)
    def test_those_of_the_setting_may_call(self, server, token, method, path):
        answer = server.ask(method, path, {"message": "hi"} if method == "POST" else None, token, Origin=SITE)
        assert answer.status < 300
        assert (answer.header("Access-Control-Allow-Origin"), answer.header("Vary")) == (SITE, "Origin")
        assert answer.header("Access-Control-Expose-Headers") == "Retry-After"
        assert answer.header("Access-Control-Allow-Credentials") is None

    def test_a_page_can_read_a_refusal(self, server):
        for answer in (server.ask("GET", "history", Origin=SITE), server.ask("GET", "nothing", Origin=SITE)):
            assert answer.status in (401, 404) and answer.header("Access-Control-Allow-Origin") == SITE

    def test_the_server_itself_may_always(self, serve):
        server = serve()
        own = f"http://127.0.0.1:{server.port}"
        assert server.ask("POST", "session", Origin=own).header("Access-Control-Allow-Origin") == own
        assert server.ask("POST", "session", Origin="https://bot.example", Host="bot.example").status == 200
        assert server.ask("POST", "session", Origin="https://bot.example", Host="bot.example:443").status == 200
        assert server.ask("POST", "session", Origin=f"http://127.0.0.1:{server.port + 1}").status == 403

    def test_none_is_told_where_none_asks(self, server, token):
        answer = server.say(token)
        assert answer.header("Access-Control-Allow-Origin") is None and answer.header("Vary") == "Origin"

    @pytest.mark.parametrize(
        "text",
        ["https://a.example,https://b.example", "https://a.example  https://b.example:443/", "https://B.example, "],
    )
    def test_those_of_the_environment_win(self, serve, monkeypatch, text):
        monkeypatch.setenv("BACKTALK_ORIGINS", text)
        server = serve(origins=[SITE])
        assert [server.ask("POST", "session", Origin=origin).status for origin in ("https://b.example", SITE)] == [
            200,
            403,
        ]

    @pytest.mark.parametrize("cors", [None, ["*"], [SITE, "https://evil.example"]])
    def test_the_servers_own_option_changes_nothing(self, serve, cors):
        server = serve(cors=cors, origins=[SITE])
        for method, path in (("POST", "session"), ("OPTIONS", "messages"), ("GET", "nothing")):
            answer = server.ask(method, path, Origin="https://evil.example")
            assert answer.status == 403 and answer.header("Vary") == "Origin"
            assert not [name for name, _ in answer.headers if name.lower().startswith("access-control")]
        for answer in (server.ask("POST", "session", Origin=SITE), server.ask("OPTIONS", "messages", Origin=SITE)):
            assert (answer.header("Access-Control-Allow-Origin"), answer.header("Vary")) == (SITE, "Origin")
            assert answer.header("Access-Control-Allow-Credentials") is None
            assert len({name.lower() for name, _ in answer.headers}) == len(answer.headers)

    def test_the_servers_own_option_is_for_the_other_routes(self, serve):
        server = serve(cors=["https://other.example"], origins=[SITE])
        for method, status in (("GET", 200), ("OPTIONS", 204)):
            answer = server.ask_for(method, "/", Origin="https://other.example")
            assert (answer.status, answer.header("Vary")) == (status, "Origin")
            assert answer.header("Access-Control-Allow-Origin") == "https://other.example"
            assert answer.header("Access-Control-Allow-Credentials") is None
        for origin in (SITE, "https://evil.example", "null"):
            answer = server.ask_for("GET", "/", Origin=origin)
            assert answer.header("Access-Control-Allow-Origin") is None


class TestPreflight:
    @pytest.mark.parametrize("cors", [None, ["*"], [SITE]])
    @pytest.mark.parametrize("path", [path for _, path in ROUTES])
    def test_is_answered(self, serve, path, cors):
        server = serve(cors=cors, origins=[SITE])
        answer = server.ask(
            "OPTIONS",
            path,
            Origin=SITE,
            Access_Control_Request_Method="POST",
            Access_Control_Request_Headers="authorization",
        )
        assert (answer.status, answer.body) == (204, b"")
        assert answer.header("Access-Control-Allow-Origin") == SITE
        assert answer.header("Access-Control-Allow-Methods") == "GET, POST, DELETE, OPTIONS"
        assert answer.header("Access-Control-Allow-Headers") == "Authorization, Content-Type"
        assert answer.header("Access-Control-Max-Age") == "600"

    @pytest.mark.parametrize("origin", ["https://evil.example", "null"])
    def test_of_others_is_refused(self, server, origin):
        answer = server.ask("OPTIONS", "messages", Origin=origin, Access_Control_Request_Method="POST")
        assert answer.status == 403
        assert not [name for name, _ in answer.headers if name.lower().startswith("access-control")]


class TestHeaders:
    def check(self, answer, *statuses):
        assert answer.status in statuses
        assert {name: answer.header(name) for name in STRICT} == STRICT

    def test_on_good_answers(self, server, token):
        for method, path in ROUTES:
            self.check(server.ask(method, path, {"message": "hi"} if method == "POST" else None, token), 200, 204)
        self.check(server.ask("OPTIONS", "messages", Origin=SITE), 204)

    def test_on_refusals(self, server, token):
        for method, path in WITH_TOKEN:
            self.check(server.ask(method, path), 401)
        self.check(server.say(token, id=""), 400)
        self.check(server.say(token, "x" * 2001), 413)
        self.check(server.ask("POST", "messages", b"x" * 20000, token), 413)
        self.check(server.ask("POST", "session", Origin="null"), 403)
        self.check(server.ask("OPTIONS", "session", Origin="null"), 403)

    def test_on_a_rate(self, serve):
        server = serve(new_session_rate="1/hour")
        server.begin()
        self.check(server.ask("POST", "session"), 429)

    def test_on_failures(self, server, token, agent):
        agent.fails = True
        self.check(server.say(token), 200)
        agent.tracker_store = None
        answer = server.ask("GET", "history", token=token)
        self.check(answer, 500)
        assert answer.json == FAILED

    @pytest.mark.parametrize(
        "method, path, status, code",
        [
            ("GET", "nothing", 404, "not_found"),
            ("POST", "", 404, "not_found"),
            ("DELETE", "session/x", 404, "not_found"),
            ("GET", "messages", 405, "wrong_method"),
            ("PUT", "history", 405, "wrong_method"),
            ("DELETE", "session", 405, "wrong_method"),
        ],
    )
    def test_where_there_is_nothing(self, server, method, path, status, code):
        answer = server.ask(method, path)
        self.check(answer, status)
        assert answer.json["error"] == code

    @pytest.mark.parametrize("path, status", [("/elsewhere", 404), ("/", 200)])
    def test_other_routes_have_those_of_the_server_alone(self, server, path, status):
        answer = server.ask_for("GET", path, Origin="https://evil.example")
        assert answer.status == status
        assert {name: answer.header(name) for name in HEADERS} == HEADERS
        assert not {name.lower() for name, _ in answer.headers} & ({name.lower() for name in STRICT.keys() - HEADERS})
        assert answer.header("Access-Control-Allow-Origin") is None
