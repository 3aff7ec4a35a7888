"""The channels for programs, REST and callback, on the real server: who may call, what is refused, and how replies come
back.
"""

import asyncio
import http.client
import json
import socket
from contextlib import closing
from dataclasses import dataclass
from threading import Thread

import pytest
from aiohttp import web
from rasa.core.channels import channel as rasa_channel
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, UserUttered
from rasa.utils import endpoints
from sanic import Sanic

from backtalk.channels.callback import CallbackInput
from backtalk.channels.messages import MAX_SENDER_CHARACTERS
from backtalk.channels.programs import SECRET_VARIABLE
from backtalk.channels.rest import RestInput
from backtalk.channels.settings import SettingsError
from backtalk.engine.http import StrictProtocol, create_app
from backtalk.engine.tracker_store import RememberingTrackerStore

SECRET = "a secret of the tests"
DOMAIN = Domain.from_yaml('version: "3.1"\nintents: [greet]\n')
BUTTONS = [{"title": "Yes", "payload": "/affirm"}, {"title": "No", "payload": "/deny"}]
HELLO = {"text": "Hello.", "buttons": BUTTONS, "custom": {"type": "x"}}
BYE = {"text": "Bye."}
URGENT = {"text": "Call now.", "custom": {"type": "assessment", "urgency": "emergency"}}
SOON = {"text": "Be seen today.", "custom": {"type": "assessment", "urgency": "urgent"}}
RELIEVED = {"text": "Rest.", "custom": {"type": "assessment", "urgency": "self_care"}}
CHANNELS = ("rest", "callback")


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


class Agent:
    """What the channels use of Rasa's agent, with the real store: answers Hello and Bye, and keeps the events."""

    def __init__(self, store):
        self.tracker_store = store
        self.heard, self.replies, self.fails = [], [HELLO, BYE], False

    async def handle_message(self, message):
        self.heard.append(message)
        tracker = await self.tracker_store.get_or_create_tracker(message.sender_id, append_action_listen=False)
        events = [UserUttered(message.text, {"name": "greet"}, input_channel=message.input_channel)]
        for reply in self.replies:
            await message.output_channel.send_response(message.sender_id, dict(reply))
            events.append(BotUttered(reply.get("text")))
        if self.fails:
            raise RuntimeError("broken")
        tracker.update_with_events(events, DOMAIN)
        await self.tracker_store.save(tracker)


class Site:
    """A site to which replies are posted, which answers as it is told to."""

    def __init__(self):
        self.posted, self.headers, self.answer = [], [], {"text": "ok"}
        self._may_answer = asyncio.Event()
        self._may_answer.set()

    async def start(self):
        app = web.Application()
        app.add_routes([web.post("/replies", self.take)])
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}/replies"
        await web.SockSite(self._runner, listening).start()

    async def stop(self):
        self._may_answer.set()
        await self._runner.cleanup()

    async def fall_silent(self):
        """Answers nothing from now on."""
        self._may_answer.clear()

    async def take(self, request):
        self.posted.append(await request.json())
        self.headers.append(request.headers)
        await self._may_answer.wait()
        return web.Response(**self.answer)


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def lines(self):
        return [json.loads(line) for line in self.body.splitlines()]


class Server:
    """Both channels as they are served, and a program that calls them."""

    def __init__(self, run, agent, site, interface="127.0.0.1", proxies=None, host="127.0.0.1", **limits):
        Sanic._app_registry.clear()
        self.app, self.site = create_app(False, None, None), site
        self.app.config.PROXIES_COUNT = proxies
        self.app.ctx.agent = agent
        if interface:
            self.app.ctx.interface = interface
        self.channels = [
            RestInput.from_credentials(limits),
            CallbackInput.from_credentials({"url": site.url, **limits}),
        ]
        rasa_channel.register(self.channels, self.app, route="/webhooks/")
        self._server, self.host = run(self._start(host)), host
        self.port = self._server.server.sockets[0].getsockname()[1]

    async def _start(self, host):
        # Given a port of 0, Sanic takes 8000.
        listening = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        server = await self.app.create_server(
            sock=listening, return_asyncio_server=True, access_log=False, protocol=StrictProtocol
        )
        await server.startup()
        await server.before_start()
        await server.start_serving()
        return server

    async def stop(self):
        self._server.server.close()
        for connection in [*self._server.connections]:
            connection.abort()

    def ask(self, method, path, body=None, **headers):
        """A request; a body that is not bytes goes as JSON."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        with closing(http.client.HTTPConnection(self.host, self.port, timeout=20)) as connection:
            connection.request(method, f"/webhooks/{path}", body, headers)
            reply = connection.getresponse()
            return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())

    def post(self, body, channel="rest", **headers):
        return self.ask("POST", f"{channel}/webhook", body, **headers)

    def say(self, channel="rest", **fields):
        return self.post(message(**fields), channel)

    def replies(self, way, **fields):
        """What is said to a message: in the answer, in the stream or on the site."""
        if way == "stream":
            answer = self.ask("POST", "rest/webhook?stream=true", message(**fields))
            assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
            return answer.lines
        answer = self.say(way, **fields)
        assert answer.status == 200
        return answer.json if way == "rest" else self.site.posted


@pytest.fixture(scope="module")
def run():
    """Runs a coroutine in the loop of the servers."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(20)
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
def site(run):
    site = Site()
    run(site.start())
    yield site
    run(site.stop())


@pytest.fixture
def serve(run, agent, site, monkeypatch):
    """Serves the channels; `interface` and `proxies` are the server's settings, the others the channels'."""
    servers = []
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)

    def start(secret=None, **settings):
        if secret:
            monkeypatch.setenv(SECRET_VARIABLE, secret)
        servers.append(Server(run, agent, site, **settings))
        return servers[-1]

    yield start

    async def end():
        for server in servers:
            await server.stop()

    run(end())


@pytest.fixture
def server(serve):
    return serve()


@pytest.fixture
def said(run, store):
    """What visitors said in a conversation, as it is stored."""

    def read(conversation):
        tracker = run(store.retrieve_full_tracker(conversation))
        return [event.text for event in tracker.events if isinstance(event, UserUttered)] if tracker else []

    return read


def message(**fields):
    return {"sender": "visitor", "message": "my back hurts", **fields}


def to(recipient, *replies):
    return [{"recipient_id": recipient, **reply} for reply in replies]


@pytest.mark.parametrize("channel", CHANNELS)
class TestCallers:
    WRONG = {
        "none": {},
        "empty": {"Authorization": ""},
        "nothing": {"Authorization": "Bearer "},
        "nothing at all": {"Authorization": "Bearer"},
        "another": {"Authorization": "Bearer x"},
        "shorter": {"Authorization": f"Bearer {SECRET[:-1]}"},
        "longer": {"Authorization": f"Bearer {SECRET}x"},
        "other letters": {"Authorization": f"Bearer {SECRET.upper()}"},
        "no scheme": {"Authorization": SECRET},
        "another scheme": {"Authorization": f"Basic {SECRET}"},
        "without a space": {"Authorization": f"Bearer{SECRET}"},
        "no ASCII": {"Authorization": "Bearer schlüssel"},
        "UTF-8": {"Authorization": "Bearer ключ".encode()},
        "no UTF-8": {"Authorization": b"Bearer \xff\xfe"},
        "in another place": {"X_Secret": SECRET},
    }

    def check(self, answer, agent):
        assert (answer.status, answer.json["error"], agent.heard) == (401, "not_allowed", [])
        assert set(answer.json) == {"error", "message"} and SECRET_VARIABLE in answer.json["message"]

    @pytest.mark.parametrize("interface", [None, "127.0.0.1", "localhost", "127.0.0.2", "::1"])
    def test_of_this_machine_need_no_secret(self, serve, agent, channel, interface):
        assert serve(interface=interface).say(channel).status == 200
        assert len(agent.heard) == 1

    @pytest.mark.parametrize("interface", ["0.0.0.0", "::", "192.0.2.7", "bot.example", ""])
    @pytest.mark.parametrize("wrong", ["none", "nothing", "nothing at all", "another", "no ASCII"])
    def test_elsewhere_are_all_refused_without_a_secret(self, serve, agent, channel, interface, wrong):
        server = serve()
        server.app.ctx.interface = interface
        self.check(server.post(message(), channel, **self.WRONG[wrong]), agent)

    @pytest.mark.parametrize("interface", ["127.0.0.1", "0.0.0.0"])
    @pytest.mark.parametrize("scheme", ["Bearer {}", "bearer {}", "BEARER  {}"])
    def test_who_know_the_secret_are_answered(self, serve, agent, channel, interface, scheme):
        server = serve(secret=SECRET, interface=interface)
        assert server.post(message(), channel, Authorization=scheme.format(SECRET)).status == 200
        assert [heard.text for heard in agent.heard] == ["my back hurts"]

    def test_may_know_one_that_is_not_ascii(self, serve, channel):
        server = serve(secret="ключ")
        assert server.post(message(), channel, Authorization="Bearer ключ".encode()).status == 200

    @pytest.mark.parametrize("interface", ["127.0.0.1", "0.0.0.0"])
    @pytest.mark.parametrize("wrong", WRONG)
    def test_who_do_not_know_the_secret_are_refused(self, serve, agent, channel, interface, wrong):
        server = serve(secret=SECRET, interface=interface)
        self.check(server.post(message(), channel, **self.WRONG[wrong]), agent)

    def test_who_do_not_know_the_secret_learn_nothing_by_what_they_send(self, serve, agent, channel):
        server = serve(secret=SECRET, max_body_bytes=1000)
        for body in (b"", b"{", b"x" * 2000, message(sender=7), message(message="x" * 2001)):
            self.check(server.post(body, channel), agent)
        self.check(server.ask("POST", f"{channel}/webhook?stream=true", message()), agent)

    def test_may_ask_whether_it_is_there(self, serve, channel):
        answer = serve(secret=SECRET, interface="0.0.0.0").ask("GET", f"{channel}/")
        assert (answer.status, answer.json) == (200, {"status": "ok"})


@pytest.mark.parametrize("channel", CHANNELS)
class TestRequests:
    @pytest.mark.parametrize(
        "sender", ["a", "s" * MAX_SENDER_CHARACTERS, "ünï 🙂", "web:x", ":", "../x"], ids=lambda sender: sender[:9]
    )
    def test_a_good_one_reaches_the_bot_under_a_name_of_the_channel(self, server, agent, said, channel, sender):
        assert server.say(channel, sender=sender).status == 200
        (heard,) = agent.heard
        assert (heard.sender_id, heard.text, heard.input_channel) == (f"{channel}:{sender}", "my back hurts", channel)
        assert said(f"{channel}:{sender}") == ["my back hurts"]

    def test_a_sender_has_240_characters_at_most(self, server, channel):
        assert MAX_SENDER_CHARACTERS == 240
        assert [server.say(channel, sender="s" * length).status for length in (240, 241)] == [200, 400]

    @pytest.mark.parametrize(
        "sender",
        ["\ud800", "a\x00", "a\nb", "a\x7f", "a\u2028b", "\u202e", "", 7, None, ["a"], {"a": 1}, True],
        ids=ascii,
    )
    def test_a_sender_that_could_do_harm_is_refused(self, server, agent, channel, sender):
        answer = server.say(channel, sender=sender)
        assert (answer.status, agent.heard) == (400, [])
        assert answer.json["error"] == "bad_sender"

    @pytest.mark.parametrize(
        "text, heard_as",
        [
            ("/restart", "restart"),
            (" hi\x00 ", "hi"),
            ("/affirm", "/affirm"),
            ("", ""),
            ("a\ud800b", "a b"),
            ("🙂", "🙂"),
        ],
        ids=ascii,
    )
    def test_the_text_is_cleaned(self, server, agent, channel, text, heard_as):
        assert server.say(channel, message=text).status == 200
        assert [heard.text for heard in agent.heard] == [heard_as]

    @pytest.mark.parametrize("character", ["x", "🙂"])
    def test_a_message_may_have_so_many_characters(self, serve, agent, channel, character):
        server = serve(max_characters=2000)
        assert server.say(channel, message=character * 2000).status == 200
        answer = server.say(channel, message=character * 2001)
        assert (answer.status, answer.json["error"], len(agent.heard)) == (413, "too_long", 1)
        assert "2000" in answer.json["message"]

    def test_a_long_text_is_heard_up_to_what_is_screened(self, server, channel):
        assert [server.say(channel, message="x" * length).status for length in (20000, 20001)] == [200, 413]

    def test_both_limits_can_be_set(self, serve, agent, channel):
        server = serve(max_body_bytes=200, max_characters=20)
        empty = len(json.dumps(message(message="hi", other="")))
        assert server.say(channel, message="hi", other="x" * (200 - empty)).status == 200
        answer = server.say(channel, message="hi", other="x" * (201 - empty))
        assert (answer.status, answer.json["error"]) == (413, "too_large")
        assert [server.say(channel, message="x" * length).status for length in (20, 21)] == [200, 413]

    @pytest.mark.parametrize(
        "body, status, code",
        [
            (b"", 400, "not_an_object"),
            (b"{", 400, "not_json"),
            (b"\xff\xfe", 400, "not_json"),
            pytest.param(b"[" * 1500, 400, "not_json", id="deeply nested"),
            (b"null", 400, "not_an_object"),
            ([], 400, "not_an_object"),
            ("hello", 400, "not_an_object"),
            ({"message": "hi"}, 400, "bad_sender"),
            ({"sender": "visitor"}, 400, "bad_message"),
            (message(message=None), 400, "bad_message"),
            (message(message=["hi"]), 400, "bad_message"),
            (message(metadata="home"), 400, "bad_metadata"),
            (message(metadata=["home"]), 400, "bad_metadata"),
            pytest.param(message(message="x" * 2000, other="x" * 65536), 413, "too_large", id="large"),
        ],
    )
    @pytest.mark.parametrize("query", ["", "?stream=true"])
    def test_a_bad_one_is_refused_before_the_bot_hears_it(self, server, agent, body, status, code, channel, query):
        answer = server.ask("POST", f"{channel}/webhook{query}", body)
        assert (answer.status, agent.heard) == (status, [])
        assert set(answer.json) == {"error", "message"} and answer.json["error"] == code

    @pytest.mark.parametrize(
        "metadata",
        [
            {"locale": "en-GB", "emergency_number": "000", "id": "m1", "is_external": True, "page": "home"},
            {"locale": "en-GB"},
        ],
        ids=["more", "locale"],
    )
    def test_of_metadata_the_locale_is_kept_alone(self, server, agent, channel, metadata):
        assert server.say(channel, metadata=metadata).status == 200
        assert agent.heard[0].metadata == {"locale": "en-GB"}

    @pytest.mark.parametrize("locale", [7, None, ["en"], "x" * 36, "e", "en GB", "en\n", ""], ids=ascii)
    def test_an_odd_locale_is_left_out(self, server, agent, channel, locale):
        assert server.say(channel, metadata={"locale": locale}).status == 200
        assert agent.heard[0].metadata == {}

    @pytest.mark.parametrize("fields", [{}, {"metadata": None}, {"metadata": {}}], ids=str)
    def test_metadata_may_be_left_out(self, server, agent, channel, fields):
        assert server.say(channel, **fields).status == 200
        assert agent.heard[0].metadata == {}


LOOPBACK = [
    pytest.mark.skipif(not has_ipv6(), reason="this machine has no address ::1"),
]


class TestRates:
    def refused(self, answer):
        assert (answer.status, answer.json["error"], set(answer.json)) == (429, "too_many", {"error", "message"})
        assert 1 <= int(answer.headers["retry-after"]) <= 3600

    @pytest.mark.parametrize("channel", CHANNELS)
    def test_of_a_sender(self, serve, agent, channel):
        server = serve(session_rate="2/hour")
        assert [server.say(channel).status for _ in range(2)] == [200, 200]
        self.refused(server.say(channel))
        self.refused(server.ask("POST", f"{channel}/webhook?stream=true", message()))
        assert server.say(channel, sender="another").status == 200
        assert len(agent.heard) == 3

    def test_of_a_sender_on_each_channel(self, serve):
        server = serve(session_rate="1/hour")
        assert [server.say(channel).status for channel in CHANNELS] == [200, 200]
        self.refused(server.say("rest"))

    @pytest.mark.parametrize("channel", CHANNELS)
    @pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("::1", marks=LOOPBACK)])
    def test_of_an_address_are_not_those_of_this_machine(self, serve, channel, host):
        server = serve(address_rate="1/hour", host=host)
        assert [server.say(channel).status for _ in range(3)] == [200, 200, 200]

    @pytest.mark.parametrize("channel", CHANNELS)
    def test_of_an_address_are_those_of_all_its_senders(self, serve, channel):
        server = serve(SECRET, address_rate="2/hour", proxies=1)
        known = {"Authorization": f"Bearer {SECRET}"}
        for sender in ("a", "b"):
            assert server.post(message(sender=sender), channel, X_Forwarded_For="192.0.2.7", **known).status == 200
        self.refused(server.post(message(sender="c"), channel, X_Forwarded_For="192.0.2.7", **known))
        assert server.post(message(sender="c"), channel, X_Forwarded_For="192.0.2.8", **known).status == 200

    @pytest.mark.parametrize("channel", CHANNELS)
    def test_who_guesses_secrets_is_counted_too(self, serve, channel):
        server = serve(SECRET, address_rate="2/hour", proxies=1)
        wrong = {"Authorization": "Bearer a guess", "X_Forwarded_For": "192.0.2.7"}
        assert [server.post(message(), channel, **wrong).status for _ in range(3)] == [401, 401, 429]

    @pytest.mark.parametrize("channel", CHANNELS)
    @pytest.mark.parametrize("header", ["X_Forwarded_For", "Forwarded", "Via", "X_Real_IP"])
    def test_what_a_proxy_hands_on_is_not_of_this_machine(self, serve, channel, header):
        server = serve()
        assert server.post(message(), channel).status == 200
        assert server.post(message(), channel, **{header: "192.0.2.7"}).status == 401


@pytest.mark.parametrize("way", ["rest", "stream", "callback"])
class TestReplies:
    def test_come_whole_and_in_order(self, server, way):
        assert server.replies(way) == to("visitor", HELLO, BYE)

    @pytest.mark.parametrize("sender", ["a:b", "web:x", ":", "ünï 🙂"])
    def test_are_for_the_sender_as_the_caller_knows_it(self, server, way, sender):
        assert server.replies(way, sender=sender) == to(sender, HELLO, BYE)

    def test_of_a_failure_say_so_behind_what_was_said(self, server, agent, knowledge, way):
        agent.fails = True
        *before, failed = server.replies(way)
        assert before == to("visitor", HELLO, BYE)
        assert failed == {
            "recipient_id": "visitor",
            "text": failed["text"],
            "custom": {"type": "failure", "error": "failed"},
        }
        assert "went wrong" in failed["text"] and knowledge.settings["emergency_number"] in failed["text"]

    @pytest.mark.parametrize("metadata, number", [({"locale": "en-GB"}, "999"), ({"emergency_number": "000"}, None)])
    def test_of_a_failure_tell_the_number_of_the_locale_and_no_callers(
        self, server, agent, knowledge, way, metadata, number
    ):
        agent.fails, agent.replies = True, []
        (failed,) = server.replies(way, metadata=metadata)
        assert f"call {number or knowledge.settings['emergency_number']}." in failed["text"]

    def test_are_one_at_least(self, server, agent, way):
        agent.replies = []
        (failed,) = server.replies(way)
        assert failed["custom"] == {"type": "failure", "error": "failed"}


@pytest.mark.parametrize("way", ["rest", "stream", "callback"])
class TestStoreAway:
    @pytest.fixture
    def read_only(self, store):
        with store.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )

    @pytest.fixture
    def unreadable(self, store):
        with store.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE events RENAME COLUMN sender_id TO name")

    def not_stored(self, reply):
        assert reply == {
            "recipient_id": "visitor",
            "text": reply["text"],
            "custom": {"type": "failure", "error": "not_stored"},
        }
        assert "could not save" in reply["text"]

    @pytest.mark.usefixtures("read_only")
    def test_replies_end_with_what_was_not_stored(self, server, way):
        *before, failed = server.replies(way)
        assert before == to("visitor", HELLO, BYE)
        self.not_stored(failed)

    @pytest.mark.usefixtures("unreadable")
    def test_nothing_is_answered_without_the_conversation(self, server, way):
        (failed,) = server.replies(way)
        self.not_stored(failed)

    @pytest.mark.usefixtures("unreadable")
    def test_only_what_is_urgent_is_answered_without_the_conversation(self, server, agent, way):
        agent.replies = [HELLO, URGENT, RELIEVED, SOON, {"text": "x", "custom": {"urgency": "no such level"}}, BYE]
        *before, failed = server.replies(way)
        assert before == to("visitor", URGENT, SOON)
        self.not_stored(failed)

    @pytest.mark.usefixtures("unreadable")
    def test_all_is_answered_when_it_is_back(self, server, store, site, said, way):
        server.replies(way)
        with store.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE events RENAME COLUMN name TO sender_id")
        site.posted.clear()
        assert server.replies(way, message="after") == to("visitor", HELLO, BYE)
        assert said(f"{'callback' if way == 'callback' else 'rest'}:visitor") == ["after"]


class TestCallback:
    def check(self, server, said, caplog):
        """The turn was as any other."""
        answer = server.say("callback")
        assert (answer.status, answer.body) == (200, b"success")
        assert said("callback:visitor") == ["my back hurts"]
        errors = [record.message for record in caplog.records if record.levelname == "ERROR"]
        assert len(errors) == 2 and all(error.startswith("A reply could not be posted: ") for error in errors)

    def test_a_site_that_is_down_does_not_break_the_turn(self, server, run, site, said, caplog):
        run(site.stop())
        self.check(server, said, caplog)
        assert site.posted == []

    def test_a_site_that_never_answers_does_not_break_the_turn(self, server, run, site, said, caplog, monkeypatch):
        monkeypatch.setattr(endpoints, "DEFAULT_REQUEST_TIMEOUT", 0.2)
        run(site.fall_silent())
        self.check(server, said, caplog)

    @pytest.mark.parametrize("status", [400, 404, 500, 503])
    def test_a_site_that_refuses_does_not_break_the_turn(self, server, site, said, caplog, status):
        site.answer = {"status": status, "text": "no"}
        self.check(server, said, caplog)
        assert site.posted == to("visitor", HELLO, BYE)

    @pytest.mark.parametrize(
        "answer",
        [
            {"body": b""},
            {"text": "ok"},
            {"text": "{}", "content_type": "application/json"},
            {"text": "ok", "content_type": "application/json"},
            {"body": b"\xff", "content_type": "application/json"},
        ],
        ids=str,
    )
    def test_whatever_the_site_answers_the_turn_goes_on(self, server, site, said, answer):
        site.answer = answer
        assert server.say("callback").status == 200
        assert said("callback:visitor") == ["my back hurts"]
        assert site.posted == to("visitor", HELLO, BYE)

    def test_what_the_bot_writes_by_itself_is_posted_too(self, server, run, site):
        output = server.channels[1].get_output_channel()
        run(output.send_response("callback:visitor", dict(HELLO)))
        assert site.posted == to("visitor", HELLO)

    def test_a_site_gets_what_its_settings_say_of_requests(self, run, site):
        channel = CallbackInput.from_credentials({"url": site.url, "headers": {"X-Key": "k"}, "max_characters": 5})
        run(channel.get_output_channel().send_response("callback:visitor", dict(BYE)))
        assert (site.posted, site.headers[0]["X-Key"]) == (to("visitor", BYE), "k")


class TestSettings:
    @pytest.mark.parametrize("channel", [RestInput, CallbackInput])
    @pytest.mark.parametrize(
        "setting, value, words",
        [
            ("session_rate", "often", '"30/minute"'),
            ("address_rate", "0/minute", '"30/minute"'),
            ("max_body_bytes", 0, "above 0"),
            ("max_characters", 1.5, "whole number"),
            ("rate_storage", "nowhere://", "memory://"),
        ],
    )
    def test_a_bad_one_is_named_in_plain_words(self, channel, setting, value, words):
        with pytest.raises(SettingsError) as error:
            channel.from_credentials(
                {"url": "http://127.0.0.1:9", setting: value} if channel is CallbackInput else {setting: value}
            )
        assert setting in str(error.value) and words in str(error.value)

    def test_an_unknown_one_is_named(self):
        with pytest.raises(SettingsError, match=r"max_charcters.*max_characters"):
            RestInput.from_credentials({"max_charcters": 5})

    def test_none_are_needed_for_rest(self):
        RestInput.from_credentials(None)
