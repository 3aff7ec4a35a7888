"""The web channel: a conversation belongs to whoever holds its signed token, and the bot can write first.

POST /chat/api/session                  a token for a new conversation, with its time of expiry
POST /chat/api/messages {"message"}     the replies, one JSON object a line
GET  /chat/api/events                   what the bot writes by itself, one JSON object a line, for up to `listen_seconds`

The last two want the token in `Authorization: Bearer ...`; a wrong, expired or missing one gets 401. The sender id comes from the token
alone. Tokens are signed with BACKTALK_SESSION_KEY; without it, with a random key that ends with the process.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import time
from collections import defaultdict, deque
from contextlib import contextmanager
from typing import Any, Awaitable, Callable, Coroutine, Deque, Dict, Iterator, List, Optional, Text

import jwt
from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from backtalk.channels.messages import SORRY, BadRequest, read_body, read_text, whole

logger = logging.getLogger(__name__)

KEY_VARIABLE = "BACKTALK_SESSION_KEY"
CONTENT_TYPE = "application/x-ndjson"
ALGORITHM = "HS256"
# What nobody listens to is kept for so many messages of a conversation, and so many conversations.
_MOST_KEPT, _MOST_CONVERSATIONS = 20, 1000


class Tokens:
    """Signed tokens with a random subject and a time of expiry."""

    def __init__(self, key: Text, seconds: int) -> None:
        """`seconds`: how long a token holds."""
        self._key, self._seconds = key, seconds

    def issue(self) -> Dict[Text, Any]:
        """A token for a new conversation, and when it expires, in seconds of the epoch."""
        expires = int(time.time()) + self._seconds
        return {"token": jwt.encode({"sub": secrets.token_hex(16), "exp": expires}, self._key, ALGORITHM), "expires": expires}

    def subject(self, request: Request) -> Text:
        """The conversation that a request's token is for. Raises BadRequest."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            if kind.lower() != "bearer":
                raise jwt.InvalidTokenError
            return str(jwt.decode(token, self._key, [ALGORITHM], options={"require": ["sub", "exp"]})["sub"])
        except jwt.InvalidTokenError:
            raise BadRequest(401, "no_session", "This chat has ended. Please start a new one.") from None


class WebOutput(OutputChannel):
    """What the ways to a web page share."""

    @classmethod
    def name(cls) -> Text:
        """The channel's name."""
        return "web"

    async def send_text_message(self, recipient_id: Text, text: Text, **kwargs: Any) -> None:
        """Takes a plain text."""
        await self.send_response(recipient_id, {"text": text})


class Conversations(WebOutput):
    """Brings what the bot writes by itself to those who listen to a conversation, and keeps it where nobody does."""

    def __init__(self) -> None:
        self._listening: Dict[Text, List[asyncio.Queue]] = defaultdict(list)
        self._kept: Dict[Text, Deque[Dict[Text, Any]]] = {}

    async def send_response(self, recipient_id: Text, message: Dict[Text, Any]) -> None:
        """Takes one message of the bot, whole."""
        parts = whole(message)
        if not parts:
            return
        for queue in self._listening.get(recipient_id, ()):
            await queue.put(parts)
        if recipient_id not in self._listening:
            self.keep(recipient_id, parts)

    @contextmanager
    def listening(self, conversation: Text) -> Iterator[asyncio.Queue]:
        """The queue for what the bot writes by itself, with what it wrote while nobody listened."""
        queue: asyncio.Queue = asyncio.Queue()
        for parts in self._kept.pop(conversation, ()):
            queue.put_nowait(parts)
        self._listening[conversation].append(queue)
        try:
            yield queue
        finally:
            self._listening[conversation].remove(queue)
            if not self._listening[conversation]:
                del self._listening[conversation]
            # Whoever listened is gone: what was not sent is kept for the next.
            while not queue.empty():
                self.keep(conversation, queue.get_nowait())

    def keep(self, conversation: Text, parts: Dict[Text, Any]) -> None:
        """Keeps a message for whoever listens next."""
        self._kept.setdefault(conversation, deque(maxlen=_MOST_KEPT)).append(parts)
        while len(self._kept) > _MOST_CONVERSATIONS:
            del self._kept[next(iter(self._kept))]


class Reply(WebOutput):
    """The replies to one message; what comes when it is over, such as a reminder that was set then, is written by the bot itself."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations
        self.queue: asyncio.Queue = asyncio.Queue()
        self.is_over = False

    async def send_response(self, recipient_id: Text, message: Dict[Text, Any]) -> None:
        """Takes one message of the bot, whole."""
        if self.is_over:
            await self._conversations.send_response(recipient_id, message)
        elif parts := whole(message):
            await self.queue.put(parts)


class WebInput(InputChannel):
    """The web channel. `max_body_bytes`: the largest request that is read; `session_seconds`: how long a token holds;
    `listen_seconds`: how long one request for events stays open."""

    @classmethod
    def name(cls) -> Text:
        """The channel's name."""
        return "web"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[Text, Any]]) -> WebInput:
        """Created from credentials.yml."""
        return cls(**(credentials or {}))

    def __init__(self, max_body_bytes: int = 16384, session_seconds: int = 30 * 86400, listen_seconds: float = 50) -> None:
        key = os.environ.get(KEY_VARIABLE)
        if not key:
            logger.warning("%s is not set: chats on the web end when the server does.", KEY_VARIABLE)
        self._tokens = Tokens(key or secrets.token_hex(32), session_seconds)
        self._conversations = Conversations()
        self._max_body_bytes, self._listen_seconds = max_body_bytes, listen_seconds

    def url_prefix(self) -> Text:
        """Mounts the channel beside the page."""
        return "/chat/api"

    def get_output_channel(self) -> Conversations:
        """The channel through which the bot writes by itself."""
        return self._conversations

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The routes of the channel."""
        web = Blueprint("web", __name__)

        @web.route("/session", methods=["POST"])
        async def session(_: Request) -> HTTPResponse:
            return response.json(self._tokens.issue())

        @web.route("/messages", methods=["POST"])
        async def messages(request: Request) -> Optional[HTTPResponse]:
            try:
                sender = self._tokens.subject(request)
                body = read_body(request, self._max_body_bytes)
                text = read_text(body)
            except BadRequest as error:
                return error.response()
            locale = {"locale": body["locale"]} if isinstance(body.get("locale"), str) else {}
            reply = Reply(self._conversations)
            message = UserMessage(text, reply, sender, input_channel=self.name(), metadata=locale)
            await self._reply(request, sender, reply, on_new_message(message))
            return None

        @web.route("/events", methods=["GET"])
        async def events(request: Request) -> Optional[HTTPResponse]:
            try:
                sender = self._tokens.subject(request)
            except BadRequest as error:
                return error.response()
            await self._listen(request, sender)
            return None

        return web

    async def _reply(self, request: Request, sender: Text, reply: Reply, handle: Coroutine[Any, Any, Any]) -> None:
        """Streams the replies to a message; the stream ends whatever happens, and what nobody reads any more is kept."""
        stream = await request.respond(content_type=CONTENT_TYPE)
        handling = asyncio.create_task(handle)
        handling.add_done_callback(_log_failure)
        handling.add_done_callback(lambda _: reply.queue.put_nowait(None))
        parts: Optional[Dict[Text, Any]] = None
        replied = False
        try:
            while (parts := await reply.queue.get()) is not None:
                await stream.send(_line(parts))
                replied, parts = True, None
            if handling.exception() or not replied:
                await stream.send(_line({"error": "failed", "text": SORRY}))
        finally:
            reply.is_over = True
            for unread in (parts, *_drained(reply.queue)):
                if unread:
                    self._conversations.keep(sender, unread)
        await stream.eof()

    async def _listen(self, request: Request, sender: Text) -> None:
        """Streams what the bot writes by itself, until the time is over or nobody reads any more."""
        stream = await request.respond(content_type=CONTENT_TYPE)
        ends = time.monotonic() + self._listen_seconds
        with self._conversations.listening(sender) as queue:
            while (left := ends - time.monotonic()) > 0:
                try:
                    parts = await asyncio.wait_for(queue.get(), left)
                except asyncio.TimeoutError:
                    break
                try:
                    await stream.send(_line(parts))
                except BaseException:
                    queue.put_nowait(parts)
                    raise
        await stream.eof()


def _log_failure(handling: asyncio.Task) -> None:
    if not handling.cancelled() and handling.exception():
        logger.error("A message could not be handled", exc_info=handling.exception())


def _drained(queue: asyncio.Queue) -> Iterator[Optional[Dict[Text, Any]]]:
    while not queue.empty():
        yield queue.get_nowait()


def _line(value: Dict[Text, Any]) -> Text:
    return json.dumps(value, ensure_ascii=False) + "\n"
