"""Reads and erases a conversation where Rasa keeps it.

This is done under its lock, so that it is never met half-way through a message.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rasa.core.agent import Agent
from rasa.core.lock_store import LockError
from rasa.shared.core.events import Event

from backtalk.channels.messages import EMERGENCY, BadRequest
from backtalk.channels.web import history
from backtalk.channels.web.pushes import Conversations
from backtalk.engine.reminders import cancel_reminders
from backtalk.engine.tracker_store import RememberingTrackerStore

logger = logging.getLogger(__name__)

# How often is looked whether a message before is done, in seconds.
_WAIT = 0.1


async def read_history(agent: Agent, sender: str, conversations: Conversations) -> list[dict[str, Any]]:
    """All messages of a conversation, as `history.shown` makes them.

    What was kept for a listener is forgotten: it is among them.
    Raises BadRequest while the conversation is busy for long.
    """
    async with _locked(agent, sender):
        messages = history.shown(await _events(agent, sender))
        conversations.forget(sender)
    return messages


async def replies_to(agent: Agent, sender: str, message_id: str) -> list[dict[str, Any]] | None:
    """What was answered to a message, or None where it was never handled.

    Raises BadRequest while the conversation is busy for long.
    """
    async with _locked(agent, sender):
        return history.replies_to(await _events(agent, sender), message_id)


async def erase(agent: Agent, sender: str, conversations: Conversations) -> None:
    """Erases all that is kept of a conversation: events, memory, messages for a listener, and reminders.

    An event broker, where there is one, has been told before, and is not reached. Raises BadRequest where the tracker
    store cannot erase, and while the conversation is busy for long.
    """
    store = agent.tracker_store
    if not isinstance(store, RememberingTrackerStore):
        logger.error("A visitor asked to erase a conversation, which %s cannot do.", type(store).__name__)
        raise BadRequest(
            501, "cannot_erase", "This chat cannot be deleted here. Please ask the owner of this site to delete it."
        )
    async with _locked(agent, sender):
        await cancel_reminders(sender)
        await store.erase(sender)
        conversations.forget(sender)


async def _events(agent: Agent, sender: str) -> list[Event]:
    tracker = await agent.tracker_store.retrieve_full_tracker(sender)
    return list(tracker.events) if tracker else []


@asynccontextmanager
async def _locked(agent: Agent, sender: str) -> AsyncIterator[None]:
    try:
        async with agent.lock_store.lock(sender, wait_time_in_seconds=_WAIT):
            yield
    except LockError:
        logger.exception("A conversation stayed locked")
        words = f"I am still busy with your last message. Please try again in a minute. {EMERGENCY}"
        raise BadRequest(503, "busy", words) from None
