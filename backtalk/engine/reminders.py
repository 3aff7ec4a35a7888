"""Sets Rasa's reminders anew when the server starts.

Rasa keeps them in memory, and in the conversation as events; here those that are still to come are read from there.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import InputChannel
from rasa.core.jobs import scheduler
from rasa.shared.core.constants import ACTION_NAME_SENDER_ID_CONNECTOR_STR
from rasa.shared.core.events import ReminderScheduled
from rasa.shared.core.trackers import DialogueStateTracker
from sanic import Sanic

from backtalk.check_in import DUE
from backtalk.engine.tracker_store import RememberingTrackerStore, StoreUnavailable

logger = logging.getLogger(__name__)

# Older reminders than this are of no use to anybody.
_OLDEST = timedelta(days=30)
# What fell due while the server was down is sent so long after the start, when its channels are open.
_AT_ONCE = timedelta(seconds=2)
_JOB = __name__


async def set_reminders_anew(app: Sanic[Any, Any]) -> None:
    """Schedules the check-ins that are due in the future, and those that fell due while no server ran.

    It is done in the background. Where the store of conversations is away, it is tried again every minute.
    """
    (await scheduler()).add_job(
        _set_all,
        "interval",
        minutes=1,
        next_run_time=datetime.now(UTC),
        misfire_grace_time=None,
        coalesce=True,
        args=[app],
        id=_JOB,
        replace_existing=True,
    )


async def _set_all(app: Sanic[Any, Any]) -> None:
    agent = app.ctx.agent
    store = agent.tracker_store
    channels = {channel.name(): channel for channel in getattr(app.ctx, "input_channels", None) or ()}
    count = 0
    if isinstance(store, RememberingTrackerStore) and agent.processor:
        try:
            senders = await store.senders_with_reminders(time.time() - _OLDEST.total_seconds())
            # All of each: the reminder may stand before the part that the bot works with.
            trackers = [tracker for sender in senders if (tracker := await store.retrieve_full_tracker(sender))]
        except StoreUnavailable:
            return
        for tracker in trackers:
            count += await _set(agent, tracker, channels.get(tracker.get_latest_input_channel() or ""))
    if count:
        logger.info("%d check-ins are set.", count)
    (await scheduler()).remove_job(_JOB)


async def _set(agent: Agent, tracker: DialogueStateTracker, channel: InputChannel | None) -> bool:
    """Schedules the check-in that a conversation waits for; whether there is one."""
    event = _pending(tracker)
    output = channel.get_output_channel() if channel else None
    if event is None or output is None or agent.processor is None:
        return False
    due = event.trigger_date_time
    due = max(due if due.tzinfo else due.replace(tzinfo=UTC), datetime.now(UTC) + _AT_ONCE)
    (await scheduler()).add_job(
        agent.processor.handle_reminder,
        "date",
        run_date=due,
        args=[event, tracker.sender_id, output],
        id=event.name,
        replace_existing=True,
        # A busy moment must not lose it.
        misfire_grace_time=None,
        name=event.scheduled_job_name(tracker.sender_id),
    )
    return True


async def cancel_reminders(sender: str) -> None:
    """Takes the reminders of a conversation out of this server's schedule."""
    for job in (await scheduler()).get_jobs():
        if job.name.endswith(f"{ACTION_NAME_SENDER_ID_CONNECTOR_STR}{sender}"):
            job.remove()


def is_still_due(tracker: DialogueStateTracker, reminder: ReminderScheduled) -> bool:
    """Whether a reminder is the check-in that the conversation waits for.

    It is not where it was cancelled, set anew, or sent by another server.
    """
    due = tracker.get_slot(DUE)
    return bool(due) and datetime.fromisoformat(due) == reminder.trigger_date_time


def _pending(tracker: DialogueStateTracker) -> ReminderScheduled | None:
    """The reminder of a check-in that was neither cancelled nor sent."""
    if not tracker.get_slot(DUE):
        return None
    return next((event for event in reversed(tracker.events) if isinstance(event, ReminderScheduled)), None)
