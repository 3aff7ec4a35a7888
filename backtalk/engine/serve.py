"""Serves the bot, and its actions, from one process."""

from __future__ import annotations

import argparse
import gc
import logging
import os
from typing import Any

import rasa.utils.common
from rasa.core.run import serve_application
from rasa.core.utils import AvailableEndpoints
from rasa.utils.log_utils import configure_structlog
from sanic import Sanic

from backtalk.engine.actions import ActionServer, ActionsInProcess, load_actions
from backtalk.engine.reminders import set_reminders_anew
from backtalk.engine.retention import erase_old_conversations
from backtalk.engine.shortcuts import take_shortcuts

logger = logging.getLogger(__name__)

ACTIONS = "actions"
# Whoever can call an action can read slots, so the actions are served to this machine only.
ACTIONS_INTERFACE = "127.0.0.1"


def serve(arguments: argparse.Namespace) -> None:
    """Serves until the process is told to end."""
    rasa.utils.common.configure_logging_and_warnings(None, None, warn_only_once=True, filter_repeated_logs=True)
    configure_structlog(None)
    take_shortcuts()
    actions_url = f"http://{ACTIONS_INTERFACE}:{arguments.actions_port}/webhook"
    os.environ.setdefault("BACKTALK_ACTIONS_URL", actions_url)
    endpoints = AvailableEndpoints.read_endpoints(arguments.endpoints)
    listeners = [(listener, "after_server_start") for listener in (_settle, set_reminders_anew, erase_old_conversations)]
    if endpoints.action and endpoints.action.url == actions_url:
        executor = load_actions(ACTIONS)
        endpoints.action = ActionsInProcess(executor, actions_url)
        action_server = ActionServer(executor, ACTIONS_INTERFACE, arguments.actions_port)
        listeners.append((action_server.start, "after_server_start"))
    serve_application(
        arguments.model,
        interface=arguments.interface,
        port=arguments.port,
        credentials=arguments.credentials,
        cors=arguments.cors,
        enable_api=arguments.enable_api,
        endpoints=endpoints,
        server_listeners=listeners,
    )


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


async def _settle(app: Sanic, _: Any) -> None:
    """Ends the process when no model could be loaded; spares the garbage collector what was loaded and stays."""
    if not app.ctx.agent.is_ready():
        logger.error("The model cannot be used: train it anew with `make train`.")
        os._exit(1)
    gc.collect()
    gc.freeze()
