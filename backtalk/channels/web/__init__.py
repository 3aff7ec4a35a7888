"""The web channel: a conversation belongs to whoever holds its signed token, and the bot can write first.

POST   /chat/api/session       a token for a new conversation, or with a token a fresh one for the same:
                               {"token", "expires" (epoch s), "keep_days", "max_characters"}
POST   /chat/api/messages      the replies, one JSON object a line; a failure ends them with {"error", "message"}
                               {"message", and where there are any "locale", "id", "emergency_number", "again"}
GET    /chat/api/events        what the bot writes by itself, one JSON object a line, for up to `listen_seconds`
GET    /chat/api/history       {"messages": [...]}: the conversation so far, oldest first
DELETE /chat/api/conversation  204: nothing of the conversation is left

All but the first want the token in `Authorization: Bearer ...`; a wrong, expired or missing one gets 401. The
conversation comes from the token alone. Tokens are signed with BACKTALK_SESSION_KEY; without it, with a random key that
ends with the process.

A message with an `id` can be sent once more with "again": true when its replies did not arrive: where it was handled,
they come from the conversation. What nobody read of the replies to a message without one is kept for /events.

Refusals are {"error": code, "message": words}. Too many requests get 429 and Retry-After in seconds. They are counted
per conversation and per address: behind proxies, set SANIC_PROXIES_COUNT to their number, and Sanic takes the address
from X-Forwarded-For; without it, all visitors behind a proxy count as one. Pages on other sites may call only from
`origins`, or those in BACKTALK_ORIGINS.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import wraps
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse

from backtalk.channels import settings
from backtalk.channels.limits import Limits, address
from backtalk.channels.messages import EMERGENCY, BadRequest, conversation_id, failure
from backtalk.channels.web import conversation
from backtalk.channels.web.incoming import Incoming, read_incoming, receive
from backtalk.channels.web.pages import Pages
from backtalk.channels.web.pushes import Conversations, Reply
from backtalk.channels.web.tokens import KEY_VARIABLE, Tokens, signing_key
from backtalk.engine.tracker_store import StoreUnavailable
from backtalk.knowledge import load_knowledge

__all__ = ["KEY_VARIABLE", "WebInput"]

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/x-ndjson"
# So that proxies hand on each line at once.
STREAM_HEADERS = {"X-Accel-Buffering": "no"}
DAY_SECONDS = 86400
ROUTES = {"session": "POST", "messages": "POST", "events": "GET", "history": "GET", "conversation": "DELETE"}

_NOT_NOW = "not_now", f"I cannot look into this chat just now. Please try again in a minute. {EMERGENCY}"

OnNewMessage = Callable[[UserMessage], Coroutine[Any, Any, Any]]
Handler = Callable[[Request], Coroutine[Any, Any, HTTPResponse | None]]


class WebInput(InputChannel):
    """The web channel."""

    @classmethod
    def name(cls) -> str:
        """The channel's name."""
        return "web"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> WebInput:
        """Created from credentials.yml. Raises SettingsError."""
        return cls(**settings.known(cls, credentials))

    def __init__(
        self,
        max_body_bytes: int = 16384,
        max_characters: int = 2000,
        session_seconds: float | None = None,
        listen_seconds: float = 50,
        session_rate: str = "30/minute",
        address_rate: str = "120/minute",
        new_session_rate: str = "600/hour",
        reading_rate: str = "120/minute",
        rate_storage: str = "memory://",
        origins: Sequence[str] = (),
    ) -> None:
        """Takes limits, rates, and the sites whose pages may call. Raises SettingsError.

        Limits: `max_body_bytes` of a request, `max_characters` of a message, `session_seconds` that a token holds
        (default: as long as conversations are kept), `listen_seconds` that one request for events stays open.

        Rates: `session_rate` of messages in a conversation, `address_rate` of messages from an address,
        `new_session_rate` of new tokens for an address, `reading_rate` of all other requests, in a conversation and
        from an address each. They are counted in `rate_storage`, an address as the `limits` library has them.

        `origins`: sites whose pages may call.
        """
        self._keep_days = load_knowledge().privacy.keep_days
        self._max_body_bytes = int(settings.positive("max_body_bytes", max_body_bytes, whole=True))
        self._max_characters = int(settings.positive("max_characters", max_characters, whole=True))
        self._listen_seconds = settings.positive("listen_seconds", listen_seconds)
        seconds = (
            self._keep_days * DAY_SECONDS
            if session_seconds is None
            else settings.positive("session_seconds", session_seconds)
        )
        self._session_rate = settings.rates("session_rate", session_rate)
        self._address_rate = settings.rates("address_rate", address_rate)
        self._new_session_rate = settings.rates("new_session_rate", new_session_rate)
        self._reading_rate = settings.rates("reading_rate", reading_rate)
        self._limits = Limits(settings.storage("rate_storage", rate_storage))
        self._origins = settings.origins("origins", origins)
        self._tokens = Tokens(signing_key(), seconds)
        self._conversations = Conversations()
        # Messages that are being handled, by conversation and id: whoever asks for one again waits for it.
        self._handling: dict[tuple[str, Any], asyncio.Task[Any]] = {}

    def url_prefix(self) -> str:
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
            return response.json(
                {**self._tokens.issue(subject), "keep_days": self._keep_days, "max_characters": self._max_characters}
            )

        async def messages(request: Request) -> None:
            await self._limits.count(self._address_rate, "messages", "from", address(request))
            sender = self._conversation(request)
            await self._limits.count(self._session_rate, "messages", "in", sender)
            incoming = await read_incoming(request, self._max_body_bytes, self._max_characters)
            if incoming.again and incoming.id:
                try:
                    replies = await self._told_before(request.app.ctx.agent, sender, incoming.id)
                except StoreUnavailable:
                    # Handled once more it tells what is urgent, and nothing is kept twice.
                    replies = None
                if replies:
                    return await _send(request, replies)
            await self._reply(request, sender, incoming, on_new_message)
            return None

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

        handlers = (session, messages, events, history, erase)
        for (path, method), handler in zip(ROUTES.items(), handlers, strict=True):
            # On a streaming route, a handler sees the request before its body, and reads no more of that than it wants.
            web.add_route(_answering(handler), f"/{path}", methods=[method], name=path, stream=True)
        web.listener("before_server_stop")(self._end_listening)
        return web

    def prepare(self, app: Sanic[Any, Any]) -> None:
        """Sets up which pages may call, for the server as a whole."""
        Pages(self.url_prefix(), ROUTES, self._origins).prepare(app)

    async def _end_listening(self, *_: Any) -> None:
        """Lets the server stop without waiting for those who listen."""
        self._conversations.end()

    async def _reader(self, request: Request) -> str:
        """The conversation of a request that sends no message. Raises BadRequest."""
        await self._limits.count(self._reading_rate, "reading", "from", address(request))
        sender = self._conversation(request)
        await self._limits.count(self._reading_rate, "reading", "in", sender)
        return sender

    def _conversation(self, request: Request) -> str:
        """The conversation of a request's token. Raises BadRequest."""
        return conversation_id(self.name(), self._tokens.subject(request))

    async def _told_before(self, agent: Agent, sender: str, message_id: str) -> list[dict[str, Any]] | None:
        """What was answered to a message before; nothing when it was not handled, or left without an answer."""
        while True:
            replies = await conversation.replies_to(agent, sender, message_id)
            handling = self._handling.get((sender, message_id))
            if replies or handling is None:
                return replies
            await asyncio.wait([handling])

    async def _reply(self, request: Request, sender: str, incoming: Incoming, on_new_message: OnNewMessage) -> None:
        """Streams the replies to a message; the stream ends whatever happens, and the message is handled to its end."""
        reply = Reply(self._conversations, can_be_asked_again=bool(incoming.id))
        message = UserMessage(incoming.text, reply, sender, input_channel=self.name(), metadata=dict(incoming.metadata))
        handling = asyncio.create_task(on_new_message(message))
        key = sender, incoming.id or object()
        self._handling[key] = handling

        def end(_: asyncio.Task[Any]) -> None:
            if self._handling.get(key) is handling:
                del self._handling[key]
            _log_failure(handling)
            reply.complete()

        handling.add_done_callback(end)
        parts: dict[str, Any] | None = None
        replied = False
        try:
            stream = await request.respond(content_type=CONTENT_TYPE, headers=STREAM_HEADERS)
            while (parts := await reply.queue.get()) is not None:
                await stream.send(_line(parts))
                replied, parts = True, None
            error = None if handling.cancelled() else handling.exception()
            if error or not replied:
                code, words = failure(error, incoming.metadata)
                await stream.send(_line({"error": code, "message": words}))
        finally:
            reply.leave(sender, parts)
        await stream.eof()

    async def _listen(self, request: Request, sender: str) -> None:
        """Streams what the bot writes by itself, until the time is over or nobody reads any more."""
        stream = await request.respond(content_type=CONTENT_TYPE, headers=STREAM_HEADERS)
        ends = time.monotonic() + self._listen_seconds
        with self._conversations.listening(sender) as queue:
            while (left := ends - time.monotonic()) > 0:
                try:
                    parts = await asyncio.wait_for(queue.get(), left)
                except TimeoutError:
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
    async def handle(request: Request) -> HTTPResponse | None:
        try:
            return await handler(request)
        except BadRequest as error:
            return error.response()
        except Exception as error:
            if request.responded:
                raise
            if isinstance(error, StoreUnavailable):
                return BadRequest(503, *_NOT_NOW).response()
            logger.exception("A request could not be answered")
            return BadRequest(500, *failure(error)).response()

    return handle


async def _send(request: Request, replies: Iterable[dict[str, Any]]) -> None:
    stream = await request.respond(content_type=CONTENT_TYPE, headers=STREAM_HEADERS)
    for parts in replies:
        await stream.send(_line(parts))
    await stream.eof()


def _log_failure(handling: asyncio.Task[Any]) -> None:
    error = None if handling.cancelled() else handling.exception()
    if error:
        # Of a store that is away, the log tells already.
        logger.error("A message could not be handled", exc_info=None if isinstance(error, StoreUnavailable) else error)


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _line(value: dict[str, Any]) -> str:
    return _dumps(value) + "\n"
