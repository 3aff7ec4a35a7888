"""Rasa's SQL tracker store with a short memory."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice
from typing import Any, Iterator, List, Optional, Text

import sqlalchemy as sa
from rasa.core.agent import Agent
from rasa.core.tracker_store import SQLTrackerStore, TrackerStore
from rasa.shared.core.events import ReminderScheduled, SessionStarted
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.orm import Session


# So many conversations are erased at once.
_AT_ONCE = 200


@dataclass
class _Remembered:
    """A conversation as it was saved last: the number of its events, the id of the last one, and whether it is in use since."""

    tracker: DialogueStateTracker
    events: int
    last_id: Optional[int]
    in_use: bool = False


class RememberingTrackerStore(SQLTrackerStore):
    """Keeps the conversations that it saved last in memory too, and does not read them from the database again.

    The database stays the truth: a conversation is remembered by the id of its last event, and read anew when that is no longer
    the last one there, because another server went on with it. A conversation that is in use is not in memory, so that one
    whose message failed half-way is read anew as well.
    """

    def __init__(self, *args: Any, remembered: int = 500, **kwargs: Any) -> None:
        """`remembered`: the number of conversations in memory; the other arguments are those of Rasa's store."""
        super().__init__(*args, **kwargs)
        self._most = remembered
        self._remembered: OrderedDict[Text, _Remembered] = OrderedDict()
        events = self.SQLEvent
        self._last_id_query = sa.select([sa.func.max(events.id)]).where(events.sender_id == sa.bindparam("sender_id"))

    async def retrieve(self, sender_id: Text) -> Optional[DialogueStateTracker]:
        """The latest session of a conversation."""
        known = self._remembered.get(sender_id)
        if known is None or known.in_use:
            return await super().retrieve(sender_id)
        if known.last_id == self._last_id(sender_id):
            known.in_use = True
            return known.tracker
        del self._remembered[sender_id]
        return await super().retrieve(sender_id)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Writes the events that are new, and remembers the conversation."""
        await super().save(tracker)
        self._remembered.pop(tracker.sender_id, None)
        # The database gives out the latest session only, so one with an earlier session before it is read anew. An event
        # broker is told what differs from the database, so with one everything is read from there.
        several_sessions = any(isinstance(event, SessionStarted) for event in islice(tracker.events, 2, None))
        if tracker.events and not several_sessions and not self.event_broker:
            self._remembered[tracker.sender_id] = _Remembered(tracker, len(tracker.events), self._last_id(tracker.sender_id))
            while len(self._remembered) > self._most:
                self._remembered.popitem(last=False)

    def senders_with_reminders(self, since: float) -> List[Text]:
        """The conversations in which a reminder was set since a moment, in seconds of the epoch."""
        events = self.SQLEvent
        query = sa.select([events.sender_id]).where(events.type_name == ReminderScheduled.type_name, events.timestamp > since).distinct()
        return self._senders(query)

    async def erase(self, sender_id: Text) -> None:
        """Erases every event of a conversation. Hold its lock, as a message that is being handled would be written after it."""
        self._remembered.pop(sender_id, None)
        self._delete(self.SQLEvent.sender_id == sender_id)

    async def erase_before(self, timestamp: float) -> int:
        """Erases the conversations whose latest event is older than a moment, in seconds of the epoch; returns how many."""
        events = self.SQLEvent
        query = sa.select([events.sender_id]).group_by(events.sender_id).having(sa.func.max(events.timestamp) < timestamp)
        senders = await asyncio.get_running_loop().run_in_executor(None, self._senders, query)
        newer = sa.orm.aliased(events)
        # One that went on meanwhile stays.
        is_over = ~sa.exists().where(newer.sender_id == events.sender_id, newer.timestamp >= timestamp)
        count = 0
        for start in range(0, len(senders), _AT_ONCE):
            part = senders[start:start + _AT_ONCE]
            self._delete(events.sender_id.in_(part), is_over)
            left = set(self._senders(sa.select([events.sender_id]).where(events.sender_id.in_(part)).distinct()))
            for sender in set(part) - left:
                self._remembered.pop(sender, None)
            count += len(part) - len(left)
            # Messages that wait come in between.
            await asyncio.sleep(0)
        return count

    def _senders(self, query: sa.sql.Select) -> List[Text]:
        with self.engine.connect() as connection:
            return [row[0] for row in connection.execute(query)]

    def _delete(self, *conditions: Any) -> None:
        """Deletes the events for which all conditions hold."""
        with self.engine.begin() as connection:
            if self.engine.dialect.name == "sqlite":
                # Otherwise SQLite only marks the space as free, and the words stay in the file.
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            connection.execute(self.SQLEvent.__table__.delete().where(*conditions))

    def _additional_events(self, session: Session, tracker: DialogueStateTracker) -> Iterator:
        """The events that are not in the database yet; how many are is known of a conversation from memory."""
        known = self._remembered.get(tracker.sender_id)
        if known and known.tracker is tracker:
            return islice(tracker.events, known.events, None)
        return super()._additional_events(session, tracker)

    def _last_id(self, sender_id: Text) -> Optional[int]:
        with self.engine.connect() as connection:
            return connection.execute(self._last_id_query, {"sender_id": sender_id}).scalar()


def store_of(agent: Agent) -> TrackerStore:
    """The tracker store of an agent itself, without the wrapper in which Rasa catches its errors."""
    return getattr(agent.tracker_store, "_tracker_store", agent.tracker_store)
