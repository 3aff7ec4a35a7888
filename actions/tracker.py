"""Reads an interview from a tracker's slots and writes it back."""

from dataclasses import fields
from datetime import datetime, timezone
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet

from backtalk.interview import Interview, next_question
from backtalk.knowledge import load_knowledge
from backtalk.summary import Summary, recap_text, summarize
from backtalk.wording import Audience

FORM = "spasm_assessment"
# What the responses with answers to questions begin with.
ANSWERS = ("utter_faq/", "utter_relief/")
_TUPLES = {
    "regions", "red_flags", "cautions", "signs", "flags_to_confirm", "cleared", "unsure", "unknown", "offered", "trail",
    "reopened",
}  # fmt: skip


def interview_of(tracker: Tracker) -> Interview:
    """The interview that the slots hold."""
    filled = {name: value for name, value in tracker.slots.items() if name in _FIELDS and value is not None}
    return Interview(**{name: _from_slot(name, value) for name, value in filled.items()})


def slot_changes(before: Interview, after: Interview) -> list[EventType]:
    """The events that turn one interview's slots into another's."""
    return [
        SlotSet(name, _to_slot(getattr(after, name)))
        for name in _FIELDS
        if getattr(after, name) != getattr(before, name)
    ]


def next_question_of(tracker: Tracker) -> str | None:
    """What is to be asked next."""
    return next_question(interview_of(tracker), load_knowledge(), bool(tracker.get_slot("assessed")))


def audience_of(tracker: Tracker) -> Audience:
    """Whom the bot speaks to: of whose back, and with which numbers."""
    settings = load_knowledge().settings_for(tracker.get_slot("locale"), tracker.get_slot("page_number"))
    return Audience(settings, interview_of(tracker).addressed)


def can_be_written_to(tracker: Tracker) -> bool:
    """Whether the visitor's channel lets the bot write first."""
    return tracker.get_latest_input_channel() in load_knowledge().check_in.channels


def summary_of(tracker: Tracker) -> Summary:
    """The summary of what was told so far."""
    told = tracker.get_slot("assessed")
    return summarize(interview_of(tracker), load_knowledge(), audience_of(tracker), datetime.now(timezone.utc), told)


def recap_of(tracker: Tracker) -> str:
    """What was told so far, as a short list."""
    return recap_text(summary_of(tracker))


def help_response(tracker: Tracker) -> str:
    """The response that says what can be asked or answered now."""
    return "utter_help_in_questionnaire" if open_question(tracker) else "utter_help"


def open_question(tracker: Tracker) -> str | None:
    """The question of the questionnaire that waits for an answer."""
    return tracker.get_slot("requested_slot") if tracker.active_loop.get("name") == FORM else None


def tapped(tracker: Tracker) -> bool:
    """Whether the latest message came from a button or was typed as one."""
    return str(tracker.latest_message.get("text") or "").startswith("/")


def intent_of(tracker: Tracker) -> str | None:
    """The intent of the latest message."""
    return (tracker.latest_message.get("intent") or {}).get("name")


def metadata_of(tracker: Tracker) -> dict[str, Any]:
    """What the channel sent along with the latest message."""
    metadata = _latest_user_event(tracker).get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def message_id_of(tracker: Tracker) -> str | None:
    """Rasa's id of the latest message."""
    return _latest_user_event(tracker).get("message_id")


def _latest_user_event(tracker: Tracker) -> dict[str, Any]:
    return next((event for event in reversed(tracker.events) if event["event"] == "user"), {})


def answers_yes(tracker: Tracker) -> bool:
    """Whether the latest message says yes."""
    answers = [e["value"] for e in tracker.latest_message.get("entities") or () if e["entity"] == "answer"]
    return answers[:1] == ["yes"] or intent_of(tracker) == "affirm"


def actions_of_this_turn(tracker: Tracker) -> list[str]:
    """The actions that ran since the latest message, newest first."""
    return _actions_between(tracker, 0)


def actions_of_last_turn(tracker: Tracker) -> list[str]:
    """The actions that replied to the message before the latest, newest first."""
    return _actions_between(tracker, 1)


def responses_so_far(tracker: Tracker, since_intent: str | None = None) -> list[str]:
    """The names of the bot's responses, newest first, back to a message with an intent where one is named."""
    names = []
    for event in reversed(tracker.events):
        if event["event"] == "user" and since_intent and intent_of_event(event) == since_intent:
            break
        if event["event"] == "bot":
            names.append((event.get("metadata") or {}).get("utter_action") or "")
    return names


def replies_so_far(tracker: Tracker) -> list[tuple[str, str]]:
    """The response's name, empty where it has none, and the text of each reply of the bot, newest first."""
    return [
        ((event.get("metadata") or {}).get("utter_action") or "", event.get("text") or "")
        for event in reversed(tracker.events)
        if event["event"] == "bot"
    ]


def intent_of_event(event: dict[str, Any]) -> str | None:
    """The intent of a user event."""
    return ((event.get("parse_data") or {}).get("intent") or {}).get("name")


def topic_of_last_answer(tracker: Tracker) -> str | None:
    """The topic ("faq/causes") of the answer that the bot gave to the message before the latest, if it gave one."""
    before = False
    for event in reversed(tracker.events):
        if event["event"] == "user":
            if before:
                return None
            before = True
        elif event["event"] == "bot" and before:
            response = (event.get("metadata") or {}).get("utter_action") or ""
            if response.startswith(ANSWERS):
                return response.removeprefix("utter_")
    return None


def _actions_between(tracker: Tracker, messages: int) -> list[str]:
    """The actions that have exactly so many user messages behind them."""
    names, seen = [], 0
    for event in reversed(tracker.events):
        if event["event"] == "user":
            seen += 1
        elif event["event"] == "action" and seen == messages:
            names.append(event["name"])
        if seen > messages:
            break
    return names


_FIELDS = {field.name for field in fields(Interview)}


def _from_slot(name: str, value: Any) -> Any:
    return tuple(value) if name in _TUPLES else value


def _to_slot(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
