"""Which pages may call the API, and the headers on all that it answers."""

from __future__ import annotations

from collections import deque
from typing import Collection, Optional, Text

from sanic import Sanic, response
from sanic.request import Request
from sanic.response import BaseHTTPResponse, HTTPResponse

from backtalk.channels.messages import BadRequest
from backtalk.channels.web.settings import split_origin

STRICT = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
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
    """Stands before and behind every route of the API, also where there is none and where something fails.

    Rasa's set-up of sanic_cors covers all routes: it answers every preflight itself and adds headers for the origins of its own option
    --cors. So what is here runs before it on requests and after it on answers, where its headers are replaced.
    """

    def __init__(self, prefix: Text, paths: Collection[Text], origins: Collection[Text]) -> None:
        """`prefix`: where the API is, as in /chat/api; `paths`: its routes below that; `origins`: as `settings.origins` gives them."""
        self._prefix, self._paths, self._origins = f"{prefix}/", {f"{prefix}/{path}" for path in paths}, origins

    async def take_their_place(self, app: Sanic, _: object = None) -> None:
        """Sets both up, as a listener to "before_server_start" that is registered after Rasa's set-up."""
        app.request_middleware = deque([self.let_in, *app.request_middleware])
        app.response_middleware = deque([*app.response_middleware, self.dress])

    async def let_in(self, request: Request) -> Optional[HTTPResponse]:
        """Answers what no route should see: pages elsewhere, preflights, and routes that do not exist."""
        if not request.path.startswith(self._prefix):
            return None
        origin = request.headers.get("origin")
        if origin is not None and not self._allows(origin, request.host):
            return BadRequest(403, "origin_not_allowed", "Pages of this site may not use this chat.").response()
        if request.method == "OPTIONS":
            return response.empty()
        if request.route is None:
            if request.path in self._paths:
                return BadRequest(405, "wrong_method", "This address takes other methods.").response()
            return BadRequest(404, "not_found", "There is nothing at this address.").response()
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

    def _allows(self, origin: Text, host: Text) -> bool:
        """Whether pages of an origin may call a server that they reach as `host`."""
        parts = split_origin(origin)
        if parts is None:
            return False
        own = split_origin(f"{parts[0]}://{host}")
        return "://".join(parts) in self._origins or parts == own
