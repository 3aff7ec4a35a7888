"""What the channels share.

That is reading a request, naming a conversation, replies that stay whole, and what is said when one fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rasa.core.channels.channel import OutputChannel
from sanic import response
from sanic.request import Request
from sanic.response import HTTPResponse

from backtalk.channels.hygiene import clean
from backtalk.engine.tracker_store import StoreUnavailable, is_unread
from backtalk.knowledge import load_knowledge
from backtalk.wording import fill, is_telephone_number

# A conversation is named <channel>:<id>, in a column of 255.
MAX_SENDER_CHARACTERS = 240
_SEPARATOR = ":"
LOCALE = re.compile(r"[A-Za-z0-9_-]{2,35}")
# Ends every refusal: what was refused may have told of a danger.
EMERGENCY = "In an emergency, do not wait: call your emergency number."
TOO_LARGE = f"This message is too long. Please send a shorter one. {EMERGENCY}"
_FAILURES = {
    "failed": "Sorry, something went wrong on my side. Please send that again. "
    "In an emergency, call {emergency_number}.",
    "not_stored": "Sorry, I could not save what you wrote, so I will not remember it. "
    "Please send it again in a minute. "
    "In an emergency, do not wait for me: call {emergency_number}.",
}


class BadRequest(ValueError):
    """A request that cannot be answered.

    It holds the HTTP status, a code for programs, words for people, and headers where it needs any.
    """

    headers: dict[str, str] | None = None

    def __init__(self, status: int, code: str, words: str):
        super().__init__(words)
        self.status, self.code = status, code

    def response(self) -> HTTPResponse:
        """The answer to such a request."""
        return response.json({"error": self.code, "message": str(self)}, status=self.status, headers=self.headers)


def conversation_id(channel: str, sender: str) -> str:
    """The name of a conversation, which no other channel can give to one of its own."""
    return f"{channel}{_SEPARATOR}{sender}"


def sender_of(conversation: str) -> str:
    """Whom a channel knows a conversation by."""
    return conversation.partition(_SEPARATOR)[2]


def failure(error: BaseException | None, metadata: Mapping[str, Any] | None = None) -> tuple[str, str]:
    """A code for programs, and words for a visitor, when a message could not be handled.

    `metadata`: as that of the message.
    """
    code = "not_stored" if isinstance(error, StoreUnavailable) else "failed"
    told = metadata or {}
    locale, number = (
        value if isinstance(value, str) else None for value in (told.get("locale"), told.get("emergency_number"))
    )
    settings = load_knowledge().settings_for(locale, number if number and is_telephone_number(number) else None)
    return code, fill(_FAILURES[code], settings)


def is_held_back(message: Mapping[str, Any]) -> bool:
    """Whether a reply is not to be sent: it was made without knowing the conversation, and tells of nothing urgent."""
    if not is_unread():
        return False
    level = load_knowledge().urgency.get(str((message.get("custom") or {}).get("urgency")))
    # Where relief may be suggested, nothing is urgent.
    return level is None or level.relief


def whole(message: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a reply that there are: text, image, attachment, buttons and custom payload."""
    parts = {
        "text": message.get("text"),
        "image": message.get("image"),
        "attachment": message.get("attachment"),
        "buttons": [*(message.get("quick_replies") or ()), *(message.get("buttons") or ())],
        "custom": message.get("custom"),
    }
    return {name: part for name, part in parts.items() if part}


class WholeReplies(OutputChannel):
    """Keeps text, buttons and payload of one reply together, where Rasa's collector splits them.

    It also names whom the reply is for.
    """

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Collects a bot message as one."""
        if not is_held_back(message):
            await self.give_out({"recipient_id": sender_of(recipient_id), **whole(message)})

    async def give_out(self, reply: dict[str, Any]) -> None:
        """Sends or collects a reply that is whole."""
        raise NotImplementedError


def read_body(request: Request, max_body_bytes: int) -> dict[str, Any]:
    """The JSON object that a request holds. Raises BadRequest."""
    if len(request.body) > max_body_bytes:
        raise BadRequest(413, "too_large", TOO_LARGE)
    try:
        body = request.json
    except Exception:
        raise BadRequest(400, "not_json", "The request body must be JSON.") from None
    if not isinstance(body, dict):
        raise BadRequest(400, "not_an_object", "The request body must be a JSON object.")
    return body


def read_text(body: Mapping[str, Any], max_characters: int) -> str:
    """The cleaned text of a message. Raises BadRequest."""
    text = body.get("message")
    if not isinstance(text, str):
        raise BadRequest(400, "bad_message", "The field message must be a text.")
    if len(text) > max_characters:
        raise BadRequest(
            413,
            "too_long",
            f"This message is too long. Please send one of at most {max_characters} characters. {EMERGENCY}",
        )
    return clean(text)


def read_sender(body: Mapping[str, Any]) -> str:
    """Whom a caller that speaks for its visitors means. Raises BadRequest."""
    sender = body.get("sender")
    if not isinstance(sender, str) or not 0 < len(sender) <= MAX_SENDER_CHARACTERS or not sender.isprintable():
        raise BadRequest(
            400, "bad_sender", f"The field sender must be a text of 1 to {MAX_SENDER_CHARACTERS} printable characters."
        )
    return sender
