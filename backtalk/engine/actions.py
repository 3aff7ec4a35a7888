"""Runs the custom actions in Rasa's own process, and serves them to others over HTTP as an action server does."""

from __future__ import annotations

import argparse
import asyncio
import copy
import json as json_library
import signal
import socket
from typing import Any

from aiohttp import web
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException

# A call holds the whole conversation.
MOST_BYTES = 100 * 1024 * 1024
Call = dict[str, Any]
Reply = dict[str, Any] | None


def load_actions(package: str) -> ActionExecutor:
    """The action server's executor with all actions of a package."""
    executor = ActionExecutor()
    executor.register_package(package)
    return executor


class ActionsInProcess(EndpointConfig):
    """An action endpoint that calls the executor directly. `url` is where the same actions are served over HTTP."""

    def __init__(self, executor: ActionExecutor, url: str) -> None:
        super().__init__(url, enable_selective_domain=True)
        self._executor = executor

    async def request(
        self, method: str = "post", subpath: str | None = None, json: Call | None = None, **options: Any
    ) -> Reply:
        """Events and responses of the action that `json` names.

        Raises ClientResponseError when the action declines to run.
        """
        # An action that changes a slot's value in place must not change Rasa's, and what it returns must be JSON.
        if json is None:
            raise ClientResponseError(400, "Bad Request", "A call names an action and holds the conversation.")
        call = {**json, "tracker": {**json["tracker"], "slots": copy.deepcopy(json["tracker"]["slots"])}}
        try:
            return json_library.loads(json_library.dumps(await self._executor.run(call)))
        except ActionExecutionRejection as rejection:
            raise ClientResponseError(400, "Bad Request", json_library.dumps(_declined(rejection))) from rejection


class ActionServer:
    """The action server's HTTP interface: POST /webhook, GET /actions, GET /health."""

    def __init__(self, executor: ActionExecutor, interface: str, port: int) -> None:
        """Takes the port at once. Raises OSError when it is in use."""
        self._executor = executor
        self._socket = socket.create_server((interface, port))

    async def start(self, _: Any = None) -> None:
        """Begins to answer; takes the argument of a Sanic listener."""
        application = web.Application(client_max_size=MOST_BYTES)
        application.add_routes(
            [web.post("/webhook", self._run), web.get("/actions", self._list), web.get("/health", self._health)]
        )
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.SockSite(runner, self._socket).start()

    async def _run(self, request: web.Request) -> web.Response:
        try:
            call = await request.json()
            if not isinstance(call, dict) or not isinstance(call.get("tracker"), dict):
                raise ValueError
        except ValueError:
            return web.json_response({"error": "Invalid body request"}, status=400)
        try:
            return web.json_response(await self._executor.run(call))
        except ActionExecutionRejection as rejection:
            return web.json_response(_declined(rejection), status=400)
        except ActionNotFoundException as missing:
            return web.json_response(_declined(missing), status=404)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response([{"name": name} for name in self._executor.actions])

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of an action server, named as those of Rasa's own."""
    parser.add_argument("--actions", default="actions", help="the package that holds them")
    parser.add_argument(
        "--interface", default="127.0.0.1", help="the address to listen on; whoever reaches it can read slots"
    )
    parser.add_argument("--port", type=int, default=5055)


def serve(arguments: argparse.Namespace) -> None:
    """Serves the actions until the process is told to end."""

    async def run() -> None:
        server = ActionServer(load_actions(arguments.actions), arguments.interface, arguments.port)
        await server.start()
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await stopped.wait()

    asyncio.run(run())


def _declined(error: Any) -> dict[str, str]:
    return {"action_name": error.action_name, "error": error.message}
