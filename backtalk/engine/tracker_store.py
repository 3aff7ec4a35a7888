"""Rasa's SQL tracker store with a short memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice
from typing import Any, Iterator, List, Optional, Text

import sqlalchemy as sa
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.events import ReminderScheduled, SessionStarted
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.orm import Session


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
        with self.engine.connect() as connection:
            return [row[0] for row in connection.execute(query)]

    def _additional_events(self, session: Session, tracker: DialogueStateTracker) -> Iterator:
        """The events that are not in the database yet; how many are is known of a conversation from memory."""
        known = self._remembered.get(tracker.sender_id)
        if known and known.tracker is tracker:
            return islice(tracker.events, known.events, None)
        return super()._additional_events(session, tracker)

    def _last_id(self, sender_id: Text) -> Optional[int]:
        with self.engine.connect() as connection:
            return connection.execute(self._last_id_query, {"sender_id": sender_id}).scalar()
