"""Serves the chat page at /chat. The page talks to the REST channel."""

from __future__ import annotations

from typing import Any, Awaitable, Callable, Dict, Optional, Text

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from backtalk.paths import WIDGET

FILES = {"chat.css": "text/css", "chat.js": "text/javascript"}
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

        @page.route("/", methods=["GET"])
        async def chat(request: Request) -> HTTPResponse:
            return await response.file(WIDGET / "chat.html", headers=HEADERS, mime_type="text/html; charset=utf-8")

        @page.route("/<name:str>", methods=["GET"])
        async def file(request: Request, name: Text) -> HTTPResponse:
            if name not in FILES:
                return response.json({"error": "not_found", "message": "There is no such file."}, status=404)
            return await response.file(WIDGET / name, headers=HEADERS, mime_type=f"{FILES[name]}; charset=utf-8")

        return page
