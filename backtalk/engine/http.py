"""The HTTP server around Rasa's routes.

Here stands what it reads, how long it waits, how it refuses, and the headers on all that it answers.

Sanic reads a request as far as this module lets it: a head within `HEAD_SECONDS`, with one plain length, and a body of
at most the allowed size within `BODY_SECONDS`. Whatever is refused, wherever, is answered with a 4xx as {"error":
code, "message": words}.
"""

from __future__ import annotations

import asyncio
import logging
import re
import resource
import time
from typing import Any

import rasa.server
from sanic import Sanic
from sanic.exceptions import (
    BadRequest,
    PayloadTooLarge,
    RequestCancelled,
    RequestTimeout,
    SanicException,
    ServiceUnavailable,
)
from sanic.handlers import ErrorHandler
from sanic.http import Http, Stage
from sanic.request import Request
from sanic.response import BaseHTTPResponse, HTTPResponse, empty, json, redirect
from sanic.server import HttpProtocol

from backtalk.channels.messages import EMERGENCY, TOO_LARGE

logger = logging.getLogger(__name__)

# The largest body that any channel takes, and with Rasa's own HTTP API, which takes whole conversations.
BODY_BYTES, API_BODY_BYTES = 65536, 10 * 1024 * 1024
# How long the head of a request and its body may take to arrive, from their first byte to their last.
HEAD_SECONDS, BODY_SECONDS = 10, 20
# How long a connection is kept that asks for nothing.
KEEP_ALIVE_SECONDS = 30
# How long an answer may take; messages that wait for others of the same conversation are among them.
RESPONSE_SECONDS = 120
# More open connections than these are never kept, and never more than half of what the system allows.
MOST_CONNECTIONS, MOST_FILES = 4096, 65536

SORRY = f"Sorry, something went wrong on my side. Please send that again. {EMERGENCY}"
_WORDS = {
    400: ("bad_request", "This request could not be read."),
    401: ("not_allowed", "This needs a sign-in."),
    403: ("not_allowed", "This is not allowed."),
    404: ("not_found", "There is nothing at this address."),
    405: ("wrong_method", "This address takes other methods."),
    408: ("too_slow", f"The request took too long to arrive. Please send it again. {EMERGENCY}"),
    413: ("too_large", TOO_LARGE),
    417: ("bad_request", "This request expects what this server does not do."),
    503: ("busy", f"That took too long. Please try again. {EMERGENCY}"),
}
# On every answer that has no stricter or other ones of its own.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_LENGTH = re.compile(r"[0-9]{1,15}")


class StrictHttp(Http):
    """Sanic's reading of a request, made stricter.

    There is one plain length, a size that is looked at before anything is read, and an end to waiting.
    """

    __slots__ = ["_body_ends"]

    protocol: StrictProtocol

    async def http1_request_header(self) -> None:
        """Reads the head of a request. Raises BadRequest, PayloadTooLarge and RequestTimeout."""
        self.protocol.has_asked = True
        self._body_ends: float | None = None
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                await super().http1_request_header()  # type: ignore[no-untyped-call]
        except TimeoutError:
            raise RequestTimeout from None
        told = self.request.headers.getall("content-length", [])
        if told and not (len(told) == 1 and _LENGTH.fullmatch(told[0])):
            raise BadRequest("Bad content-length")
        if self.request_bytes_left > self.protocol.request_max_size:
            raise PayloadTooLarge("Request body exceeds the size limit")

    async def read(self) -> bytes | None:
        """Reads some of the body. Raises BadRequest, PayloadTooLarge and RequestTimeout."""
        loop = asyncio.get_running_loop()
        if self._body_ends is None:
            self._body_ends = loop.time() + BODY_SECONDS
        try:
            async with asyncio.timeout_at(self._body_ends):
                return await super().read()
        except TimeoutError:
            self.keep_alive, self.request_body = False, None
            if self.stage is not Stage.HANDLER:
                # Answered already, and nobody waits for the rest.
                return None
            raise RequestTimeout from None


class StrictProtocol(HttpProtocol):
    """Sanic's connections, of which no more are kept than the process can hold.

    Who asks for nothing makes room for who does.
    """

    __slots__ = ("has_asked", "made")
    HTTP_CLASS = StrictHttp
    most = MOST_CONNECTIONS

    def connection_made(self, transport: Any) -> None:
        """Takes a new connection.

        Where there are too many, the one that has been waiting longest without a request is closed.
        """
        self.made, self.has_asked = time.monotonic(), False
        if len(self.connections) >= self.most:
            waiting = [other for other in self.connections if not other.http]
            if not waiting:
                transport.abort()
                return
            oldest = min(waiting, key=lambda other: other.made)
            # At once, as many may come before the loop gets round to closing it.
            self.connections.discard(oldest)
            oldest.abort()
        super().connection_made(transport)  # type: ignore[no-untyped-call]
        self.loop.call_later(HEAD_SECONDS, self._close_when_silent)

    def connection_lost(self, error: Exception | None) -> None:
        """Forgets a connection, unless it was one too many from the beginning."""
        if self.conn_info is not None:
            super().connection_lost(error)  # type: ignore[no-untyped-call]

    def _close_when_silent(self) -> None:
        if not self.has_asked and self.transport is not None:
            self.close()


class Refusals(ErrorHandler):
    """Answers every error as JSON, in plain words, and logs those that are ours."""

    def default(self, request: Request, exception: Exception) -> HTTPResponse:
        """The answer to an error."""
        status = exception.status_code if isinstance(exception, SanicException) else 500
        if status >= 500 and not isinstance(exception, ServiceUnavailable | RequestCancelled):
            logger.error("A request could not be answered", exc_info=exception)
        code, words = _WORDS.get(
            status, ("bad_request", "This request cannot be answered.") if status < 500 else ("failed", SORRY)
        )
        headers = getattr(exception, "headers", None) or {}
        return json({"error": code, "message": words}, status=status, headers={**HEADERS, **headers})


def create_app(
    enable_api: bool, origins: list[str] | None = None, start_page: str | None = None, **options: Any
) -> Sanic[Any, Any]:
    """Rasa's application behind this module's rules.

    `enable_api`: with Rasa's HTTP API, to which `options` go; `origins`: whose pages may call channels that have no
    rule of their own; `start_page`: where `/` leads.
    """
    _leave_out_of_rasa()
    app = rasa.server.create_app(**options) if enable_api else Sanic("backtalk", configure_logging=False)
    app.error_handler = Refusals()
    app.config.update(
        REQUEST_MAX_SIZE=API_BODY_BYTES if enable_api else BODY_BYTES,
        REQUEST_TIMEOUT=HEAD_SECONDS,
        KEEP_ALIVE_TIMEOUT=KEEP_ALIVE_SECONDS,
        RESPONSE_TIMEOUT=RESPONSE_SECONDS,
        ACCESS_LOG=False,
        MOTD=False,
    )

    @app.get("/")
    async def start(_: Request) -> HTTPResponse:
        return redirect(start_page) if start_page else json({"status": "ok"})

    app.ctx.origins = allowed = frozenset(origins or ())

    @app.on_request
    async def answer_preflight(request: Request) -> HTTPResponse | None:
        return empty() if request.method == "OPTIONS" and request.headers.get("origin") in allowed else None

    @app.on_response(priority=-1)
    async def dress(request: Request, answer: BaseHTTPResponse) -> None:
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        origin = request.headers.get("origin")
        if origin in allowed and "access-control-allow-origin" not in answer.headers:
            answer.headers.update(
                {
                    "Access-Control-Allow-Origin": origin,
                    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
                    "Access-Control-Allow-Headers": "Authorization, Content-Type",
                    "Vary": "Origin",
                }
            )

    return app


def run(app: Sanic[Any, Any], interface: str, port: int) -> None:
    """Serves until the process is told to end."""
    StrictProtocol.most = min(MOST_CONNECTIONS, _files() // 2)
    app.run(host=interface, port=port, protocol=StrictProtocol, backlog=1024, single_process=True)


def _files() -> int:
    """How many files and connections this process may have open, after asking for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return MOST_FILES if soft == resource.RLIM_INFINITY else soft


def _leave_out_of_rasa() -> None:
    """Rasa's own answer to `/` tells its version, and its headers let every page in that is asked for."""
    rasa.server.add_root_route = lambda app: None
    rasa.server.configure_cors = lambda app, origins=None: None
