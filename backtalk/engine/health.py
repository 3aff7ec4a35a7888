"""Tells those who watch over the bot whether it lives, and whether it can answer.

The routes are GET /health/live and GET /health/ready.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse, json

from backtalk.engine.tracker_store import RememberingTrackerStore

# Whether the store can be written to is looked at so often at most, and waited for so long, in seconds.
_EVERY, _PATIENCE = 2.0, 3.0


class StoreWatch:
    """Whether the store of conversations can be written to, looked at once for all who ask at the same time."""

    def __init__(self) -> None:
        self._found, self._at = False, -_EVERY
        self._looking: asyncio.Task[bool] | None = None

    async def is_well(self, store: object) -> bool:
        """Whether it could be written to a moment ago. A store that answers too late is not well."""
        if not isinstance(store, RememberingTrackerStore):
            return True
        if time.monotonic() - self._at >= _EVERY:
            self._looking = self._looking or asyncio.create_task(store.can_be_written())
            looking = self._looking
            done, _ = await asyncio.wait([looking], timeout=_PATIENCE)
            self._found, self._at = looking in done and looking.result(), time.monotonic()
            if looking in done:
                self._looking = None
        return self._found


def add_routes(app: Sanic[Any, Any]) -> None:
    """The routes `/health/live` and `/health/ready`.

    `/health/live`: 200 as long as the process answers.
    `/health/ready`: 200 when its model is loaded and its store can be written to, else 503.

    Both answer JSON: {"status": "ok" or "unavailable"}, and the latter also "model" and "store" as booleans.
    """
    watch = StoreWatch()

    async def live(_: Request) -> HTTPResponse:
        return json({"status": "ok"})

    async def ready(request: Request) -> HTTPResponse:
        agent = getattr(request.app.ctx, "agent", None)
        model = agent is not None and agent.is_ready()
        store = agent is not None and model and await watch.is_well(agent.tracker_store)
        status = "ok" if model and store else "unavailable"
        return json({"status": status, "model": model, "store": store}, status=200 if status == "ok" else 503)

    app.add_route(live, "/health/live", methods=["GET", "HEAD"], name="live")
    app.add_route(ready, "/health/ready", methods=["GET", "HEAD"], name="ready")
