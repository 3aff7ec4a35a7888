"""What the channels for programs share: a program that speaks for its visitors names each of them as it likes.

Such a channel answers this machine only. Where the bot listens on another address, and wherever BACKTALK_REST_SECRET
is set, callers must send that as `Authorization: Bearer ...`. The body is {"sender": "...", "message": "..."};
`metadata` may hold {"locale": "en-GB"}, and nothing else in it is read. Refusals are {"error": code, "message":
words}: 400, 401, 413 or 429.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import os
from asyncio import Task, create_task, shield
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from sanic.request import Request

from backtalk.channels import settings
from backtalk.channels.limits import Limits, address
from backtalk.channels.messages import (
    LOCALE,
    BadRequest,
    conversation_id,
    failure,
    read_body,
    read_sender,
    read_text,
    sender_of,
)
from backtalk.engine.tracker_store import StoreUnavailable

logger = logging.getLogger(__name__)

SECRET_VARIABLE = "BACKTALK_REST_SECRET"
# What proxies say of the request that they hand on.
_HANDED_ON = {"forwarded", "x-forwarded-for", "x-real-ip", "via"}

OnNewMessage = Callable[[UserMessage], Coroutine[Any, Any, Any]]
# Turns that are on their way: asyncio itself holds a task only weakly.
_TURNS: set[Task[Any]] = set()


class ProgramInput(InputChannel):
    """A channel for programs, with what it checks of a request."""

    def __init__(
        self,
        max_body_bytes: int = 65536,
        max_characters: int = 20000,
        session_rate: str = "30/minute",
        address_rate: str = "120/minute",
        rate_storage: str = "memory://",
    ) -> None:
        """Limits: `max_body_bytes` of a request, `max_characters` of a message, which is as much as is screened.

        A long text is not answered, but whoever tells of a danger in it is told.

        Rates: `session_rate` of messages of a sender, `address_rate` of messages from an address other than this
        machine, counted in `rate_storage`, an address as the `limits` library has them. Raises SettingsError.
        """
        self._max_body_bytes = int(settings.positive("max_body_bytes", max_body_bytes, whole=True))
        self._max_characters = int(settings.positive("max_characters", max_characters, whole=True))
        self._session_rate = settings.rates("session_rate", session_rate)
        self._address_rate = settings.rates("address_rate", address_rate)
        self._limits = Limits(settings.storage("rate_storage", rate_storage))
        self._secret = os.environ.get(SECRET_VARIABLE, "")

    async def read(self, request: Request) -> UserMessage:
        """The message of a request, without a channel for its replies yet. Raises BadRequest."""
        is_near = _is_of_this_machine(request)
        if not is_near:
            await self._limits.count(self._address_rate, self.name(), "from", address(request))
        self._check_caller(request, is_near)
        body = read_body(request, self._max_body_bytes)
        conversation = conversation_id(self.name(), read_sender(body))
        text = read_text(body, self._max_characters)
        metadata = body.get("metadata")
        if metadata is not None and not isinstance(metadata, dict):
            raise BadRequest(400, "bad_metadata", "The field metadata must be an object.")
        await self._limits.count(self._session_rate, self.name(), "in", conversation)
        return UserMessage(text, None, conversation, input_channel=self.name(), metadata=_kept(metadata))

    def _check_caller(self, request: Request, is_near: bool) -> None:
        """Raises BadRequest for a caller who must know the secret and does not."""
        if not self._secret and is_near and is_this_machine(getattr(request.app.ctx, "interface", "127.0.0.1")):
            # Programs name no origin; a page that was opened on this machine does.
            origin = request.headers.get("origin")
            if origin is not None and origin not in getattr(request.app.ctx, "origins", ()):
                raise BadRequest(403, "origin_not_allowed", "Pages of this site may not write here.")
            return
        kind, _, told = request.headers.get("authorization", "").partition(" ")
        is_right = hmac.compare_digest(told.strip().encode(errors="replace"), self._secret.encode())
        if not (self._secret and kind.lower() == "bearer" and is_right):
            raise BadRequest(401, "not_allowed", f"This needs the secret of {SECRET_VARIABLE} as a bearer token.")


async def handled(on_new_message: OnNewMessage, message: UserMessage, output: OutputChannel) -> Exception | None:
    """Has a message handled, its replies going to a channel.

    What went wrong, where anything did, is logged and returned.
    """
    message.output_channel = output
    turn = create_task(on_new_message(message))
    _TURNS.add(turn)
    turn.add_done_callback(_TURNS.discard)
    try:
        # A caller who hangs up does not end the turn: what was said is kept.
        await shield(turn)
    except Exception as error:
        # Of a store that is away, the log tells already.
        logger.error("A message could not be handled", exc_info=None if isinstance(error, StoreUnavailable) else error)
        return error
    return None


def failed_reply(error: Exception | None, message: UserMessage) -> dict[str, Any]:
    """The reply that says so when a message could not be handled, or got no answer."""
    code, words = failure(error, message.metadata)
    return {"recipient_id": sender_of(message.sender_id), "text": words, "custom": {"type": "failure", "error": code}}


def is_this_machine(place: str) -> bool:
    """Whether an address, or a name that a server listens on, is one of the machine itself."""
    try:
        return ipaddress.ip_address(place).is_loopback
    except ValueError:
        return place == "localhost"


def _is_of_this_machine(request: Request) -> bool:
    """Whether a request was made on the machine itself, and not handed on by a proxy there."""
    is_handed_on = bool(_HANDED_ON & {name.lower() for name in request.headers})
    return not is_handed_on and is_this_machine((request.remote_addr or request.ip or "").strip("[]"))


def _kept(metadata: Mapping[str, Any] | None) -> dict[str, str]:
    """What a caller may say of a message: where the visitor is."""
    locale = (metadata or {}).get("locale")
    return {"locale": locale} if isinstance(locale, str) and LOCALE.fullmatch(locale) else {}
