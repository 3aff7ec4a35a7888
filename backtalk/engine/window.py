"""Keeps a long conversation as quick as a short one.

Rasa walks through all events of a session for every prediction and every action. Of a session that has grown long, the
bot works with its latest part, behind events that set what was known before. The store keeps all of it.
"""

from __future__ import annotations

from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, Event, SessionStarted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

# A session with more events than the first is worked with from about the second on: some 60 and 30 messages.
LONG, KEPT = 600, 300


def latest_part(tracker: DialogueStateTracker, domain: Domain) -> DialogueStateTracker:
    """The tracker itself, or where its session is long one with the same state and its latest events."""
    if len(tracker.events) <= LONG:
        return tracker
    events = list(tracker.events)
    listening = (
        number
        for number in range(len(events) - KEPT, 0, -1)
        if isinstance(event := events[number], ActionExecuted) and event.action_name == ACTION_LISTEN_NAME
    )
    cut = next(listening, 0)
    if not cut:
        return tracker
    before = DialogueStateTracker.from_events(tracker.sender_id, events[:cut], domain.slots)
    known = _as_known(before)
    part = DialogueStateTracker.from_events(tracker.sender_id, [*known, *events[cut:]], domain.slots)
    part.model_id, part.assistant_id = tracker.model_id, tracker.assistant_id
    return part


def _as_known(before: DialogueStateTracker) -> list[Event]:
    """Events that lead to the state of a tracker."""
    moment = before.events[-1].timestamp
    events: list[Event] = [
        ActionExecuted(ACTION_SESSION_START_NAME, timestamp=moment),
        SessionStarted(timestamp=moment),
    ]
    changed = (slot for slot in before.slots.values() if slot.value != slot.initial_value)
    events.extend(SlotSet(slot.name, slot.value, timestamp=moment) for slot in changed)
    if before.active_loop_name:
        events.append(ActiveLoop(before.active_loop_name, timestamp=moment))
    return events
