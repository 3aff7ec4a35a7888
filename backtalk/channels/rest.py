"""The REST channel: replies come with the answer to a message, each whole.

POST /webhooks/rest/webhook {"sender": "...", "message": "..."} answers with a list of messages, each with `text` and,
where there are any, `buttons` and `custom`; with ?stream=true, with one of them a line. Who may call, and what is
refused: see `programs`.
"""

from __future__ import annotations

import json
from asyncio import Queue, create_task
from collections.abc import Callable, Coroutine
from typing import Any

from rasa.core.channels.channel import UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse, ResponseStream

from backtalk.channels import settings
from backtalk.channels.messages import BadRequest, WholeReplies
from backtalk.channels.programs import OnNewMessage, ProgramInput, failed_reply, handled


class WholeCollector(WholeReplies):
    """Collects replies in a list."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    @classmethod
    def name(cls) -> str:
        """As Rasa's own collector, for responses that are for one channel only."""
        return "collector"

    async def give_out(self, reply: dict[str, Any]) -> None:
        """Adds a reply to the others."""
        self.messages.append(reply)


class WholeQueue(WholeReplies):
    """Puts replies into a queue as they come."""

    def __init__(self, replies: Queue[dict[str, Any] | None]) -> None:
        self._replies = replies

    @classmethod
    def name(cls) -> str:
        """As Rasa's own queue, for responses that are for one channel only."""
        return "queue"

    async def give_out(self, reply: dict[str, Any]) -> None:
        """Adds a reply to those that wait."""
        await self._replies.put(reply)


class RestInput(ProgramInput):
    """The REST channel."""

    @classmethod
    def name(cls) -> str:
        """The channel's name."""
        return "rest"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> RestInput:
        """Created from credentials.yml. Raises SettingsError."""
        return cls(**settings.known(cls, credentials))

    def blueprint(self, on_new_message: OnNewMessage) -> Blueprint:
        """The routes of the channel."""
        webhook = Blueprint("rest_webhook")

        @webhook.route("/", methods=["GET"])
        async def health(_: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @webhook.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse | ResponseStream:
            try:
                message = await self.read(request)
            except BadRequest as error:
                return error.response()
            if request.args.get("stream", "").lower() == "true":
                return ResponseStream(_stream(on_new_message, message), content_type="text/event-stream")
            collector = WholeCollector()
            failed = await handled(on_new_message, message, collector)
            # No reply at all means that the action server is away.
            failures = [failed_reply(failed, message)] if failed or not collector.messages else []
            return response.json([*collector.messages, *failures], dumps=json.dumps)

        return webhook


def _stream(on_new_message: OnNewMessage, message: UserMessage) -> Callable[[Any], Coroutine[Any, Any, None]]:
    """Writes each reply as a line; the stream ends whatever happens."""
    replies: Queue[dict[str, Any] | None] = Queue()

    async def handle() -> Exception | None:
        error = await handled(on_new_message, message, WholeQueue(replies))
        await replies.put(None)
        return error

    async def stream(answer: Any) -> None:
        handling = create_task(handle())
        has_replied = False
        while (reply := await replies.get()) is not None:
            has_replied = True
            await answer.write(json.dumps(reply) + "\n")
        error = await handling
        if error or not has_replied:
            await answer.write(json.dumps(failed_reply(error, message)) + "\n")

    return stream
