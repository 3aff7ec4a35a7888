"""Serves the chat page at /chat. The page talks to the REST channel."""

from __future__ import annotations

from typing import Any, Awaitable, Callable, Dict, Optional, Text

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from backtalk.paths import WIDGET

FILES = {"chat.css": "text/css; charset=utf-8", "chat.js": "text/javascript; charset=utf-8"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class ChatPage(InputChannel):
    """A page to chat on, with no message routes of its own."""

    @classmethod
    def name(cls) -> Text:
        """The channel's name."""
        return "chat_page"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[Text, Any]]) -> ChatPage:
        """Created from credentials.yml; takes no settings."""
        return cls()

    def url_prefix(self) -> Text:
        """Mounts the page at the root of the site rather than under /webhooks."""
        return "/chat"

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The routes of the page and its two files."""
        page = Blueprint("chat_page", __name__)

        page.add_route(_serve("chat.html", "text/html; charset=utf-8"), "/", name="page")
        for name, mime_type in FILES.items():
            page.add_route(_serve(name, mime_type), f"/{name}", name=name.replace(".", "_"))

        return page


def _serve(name: Text, mime_type: Text) -> Callable[[Request], Awaitable[HTTPResponse]]:
    async def serve(request: Request) -> HTTPResponse:
        return await response.file(WIDGET / name, headers=HEADERS, mime_type=mime_type)

    return serve
