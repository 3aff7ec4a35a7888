"""What the channels share: reading a request, and replies that stay whole."""

from __future__ import annotations

from typing import Any, Dict, Optional, Text, Tuple

from sanic import response
from sanic.request import Request
from sanic.response import HTTPResponse

from backtalk.channels.hygiene import clean

MAX_SENDER_CHARACTERS = 255
SORRY = "Sorry, something went wrong on my side. Please send that again. In an emergency, call your emergency number."


class BadRequest(ValueError):
    """A request that cannot be answered: its HTTP status, a code for programs, words for people, and headers where it needs any."""

    headers: Optional[Dict[Text, Text]] = None

    def __init__(self, status: int, code: Text, words: Text):
        super().__init__(words)
        self.status, self.code = status, code

    def response(self) -> HTTPResponse:
        """The answer to such a request."""
        return response.json({"error": self.code, "message": str(self)}, status=self.status, headers=self.headers)


def whole(message: Dict[Text, Any]) -> Dict[Text, Any]:
    """The parts of a reply that there are: text, image, attachment, buttons and custom payload."""
    parts = {
        "text": message.get("text"),
        "image": message.get("image"),
        "attachment": message.get("attachment"),
        "buttons": [*(message.get("quick_replies") or ()), *(message.get("buttons") or ())],
        "custom": message.get("custom"),
    }
    return {name: part for name, part in parts.items() if part}


class WholeReplies:
    """Keeps text, buttons and payload of one reply together, where Rasa's collector splits them."""

    async def send_response(self, recipient_id: Text, message: Dict[Text, Any]) -> None:
        """Collects a bot message as one."""
        await self._persist_message(self._message(recipient_id, **whole(message)))


def read_body(request: Request, max_body_bytes: int) -> Dict[Text, Any]:
    """The JSON object that a request holds. Raises BadRequest."""
    if len(request.body) > max_body_bytes:
        raise BadRequest(413, "too_large", "This message is too long. Please send a shorter one.")
    try:
        body = request.json
    except Exception:
        raise BadRequest(400, "not_json", "The request body must be JSON.") from None
    if not isinstance(body, dict):
        raise BadRequest(400, "not_an_object", "The request body must be a JSON object.")
    return body


def read_text(body: Dict[Text, Any]) -> Text:
    """The cleaned text of a message. Raises BadRequest."""
    text = body.get("message")
    if not isinstance(text, str):
        raise BadRequest(400, "bad_message", "The field message must be a text.")
    return clean(text)


def read_message(request: Request, max_body_bytes: int) -> Tuple[Text, Text, Optional[Dict[Text, Any]]]:
    """Sender, cleaned text and metadata of a request. Raises BadRequest."""
    body = read_body(request, max_body_bytes)
    sender, metadata = body.get("sender"), body.get("metadata")
    if not isinstance(sender, str) or not 0 < len(sender) <= MAX_SENDER_CHARACTERS:
        raise BadRequest(400, "bad_sender", "The field sender must be a text of 1 to 255 characters.")
    text = read_text(body)
    if metadata is not None and not isinstance(metadata, dict):
        raise BadRequest(400, "bad_metadata", "The field metadata must be an object.")
    return sender, text, metadata
