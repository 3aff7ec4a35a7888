"""The REST channel: what it hands on, what it refuses, and how replies come back."""

import asyncio
import json
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages import as_sent
from sanic import Sanic

from backtalk.channels.hygiene import clean
from backtalk.channels.messages import MAX_SENDER_CHARACTERS, SORRY
from backtalk.channels.rest import RestInput

LIMIT = 2000
BUTTONS = [{"title": "Yes", "payload": "/affirm"}, {"title": "No", "payload": "/deny"}]


class TestClean:
    @pytest.mark.parametrize(
        "text", ["my back hurts", "7/10", "and/or", "1/2 a day", "deny it", "a\nb", "a\tb", "café 痛い 🙂", "it's 50% {bad}"]
    )
    def test_words_stay_as_they_are(self, text):
        assert clean(text) == text

    @pytest.mark.parametrize(
        "payload",
        [
            "/affirm", "/deny", "/not_sure", "/report_spasm", "/human", "/start_over", "/inform", "/summary", "/recap",
            '/inform{"red_flag":"fever"}', '/inform{"region": "lumbar"}', '/inform{"pain_level": 7}',
        ],
    )
    def test_what_our_buttons_send_stays(self, payload):
        assert clean(payload) == clean(f"  {payload}\n") == payload

    def test_every_payload_of_a_response_stays(self, responses):
        buttons = [button for variants in responses.values() for variant in variants for button in variant.get("buttons", ())]
        payloads = [as_sent(button["payload"]) for button in buttons]
        assert payloads
        assert [clean(payload) for payload in payloads] == payloads

    @pytest.mark.parametrize(
        "text, words",
        [
            ("/restart", "restart"),
            ("/session_start", "session_start"),
            ("/nlu_fallback", "nlu_fallback"),
            ("//affirm", "affirm"),
            ("/ /deny", "deny"),
            ("/EXTERNAL: x", "EXTERNAL: x"),
            ('/faq{"x":1}', 'faq{"x":1}'),
            ('/inform{"red_flag":"fever"} now', 'inform{"red_flag":"fever"} now'),
            ("/my neck hurts", "my neck hurts"),
            ("/inform my neck hurts", "my neck hurts"),
            ("/affirm\n/restart", "restart"),
            ("/", ""),
        ],
    )
    def test_any_other_slash_is_taken_off(self, text, words):
        assert clean(text) == words

    @pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\r", "\ud800", "\udfff"])
    def test_control_characters_and_halves_of_characters_become_spaces(self, character):
        assert clean(f"my{character}back{character}") == "my back"

    @given(st.text())
    def test_is_done_once_and_for_all(self, text):
        assert clean(clean(text)) == clean(text)

    @given(st.text(alphabet="/ \n\t\x00abc{}"))
    def test_nothing_but_our_buttons_begins_with_a_slash(self, text):
        assert not clean(text).startswith("/")


class Bot:
    """Stands behind the channel as Rasa's agent does: takes a message and replies through its output channel."""

    def __init__(self):
        self.heard = []
        self.reply = self.answer

    async def __call__(self, message):
        self.heard.append(message)
        await self.reply(message)

    @staticmethod
    async def answer(message):
        whole = {"text": "Hello.", "buttons": BUTTONS, "custom": {"type": "x"}}
        await message.output_channel.send_response(message.sender_id, whole)
        await message.output_channel.send_response(message.sender_id, {"text": "Bye."})

    @staticmethod
    async def silence(message):
        pass

    @staticmethod
    async def failure(message):
        await message.output_channel.send_response(message.sender_id, {"text": "Hello."})
        raise RuntimeError("broken")


@pytest.fixture(scope="module")
def served():
    """The bot and the address of the channel that is served for it, on a free port."""
    bot, loop = Bot(), asyncio.new_event_loop()
    app = Sanic("channel", configure_logging=False)
    app.blueprint(RestInput.from_credentials({"max_body_bytes": LIMIT}).blueprint(bot), url_prefix="/rest")

    async def start():
        server = await app.create_server("127.0.0.1", 0, return_asyncio_server=True, access_log=False)
        await server.startup()
        await server.start_serving()
        return server

    server = loop.run_until_complete(start())
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield bot, f"http://127.0.0.1:{server.server.sockets[0].getsockname()[1]}/rest"
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    server.server.close()


@pytest.fixture
def bot(served):
    bot, _ = served
    bot.__init__()
    return bot


@pytest.fixture
def post(bot, served):
    """Posts to the channel (or gets, without a body); returns the status and what came back."""

    def ask(body, path="/webhook"):
        body = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = Request(served[1] + path, data=body, headers={"Content-Type": "application/json"})
        try:
            with urlopen(request, timeout=10) as reply:
                return reply.status, reply.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    return ask


def message(**fields):
    return {"sender": "visitor", "message": "my back hurts", **fields}


class TestRequests:
    def test_is_there(self, post):
        assert post(None, "/") == (200, '{"status":"ok"}')

    @pytest.mark.parametrize("sender", ["a", "s" * MAX_SENDER_CHARACTERS, "ünï 🙂"], ids=["short", "longest", "unusual"])
    def test_a_good_one_reaches_the_bot(self, post, bot, sender):
        status, _ = post(message(sender=sender, metadata={"page": "home"}))
        assert status == 200
        (heard,) = bot.heard
        assert (heard.sender_id, heard.text, heard.input_channel) == (sender, "my back hurts", "rest")
        assert heard.metadata["page"] == "home"

    @pytest.mark.parametrize("text, heard_as", [("/restart", "restart"), (" hi\x00 ", "hi"), ("/affirm", "/affirm"), ("", "")])
    def test_the_text_is_cleaned(self, post, bot, text, heard_as):
        assert post(message(message=text))[0] == 200
        assert [heard.text for heard in bot.heard] == [heard_as]

    @pytest.mark.parametrize(
        "body, status, code",
        [
            (b"", 400, None),
            (b"{", 400, "not_json"),
            (b"\xff\xfe", 400, "not_json"),
            pytest.param(b"[" * 1500, 400, "not_json", id="deeply nested"),
            ([], 400, "not_an_object"),
            ("hello", 400, "not_an_object"),
            ({"message": "hi"}, 400, "bad_sender"),
            (message(sender=""), 400, "bad_sender"),
            (message(sender=7), 400, "bad_sender"),
            pytest.param(message(sender="s" * (MAX_SENDER_CHARACTERS + 1)), 400, "bad_sender", id="long sender"),
            ({"sender": "visitor"}, 400, "bad_message"),
            (message(message=None), 400, "bad_message"),
            (message(message=["hi"]), 400, "bad_message"),
            (message(metadata="home"), 400, "bad_metadata"),
            (message(message="x" * LIMIT), 413, "too_large"),
        ],
    )
    @pytest.mark.parametrize("path", ["/webhook", "/webhook?stream=true"])
    def test_a_bad_one_is_refused_before_the_bot_hears_it(self, post, bot, body, status, code, path):
        got, reply = post(body, path)
        reply = json.loads(reply)
        assert (got, bot.heard) == (status, [])
        assert set(reply) == {"error", "message"}
        assert code in (None, reply["error"])

    def test_the_limit_counts_bytes(self, post, bot):
        empty = len(json.dumps(message(message="")))
        assert post(message(message="x" * (LIMIT - empty)))[0] == 200
        assert post(message(message="x" * (LIMIT - empty + 1)))[0] == 413


class TestReplies:
    WHOLE = {"recipient_id": "visitor", "text": "Hello.", "buttons": BUTTONS, "custom": {"type": "x"}}

    def test_come_whole_and_in_order(self, post):
        assert json.loads(post(message())[1]) == [self.WHOLE, {"recipient_id": "visitor", "text": "Bye."}]

    def test_come_one_by_one_when_streamed(self, post):
        _, reply = post(message(), "/webhook?stream=true")
        decoder, replies, rest = json.JSONDecoder(), [], reply.strip()
        while rest:
            found, end = decoder.raw_decode(rest)
            replies.append(found)
            rest = rest[end:].lstrip()
        assert replies == [self.WHOLE, {"recipient_id": "visitor", "text": "Bye."}]

    @pytest.mark.parametrize("reply", [Bot.silence, Bot.failure])
    def test_there_is_always_one(self, post, bot, reply):
        bot.reply = reply
        status, replies = post(message())
        assert status == 200
        assert json.loads(replies)[-1] == {"recipient_id": "visitor", "text": SORRY}

    @pytest.mark.parametrize("reply", [Bot.silence, Bot.failure])
    def test_there_is_always_one_when_streamed(self, post, bot, reply):
        bot.reply = reply
        status, replies = post(message(), "/webhook?stream=true")
        assert status == 200
        assert SORRY in replies

    def test_what_was_said_before_a_failure_is_not_lost(self, post, bot):
        bot.reply = Bot.failure
        assert "Hello." in post(message())[1]
