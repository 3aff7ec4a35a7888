"""The REST channel: Rasa's own, with checked input and every reply whole.

POST /webhooks/rest/webhook {"sender": "...", "message": "..."} answers with a list of messages, each with `text` and, where
there are any, `buttons` and `custom`. Bad requests get 400 or 413 and {"error": ..., "message": ...}.
"""

from __future__ import annotations

import inspect
import logging
from asyncio import Queue
from typing import Any, Awaitable, Callable, Dict, List, Optional, Text

from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.channels.rest import QueueOutputChannel, RestInput as RasaRestInput
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from backtalk.channels.messages import SORRY, BadRequest, WholeReplies, read_message

logger = logging.getLogger(__name__)

OnNewMessage = Callable[[UserMessage], Awaitable[Any]]


class WholeCollector(WholeReplies, CollectingOutputChannel):
    """Collects replies in a list."""


class WholeQueue(WholeReplies, QueueOutputChannel):
    """Puts replies into a queue as they come."""

    has_replied = False

    async def _persist_message(self, message: Dict[Text, Any]) -> None:
        self.has_replied = True
        await super()._persist_message(message)


class RestInput(RasaRestInput):
    """Rasa's REST channel with limits; `max_body_bytes` is the largest request that is read."""

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[Text, Any]]) -> RestInput:
        """Created from credentials.yml."""
        return cls(**(credentials or {}))

    def __init__(self, max_body_bytes: int = 65536) -> None:
        self._max_body_bytes = max_body_bytes

    @staticmethod
    async def on_message_wrapper(
        on_new_message: OnNewMessage,
        text: Text,
        queue: Queue,
        sender_id: Text,
        input_channel: Text,
        metadata: Optional[Dict[Text, Any]],
    ) -> None:
        """Handles a message whose replies are streamed; the stream ends whatever happens."""
        collector = WholeQueue(queue)
        try:
            await on_new_message(UserMessage(text, collector, sender_id, input_channel=input_channel, metadata=metadata))
            if not collector.has_replied:
                await queue.put({"recipient_id": sender_id, "text": SORRY})
        except Exception:
            logger.exception("A message could not be handled")
            await queue.put({"recipient_id": sender_id, "text": SORRY})
        finally:
            await queue.put("DONE")

    def blueprint(self, on_new_message: OnNewMessage) -> Blueprint:
        """The routes of the channel."""
        webhook = Blueprint(f"custom_webhook_{type(self).__name__}", inspect.getmodule(self).__name__)

        @webhook.route("/", methods=["GET"])
        async def health(request: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @webhook.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            try:
                sender, text, metadata = read_message(request, self._max_body_bytes)
            except BadRequest as error:
                return error.response()
            if request.args.get("stream", "").lower() == "true":
                stream = self.stream_response(on_new_message, text, sender, self.name(), metadata)
                return response.stream(stream, content_type="text/event-stream")
            return response.json(await self._replies(on_new_message, text, sender, metadata))

        return webhook

    async def _replies(
        self, on_new_message: OnNewMessage, text: Text, sender: Text, metadata: Optional[Dict[Text, Any]]
    ) -> List[Dict[Text, Any]]:
        collector = WholeCollector()
        try:
            await on_new_message(UserMessage(text, collector, sender, input_channel=self.name(), metadata=metadata))
        except Exception:
            logger.exception("A message could not be handled")
            collector.messages.append({"recipient_id": sender, "text": SORRY})
        # No reply at all means that the action server is away.
        return collector.messages or [{"recipient_id": sender, "text": SORRY}]
