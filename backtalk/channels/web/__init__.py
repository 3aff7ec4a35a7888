"""The web channel: a conversation belongs to whoever holds its signed token, and the bot can write first.

POST   /chat/api/session       a token for a new conversation, or with a token a fresh one for the same: {"token", "expires" (epoch s), "keep_days", "max_characters"}
POST   /chat/api/messages      the replies, one JSON object a line; a failure ends them with {"error": "failed", "message"}
                               {"message", and where there are any "locale", "id", "emergency_number", "again"}
GET    /chat/api/events        what the bot writes by itself, one JSON object a line, for up to `listen_seconds`
GET    /chat/api/history       {"messages": [...]}: the conversation so far, oldest first
DELETE /chat/api/conversation  204: nothing of the conversation is left

All but the first want the token in `Authorization: Bearer ...`; a wrong, expired or missing one gets 401. The sender id comes from the token
alone. Tokens are signed with BACKTALK_SESSION_KEY; without it, with a random key that ends with the process.

A message with an `id` can be sent once more with "again": true when its replies did not arrive: where it was handled, they come from the
conversation. What nobody read of the replies to a message without one is kept for /events.

Refusals are {"error": code, "message": words}. Too many requests get 429 and Retry-After in seconds. They are counted per conversation and
per address: behind proxies, set SANIC_PROXIES_COUNT to their number, and Sanic takes the address from X-Forwarded-For; without it, all
visitors behind a proxy count as one. Pages on other sites may call only from `origins`, or those in BACKTALK_ORIGINS.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import time
from functools import wraps
from typing import Any, Awaitable, Callable, Dict, Iterable, List, Optional, Sequence, Text, Tuple

from rasa.core.agent import Agent
from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from backtalk.channels.messages import SORRY, BadRequest
from backtalk.channels.web import conversation, settings
from backtalk.channels.web.incoming import Incoming, read_incoming, receive
from backtalk.channels.web.limits import Limits, address
from backtalk.channels.web.pages import Pages
from backtalk.channels.web.pushes import Conversations, Reply
from backtalk.channels.web.tokens import KEY_VARIABLE, Tokens, signing_key
from backtalk.knowledge import load_knowledge

__all__ = ["KEY_VARIABLE", "WebInput"]

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/x-ndjson"
# So that proxies hand on each line at once.
STREAM_HEADERS = {"X-Accel-Buffering": "no"}
DAY_SECONDS = 86400

OnNewMessage = Callable[[UserMessage], Awaitable[Any]]
Handler = Callable[[Request], Awaitable[Optional[HTTPResponse]]]


class WebInput(InputChannel):
    """The web channel."""

    @classmethod
    def name(cls) -> Text:
        """The channel's name."""
        return "web"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[Text, Any]]) -> WebInput:
        """Created from credentials.yml. Raises SettingsError."""
        known = list(inspect.signature(cls).parameters)
        for name in credentials or {}:
            if name not in known:
                raise settings.SettingsError(f"credentials.yml: the web channel has no setting {name!r}, only {', '.join(known)}.")
        return cls(**(credentials or {}))

    def __init__(
        self, max_body_bytes: int = 16384, max_characters: int = 2000, session_seconds: Optional[float] = None, listen_seconds: float = 50,
        session_rate: Text = "30/minute", address_rate: Text = "120/minute", new_session_rate: Text = "600/hour",
        reading_rate: Text = "120/minute", rate_storage: Text = "memory://", origins: Sequence[Text] = (),
    ) -> None:
        """Limits: `max_body_bytes` of a request, `max_characters` of a message, `session_seconds` that a token holds (default: as long as
        conversations are kept), `listen_seconds` that one request for events stays open.

        Rates: `session_rate` of messages in a conversation, `address_rate` of messages from an address, `new_session_rate` of new
        tokens for an address, `reading_rate` of all other requests, in a conversation and from an address each. They are counted in
        `rate_storage`, an address as the `limits` library has them. `origins`: sites whose pages may call. Raises SettingsError.
        """
        self._keep_days = load_knowledge().privacy.keep_days
        self._max_body_bytes = int(settings.positive("max_body_bytes", max_body_bytes, whole=True))
        self._max_characters = int(settings.positive("max_characters", max_characters, whole=True))
        self._listen_seconds = settings.positive("listen_seconds", listen_seconds)
        seconds = self._keep_days * DAY_SECONDS if session_seconds is None else settings.positive("session_seconds", session_seconds)
        self._session_rate = settings.rates("session_rate", session_rate)
        self._address_rate = settings.rates("address_rate", address_rate)
        self._new_session_rate = settings.rates("new_session_rate", new_session_rate)
        self._reading_rate = settings.rates("reading_rate", reading_rate)
        self._limits = Limits(settings.storage("rate_storage", rate_storage))
        self._origins = settings.origins("origins", origins)
        self._tokens = Tokens(signing_key(), seconds)
        self._conversations = Conversations()
        # Messages that are being handled, by conversation and id: whoever asks for one again waits for it.
        self._handling: Dict[Tuple[Text, Any], asyncio.Task] = {}

    def url_prefix(self) -> Text:
        """Mounts the channel beside the page."""
        return "/chat/api"

    def get_output_channel(self) -> Conversations:
        """The channel through which the bot writes by itself."""
        return self._conversations

    def blueprint(self, on_new_message: OnNewMessage) -> Blueprint:
        """The routes of the channel."""
        web = Blueprint("web", __name__)

        async def session(request: Request) -> HTTPResponse:
            await self._limits.count(self._new_session_rate, "new", address(request))
            await receive(request, self._max_body_bytes)
            # Who comes with a good token gets a fresh one for the same conversation.
            subject = self._tokens.subject(request) if "authorization" in request.headers else None
            return response.json({**self._tokens.issue(subject), "keep_days": self._keep_days, "max_characters": self._max_characters})

        async def messages(request: Request) -> None:
            await self._limits.count(self._address_rate, "messages", "from", address(request))
            sender = self._tokens.subject(request)
            await self._limits.count(self._session_rate, "messages", "in", sender)
            incoming = await read_incoming(request, self._max_body_bytes, self._max_characters)
            if incoming.again and incoming.id:
                replies = await self._told_before(request.app.ctx.agent, sender, incoming.id)
                if replies:
                    return await _send(request, replies)
            await self._reply(request, sender, incoming, on_new_message)

        async def events(request: Request) -> None:
            await self._listen(request, await self._reader(request))

        async def history(request: Request) -> HTTPResponse:
            sender = await self._reader(request)
            told = await conversation.read_history(request.app.ctx.agent, sender, self._conversations)
            return response.json({"messages": told}, dumps=_dumps)

        async def erase(request: Request) -> HTTPResponse:
            sender = await self._reader(request)
            await conversation.erase(request.app.ctx.agent, sender, self._conversations)
            return response.empty()

        routes = {
            "session": ("POST", session), "messages": ("POST", messages), "events": ("GET", events), "history": ("GET", history),
            "conversation": ("DELETE", erase),
        }
        for path, (method, handler) in routes.items():
            # On a streaming route, a handler sees the request before its body, and reads no more of that than it wants.
            web.add_route(_answering(handler), f"/{path}", methods=[method], name=path, stream=True)
        web.listener("before_server_stop")(self._end_listening)
        web.listener("before_server_start")(Pages(self.url_prefix(), routes, self._origins).take_their_place)
        return web

    async def _end_listening(self, *_: Any) -> None:
        """Lets the server stop without waiting for those who listen."""
        self._conversations.end()

    async def _reader(self, request: Request) -> Text:
        """The conversation of a request that sends no message. Raises BadRequest."""
        await self._limits.count(self._reading_rate, "reading", "from", address(request))
        sender = self._tokens.subject(request)
        await self._limits.count(self._reading_rate, "reading", "in", sender)
        return sender

    async def _told_before(self, agent: Agent, sender: Text, message_id: Text) -> Optional[List[Dict[Text, Any]]]:
        """What was answered to a message before; nothing when it was not handled, or left without an answer."""
        while True:
            replies = await conversation.replies_to(agent, sender, message_id)
            handling = self._handling.get((sender, message_id))
            if replies or handling is None:
                return replies
            await asyncio.wait([handling])

    async def _reply(self, request: Request, sender: Text, incoming: Incoming, on_new_message: OnNewMessage) -> None:
        """Streams the replies to a message; the stream ends whatever happens, and the message is handled to its end."""
        reply = Reply(self._conversations, can_be_asked_again=bool(incoming.id))
        message = UserMessage(incoming.text, reply, sender, input_channel=self.name(), metadata=dict(incoming.metadata))
        handling = asyncio.create_task(on_new_message(message))
        key = sender, incoming.id or object()
        self._handling[key] = handling

        def end(_: asyncio.Task) -> None:
            if self._handling.get(key) is handling:
                del self._handling[key]
            _log_failure(handling)
            reply.complete()

        handling.add_done_callback(end)
        parts: Optional[Dict[Text, Any]] = None
        replied = False
        try:
            stream = await request.respond(content_type=CONTENT_TYPE, headers=STREAM_HEADERS)
            while (parts := await reply.queue.get()) is not None:
                await stream.send(_line(parts))
                replied, parts = True, None
            if handling.cancelled() or handling.exception() or not replied:
                await stream.send(_line({"error": "failed", "message": SORRY}))
        finally:
            reply.leave(sender, parts)
        await stream.eof()

    async def _listen(self, request: Request, sender: Text) -> None:
        """Streams what the bot writes by itself, until the time is over or nobody reads any more."""
        stream = await request.respond(content_type=CONTENT_TYPE, headers=STREAM_HEADERS)
        ends = time.monotonic() + self._listen_seconds
        with self._conversations.listening(sender) as queue:
            while (left := ends - time.monotonic()) > 0:
                try:
                    parts = await asyncio.wait_for(queue.get(), left)
                except asyncio.TimeoutError:
                    break
                if parts is None:
                    break
                try:
                    await stream.send(_line(parts))
                except BaseException:
                    queue.put_nowait(parts)
                    raise
        await stream.eof()


def _answering(handler: Handler) -> Handler:
    """The handler with every failure as an answer in JSON, where nothing was answered yet."""

    @wraps(handler)
    async def handle(request: Request) -> Optional[HTTPResponse]:
        try:
            return await handler(request)
        except BadRequest as error:
            return error.response()
        except Exception:
            if request.responded:
                raise
            logger.exception("A request could not be answered")
            return BadRequest(500, "failed", SORRY).response()

    return handle


async def _send(request: Request, replies: Iterable[Dict[Text, Any]]) -> None:
    stream = await request.respond(content_type=CONTENT_TYPE, headers=STREAM_HEADERS)
    for parts in replies:
        await stream.send(_line(parts))
    await stream.eof()


def _log_failure(handling: asyncio.Task) -> None:
    if not handling.cancelled() and handling.exception():
        logger.error("A message could not be handled", exc_info=handling.exception())


def _dumps(value: Any) -> Text:
    return json.dumps(value, ensure_ascii=False)


def _line(value: Dict[Text, Any]) -> Text:
    return _dumps(value) + "\n"
