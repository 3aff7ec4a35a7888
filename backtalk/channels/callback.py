"""Rasa's callback channel with checked input and whole replies: answers are posted to an address of the site's own.

POST /webhooks/callback/webhook {"sender": "...", "message": "..."}; every reply is posted to `url`. As the bot can write first here,
it offers a check-in.
"""

from __future__ import annotations

import logging
from typing import Any, Awaitable, Callable, Dict, Optional, Text

from rasa.core.channels.callback import CallbackInput as RasaCallbackInput
from rasa.core.channels.callback import CallbackOutput
from rasa.core.channels.channel import UserMessage
from rasa.utils.endpoints import EndpointConfig
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from backtalk.channels.messages import BadRequest, WholeReplies, read_message

logger = logging.getLogger(__name__)


class WholeCallback(WholeReplies, CallbackOutput):
    """Posts each reply as one."""


class CallbackInput(RasaCallbackInput):
    """The callback channel; `url` is where replies go, `max_body_bytes` the largest request that is read."""

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[Text, Any]]) -> CallbackInput:
        """Created from credentials.yml."""
        settings = dict(credentials or {})
        max_body_bytes = settings.pop("max_body_bytes", 65536)
        return cls(EndpointConfig.from_dict(settings), max_body_bytes)

    def __init__(self, endpoint: EndpointConfig, max_body_bytes: int = 65536) -> None:
        super().__init__(endpoint)
        self._max_body_bytes = max_body_bytes

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The routes of the channel."""
        webhook = Blueprint("callback_webhook", __name__)

        @webhook.route("/", methods=["GET"])
        async def health(_: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @webhook.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            try:
                sender, text, metadata = read_message(request, self._max_body_bytes)
            except BadRequest as error:
                return error.response()
            message = UserMessage(text, self.get_output_channel(), sender, input_channel=self.name(), metadata=metadata)
            await on_new_message(message)
            return response.text("success")

        return webhook

    def get_output_channel(self) -> WholeCallback:
        """A channel that posts to the address of the site."""
        return WholeCallback(self.callback_endpoint)
