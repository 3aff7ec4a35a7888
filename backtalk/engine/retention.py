"""Erases conversations when they have been kept for as long as the site wants.

How long that is stands under `privacy` in data/knowledge/settings.yml.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Any

from rasa.core.agent import Agent
from rasa.core.jobs import scheduler
from sanic import Sanic

from backtalk.engine.tracker_store import RememberingTrackerStore
from backtalk.knowledge import load_knowledge

logger = logging.getLogger(__name__)

DAY_SECONDS = 86400
# How often is looked.
_HOURS = 6


async def erase_old_conversations(app: Sanic[Any, Any]) -> None:
    """Erases what is too old now and every few hours, in the background.

    What fails is logged, and tried again the next time.
    """
    (await scheduler()).add_job(
        erase_older_than,
        "interval",
        hours=_HOURS,
        next_run_time=datetime.now(UTC),
        misfire_grace_time=None,
        coalesce=True,
        args=[app.ctx.agent, load_knowledge().privacy.keep_days],
        id=__name__,
        replace_existing=True,
    )


async def erase_older_than(agent: Agent, days: int) -> int:
    """Erases the conversations in which nothing was said for so many days; returns how many."""
    store = agent.tracker_store
    if not isinstance(store, RememberingTrackerStore):
        logger.warning("Old conversations stay: %s cannot erase any.", type(store).__name__)
        return 0
    count = await store.erase_before(time.time() - days * DAY_SECONDS)
    if count:
        logger.info("Conversations erased, as they are older than %d days: %d.", days, count)
    return count
