"""Reads an interview from a tracker's slots and writes it back."""

from dataclasses import fields
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet

from backtalk.interview import Interview

FORM = "spasm_assessment"
_TUPLES = {"regions", "red_flags", "cautions", "signs", "flags_to_confirm", "cleared", "unsure", "offered"}


def interview_of(tracker: Tracker) -> Interview:
    """The interview that the slots hold."""
    return Interview(**{name: _from_slot(name, value) for name, value in tracker.slots.items() if name in _FIELDS and value is not None})


def slot_changes(before: Interview, after: Interview) -> list[EventType]:
    """The events that turn one interview's slots into another's."""
    return [
        SlotSet(name, _to_slot(getattr(after, name)))
        for name in _FIELDS
        if getattr(after, name) != getattr(before, name)
    ]


def open_question(tracker: Tracker) -> str | None:
    """The question of the questionnaire that waits for an answer."""
    return tracker.get_slot("requested_slot") if tracker.active_loop.get("name") == FORM else None


def tapped(tracker: Tracker) -> bool:
    """Whether the latest message came from a button or was typed as one."""
    return str(tracker.latest_message.get("text") or "").startswith("/")


_FIELDS = {field.name for field in fields(Interview)}


def _from_slot(name: str, value: Any) -> Any:
    return tuple(value) if name in _TUPLES else value


def _to_slot(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
