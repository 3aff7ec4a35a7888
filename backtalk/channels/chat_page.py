"""Serves the widget, which any site can put on its pages, and at /chat a page of a clinic that shows it."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from backtalk.paths import WIDGET

PAGE = "demo.html"
MIME_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
}
# Asked for anew each time, and sent anew only when changed: the files of the widget must be of one version.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding",
}
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
# The widget's files hold nothing of anybody, and any site may load them.
FILE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


# Comments that fill lines stay on the server: an eighth of what a visitor would load.
_COMMENT = re.compile(rb"^[ \t]*(?://.*|/\*(?:[^*]|\*(?!/))*\*/)[ \t]*\n", re.MULTILINE)


@dataclass(frozen=True)
class _File:
    """A file as it is sent: its content, the same compressed, and the headers."""

    content: bytes
    compressed: bytes
    headers: dict[str, str]
    mime_type: str

    def answer(self, request: Request) -> HTTPResponse:
        """The answer to a request, 304 where the browser has this version already."""
        if request.headers.get("if-none-match") == self.headers["ETag"]:
            return response.empty(304, self.headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return response.raw(
                self.compressed, headers={**self.headers, "Content-Encoding": "gzip"}, content_type=self.mime_type
            )
        return response.raw(self.content, headers=self.headers, content_type=self.mime_type)


class ChatPage(InputChannel):
    """The widget's files and a page to chat on, with no message routes of its own."""

    @classmethod
    def name(cls) -> str:
        """The channel's name."""
        return "chat_page"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> ChatPage:
        """Created from credentials.yml; takes no settings."""
        return cls()

    def url_prefix(self) -> str:
        """Mounts the page at the root of the site rather than under /webhooks."""
        return "/chat"

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The routes of the page and of the files in `widget/`."""
        page = Blueprint("chat_page", __name__)
        for path in sorted(WIDGET.iterdir()):
            if path.suffix in MIME_TYPES:
                route = "/" if path.name == PAGE else f"/{path.name}"
                page.add_route(_serve(_load(path)), route, methods=["GET", "HEAD"], name=path.name.replace(".", "_"))
        return page


def _load(path: Path) -> _File:
    content = _COMMENT.sub(b"", path.read_bytes())
    own = {"Content-Security-Policy": PAGE_POLICY} if path.name == PAGE else FILE_HEADERS
    version = f'W/"{hashlib.sha256(content).hexdigest()[:16]}"'
    return _File(
        content, gzip.compress(content, 9, mtime=0), {**HEADERS, **own, "ETag": version}, MIME_TYPES[path.suffix]
    )


def _serve(file: _File) -> Callable[..., Coroutine[Any, Any, HTTPResponse]]:
    async def serve(request: Request) -> HTTPResponse:
        return file.answer(request)

    return serve
