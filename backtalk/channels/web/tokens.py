"""Signed tokens: whoever holds one holds the conversation that it names."""

from __future__ import annotations

import logging
import os
import re
import secrets
import time
from typing import Any

import jwt
from sanic.request import Request

from backtalk.channels.messages import BadRequest
from backtalk.channels.settings import SettingsError

logger = logging.getLogger(__name__)

KEY_VARIABLE = "BACKTALK_SESSION_KEY"
ALGORITHM = "HS256"
# HS256 is as strong as its key: one shorter than its digest of 32 bytes is weaker.
_SHORTEST_KEY = 32
_SUBJECT = re.compile(r"[0-9a-f]{32}")


class Tokens:
    """Signed tokens with a random subject and a time of expiry. Nothing is kept of them on the server."""

    def __init__(self, key: str, seconds: float) -> None:
        """`seconds`: how long a token holds."""
        self._key, self._seconds = key, seconds

    def issue(self, subject: str | None = None) -> dict[str, Any]:
        """A token for a conversation, and when it expires, in seconds of the epoch.

        The conversation is a new one unless `subject` names it.
        """
        expires = int(time.time() + self._seconds)
        return {
            "token": jwt.encode({"sub": subject or secrets.token_hex(16), "exp": expires}, self._key, ALGORITHM),
            "expires": expires,
        }

    def subject(self, request: Request) -> str:
        """The conversation that a request's token is for.

        Raises BadRequest, the same one whatever is wrong with the token.
        """
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            subject = jwt.decode(token.strip(), self._key, [ALGORITHM], options={"require": ["sub", "exp"]})["sub"]
        except Exception:
            # Not only the library's own errors: a token can be text that is not UTF-8, or JSON that is nested too deep.
            subject = ""
        if kind.lower() != "bearer" or not _SUBJECT.fullmatch(subject):
            raise BadRequest(401, "no_session", "This chat has ended. Please start a new one.")
        return subject


def signing_key() -> str:
    """The key of the environment, or a random one, which ends with the process.

    Raises SettingsError for one that could be guessed.
    """
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        logger.warning("%s is not set: chats on the web end when the server does.", KEY_VARIABLE)
        return secrets.token_hex(_SHORTEST_KEY)
    if len(key.encode()) < _SHORTEST_KEY:
        raise SettingsError(f"{KEY_VARIABLE} could be guessed: give it {_SHORTEST_KEY} random characters or more.")
    return key
