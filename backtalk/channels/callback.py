"""Replies are posted to an address of the site's own.

POST /webhooks/callback/webhook {"sender": "...", "message": "..."}; every reply is posted to `url`, each whole. As the
bot can write first here, it offers a check-in. Who may call, and what is refused: see `programs`.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import Any

import aiohttp
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from backtalk.channels import settings
from backtalk.channels.messages import BadRequest, WholeReplies
from backtalk.channels.programs import OnNewMessage, ProgramInput, failed_reply, handled

logger = logging.getLogger(__name__)

# How long a site may take for a reply.
_SITE_SECONDS = 10
# What Rasa takes of an endpoint.
_OF_AN_ENDPOINT = {"url", "params", "headers", "basic_auth", "token", "token_name", "cafile"}


class WholeCallback(WholeReplies):
    """Posts each reply as one. What the site does not take is logged, and kept in the conversation as all else."""

    def __init__(self, endpoint: EndpointConfig) -> None:
        self._endpoint = endpoint
        self.has_replied = False

    @classmethod
    def name(cls) -> str:
        """As Rasa's own, for responses that are for one channel only."""
        return "callback"

    async def give_out(self, reply: dict[str, Any]) -> None:
        """Posts a reply; whatever the site makes of it, the turn goes on."""
        self.has_replied = True
        try:
            async with asyncio.timeout(_SITE_SECONDS):
                await self._endpoint.request("post", content_type="application/json", json=reply)
        except (aiohttp.ClientError, ClientResponseError, OSError, ValueError) as error:
            logger.error("A reply could not be posted: %s", type(error).__name__)


class CallbackInput(ProgramInput):
    """The callback channel."""

    @classmethod
    def name(cls) -> str:
        """The channel's name."""
        return "callback"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> CallbackInput:
        """Created from credentials.yml. Raises SettingsError.

        It takes the limits of `programs`, and what Rasa takes of an endpoint, of which `url` must be there.
        """
        given, limits = credentials or {}, inspect.signature(ProgramInput).parameters
        place = {name: value for name, value in given.items() if name not in limits}
        if unknown := sorted(set(place) - _OF_AN_ENDPOINT):
            names = ", ".join(sorted({*limits, *_OF_AN_ENDPOINT}))
            raise settings.SettingsError(
                f"credentials.yml: {cls.__name__} has no setting {unknown[0]!r}, only {names}."
            )
        if not isinstance(place.get("url"), str):
            raise settings.SettingsError(f"credentials.yml: {cls.__name__} needs the url to which replies are posted.")
        return cls(EndpointConfig.from_dict(place), **{name: given[name] for name in given if name in limits})

    def __init__(self, endpoint: EndpointConfig, **limits: Any) -> None:
        """`endpoint`: where replies go; `limits`: see `programs`."""
        super().__init__(**limits)
        self._endpoint = endpoint

    def blueprint(self, on_new_message: OnNewMessage) -> Blueprint:
        """The routes of the channel."""
        webhook = Blueprint("callback_webhook")

        @webhook.route("/", methods=["GET"])
        async def health(_: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @webhook.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            try:
                message = await self.read(request)
            except BadRequest as error:
                return error.response()
            output = self.get_output_channel()
            failed = await handled(on_new_message, message, output)
            # No reply at all means that the action server is away.
            if failed or not output.has_replied:
                await output.give_out(failed_reply(failed, message))
            return response.text("success")

        return webhook

    def get_output_channel(self) -> WholeCallback:
        """A channel that posts to the address of the site."""
        return WholeCallback(self._endpoint)
