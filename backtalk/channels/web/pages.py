"""Which pages may call the API, and the headers on all that it answers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sanic import Sanic, response
from sanic.request import Request
from sanic.response import BaseHTTPResponse, HTTPResponse

from backtalk.channels.messages import BadRequest
from backtalk.channels.settings import split_origin
from backtalk.engine.http import HEADERS

STRICT = {
    **HEADERS,
    # Pages elsewhere may read it, where their origin is allowed.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Origin",
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}
EXPOSED = "Retry-After"
_CORS = "access-control-"


class Pages:
    """Stands before and behind every route of the API, also where there is none and where something fails."""

    def __init__(self, prefix: str, paths: Collection[str], origins: Collection[str]) -> None:
        """Takes where the API is, its routes, and the origins whose pages may call.

        `prefix`: where the API is, as in /chat/api.
        `paths`: its routes below that.
        `origins`: as `settings.origins` gives them.
        """
        self._prefix, self._paths, self._origins = f"{prefix}/", {f"{prefix}/{path}" for path in paths}, origins

    def prepare(self, app: Sanic[Any, Any]) -> None:
        """Sets both up for the server as a whole."""
        app.register_middleware(self.let_in, "request", priority=1)
        app.register_middleware(self.dress, "response", priority=1)

    async def let_in(self, request: Request) -> HTTPResponse | None:
        """Answers what no route should see: pages elsewhere, and preflights."""
        if not request.path.startswith(self._prefix):
            return None
        origin = request.headers.get("origin")
        if origin is not None and not self._allows(origin, request.host):
            return BadRequest(403, "origin_not_allowed", "Pages of this site may not use this chat.").response()
        if request.method == "OPTIONS":
            return response.empty()
        return None

    async def dress(self, request: Request, answer: BaseHTTPResponse) -> None:
        """Puts the headers on an answer, each once."""
        if not request.path.startswith(self._prefix):
            return
        for name in {name.lower() for name in answer.headers if name.lower().startswith(_CORS)}:
            del answer.headers[name]
        for name, value in STRICT.items():
            answer.headers[name] = value
        origin = request.headers.get("origin")
        if origin is not None and self._allows(origin, request.host):
            answer.headers.update(PREFLIGHT if request.method == "OPTIONS" else {})
            answer.headers["Access-Control-Allow-Origin"] = origin
            answer.headers["Access-Control-Expose-Headers"] = EXPOSED

    def _allows(self, origin: str, host: str) -> bool:
        """Whether pages of an origin may call a server that they reach as `host`."""
        parts = split_origin(origin)
        if parts is None:
            return False
        own = split_origin(f"{parts[0]}://{host}")
        return "://".join(parts) in self._origins or parts == own
