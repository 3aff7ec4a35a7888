"""Serves the bot, and its actions, from one process."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import gc
import logging
import os
from collections.abc import Callable, Coroutine
from typing import Any

import rasa.core.channels.channel
import rasa.utils.common
from rasa.core.run import close_resources, create_http_input_channels, load_agent_on_start
from rasa.core.utils import AvailableEndpoints
from rasa.utils.log_utils import configure_structlog
from sanic import Sanic

from backtalk.channels.programs import is_this_machine
from backtalk.engine import health, http
from backtalk.engine.actions import ActionServer, ActionsInProcess, load_actions
from backtalk.engine.reminders import set_reminders_anew
from backtalk.engine.retention import erase_old_conversations

logger = logging.getLogger(__name__)

ACTIONS = "actions"
# Whoever can call an action can read slots, so the actions are served to this machine only.
ACTIONS_INTERFACE = "127.0.0.1"
CHAT = "/chat/"
# Files that this process makes are for its own user: they hold what visitors said.
_PRIVATE = 0o077


def serve(arguments: argparse.Namespace) -> None:
    """Serves until the process is told to end."""
    if arguments.enable_api and not is_this_machine(arguments.interface):
        raise SystemExit(
            "Rasa's HTTP API reads and changes every conversation: --enable-api goes with a loopback --interface only."
        )
    os.umask(_PRIVATE)
    rasa.utils.common.configure_logging_and_warnings(None, None, warn_only_once=True, filter_repeated_logs=True)
    configure_structlog(None)
    actions_url = f"http://{ACTIONS_INTERFACE}:{arguments.actions_port}/webhook"
    os.environ.setdefault("BACKTALK_ACTIONS_URL", actions_url)
    endpoints = AvailableEndpoints.read_endpoints(arguments.endpoints)
    listeners: list[Callable[[Sanic[Any, Any]], Coroutine[Any, Any, None]]] = [
        _settle,
        set_reminders_anew,
        erase_old_conversations,
    ]
    if endpoints.action and endpoints.action.url == actions_url:
        executor = load_actions(ACTIONS)
        endpoints.action = ActionsInProcess(executor, actions_url)
        listeners.append(ActionServer(executor, ACTIONS_INTERFACE, arguments.actions_port).start)
    channels = create_http_input_channels(None, arguments.credentials)
    has_page = any(channel.name() == "chat_page" for channel in channels)
    app = http.create_app(
        arguments.enable_api,
        arguments.cors,
        CHAT if has_page else None,
        **({"endpoints": endpoints} if arguments.enable_api else {}),
    )
    app.ctx.interface = arguments.interface
    rasa.core.channels.channel.register(channels, app, route="/webhooks/")
    for channel in channels:
        # What a channel has to set up for the server as a whole.
        if prepare := getattr(channel, "prepare", None):
            prepare(app)
    health.add_routes(app)

    @app.before_server_start
    async def load(app: Sanic[Any, Any]) -> None:
        await load_agent_on_start(arguments.model, endpoints, None, app, asyncio.get_running_loop())

    @app.after_server_stop
    async def close(app: Sanic[Any, Any]) -> None:
        await close_resources(app, asyncio.get_running_loop())

    for listener in listeners:
        app.register_listener(listener, "after_server_start")
    http.run(app, arguments.interface, arguments.port)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options, named as those of `rasa run` where it has them."""
    parser.add_argument("--model", default="models/backtalk.tar.gz")
    parser.add_argument("--endpoints", default="endpoints.yml")
    parser.add_argument("--credentials", default="credentials.yml")
    parser.add_argument("--interface", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=5005)
    parser.add_argument("--actions-port", type=int, default=5055)
    parser.add_argument("--cors", nargs="*", help="origins whose pages may call the bot")
    parser.add_argument("--enable-api", action="store_true", help="serve Rasa's HTTP API too")


async def _settle(app: Sanic[Any, Any]) -> None:
    """Ends the process when no model could be loaded.

    Else, what was loaded and stays is spared the garbage collector, and what loading needed is given back.
    """
    if not app.ctx.agent.is_ready():
        logger.error("The model cannot be used: train it anew with `make train`.")
        os._exit(1)
    gc.collect()
    gc.freeze()
    _give_back_memory()


def _give_back_memory() -> None:
    """Hands unused memory back to the system: some 70 MB, where the C library keeps it unless asked."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
