"""Reads a message that a page sends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sanic.http import Http
from sanic.request import Request

from backtalk.channels.messages import LOCALE, TOO_LARGE, BadRequest, read_body, read_text
from backtalk.wording import is_telephone_number

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Incoming:
    """A message: its cleaned text, what is kept with it in the conversation, and whether it was sent before."""

    text: str
    metadata: dict[str, str]
    again: bool = False

    @property
    def id(self) -> str | None:
        """The page's own name for the message."""
        return self.metadata.get("id")


async def receive(request: Request, max_body_bytes: int) -> None:
    """Reads the body of a request on a streaming route, and no more of it than is allowed. Raises BadRequest."""
    told = request.headers.get("content-length", "")
    parts, size = [], int(told) if told.isdecimal() else 0
    if size <= max_body_bytes:
        size = 0
        while (part := await _next(request)) is not None:
            parts.append(part)
            size += len(part)
            if size > max_body_bytes:
                break
    if size > max_body_bytes:
        raise BadRequest(413, "too_large", TOO_LARGE)
    request.body = b"".join(parts)


async def _next(request: Request) -> bytes | None:
    """The next part of a body, None behind the last."""
    return await request.stream.read() if isinstance(request.stream, Http) and request.stream.request_body else None


async def read_incoming(request: Request, max_body_bytes: int, max_characters: int) -> Incoming:
    """The message in a request on a streaming route. Raises BadRequest. A field that is null counts as not there.

    A locale or an emergency number that is none is left out: a fault of the page must not stand between a visitor and
    help.
    """
    await receive(request, max_body_bytes)
    body = read_body(request, max_body_bytes)
    text = read_text(body, max_characters)
    locale, number = body.get("locale"), body.get("emergency_number")
    fields = {
        "locale": locale if isinstance(locale, str) and LOCALE.fullmatch(locale) else None,
        "id": _checked(body, "id", _ID, "The field id must have 1 to 64 letters, digits, _ or -."),
        "emergency_number": number if isinstance(number, str) and is_telephone_number(number) else None,
    }
    return Incoming(
        text, {name: value for name, value in fields.items() if value is not None}, body.get("again") is True
    )


def _checked(body: dict[str, Any], name: str, pattern: re.Pattern[str], words: str) -> str | None:
    value = body.get(name)
    if value is not None and not (isinstance(value, str) and pattern.fullmatch(value)):
        raise BadRequest(400, f"bad_{name}", words)
    return value
