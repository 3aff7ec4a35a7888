"""Runs on every message: takes in whatever it tells, and sees whether an assessment is due."""

import re
from typing import Any, Iterable

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.assessment import signature
from actions.tracker import intent_of, interview_of, open_question, slot_changes, topic_of_last_answer
from backtalk.interview import Heard, hear, next_question
from backtalk.knowledge import load_knowledge

# What a button of ours sends: an intent, perhaps with entities. Anything else behind a slash is somebody's words.
_BUTTON = re.compile(r"^/\w+(?:\{.*\})?$")


class ActionValidateSlotMappings(Action):
    """Screens the message and fills the slots of the interview."""

    def name(self) -> str:
        return "action_validate_slot_mappings"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        knowledge = load_knowledge()
        before = interview_of(tracker)
        intent = intent_of(tracker)
        entities = [] if _follows_up(tracker, intent) else entities_of(tracker)
        heard = hear(before, entities, open_question(tracker), intent, knowledge)
        outcome = heard.interview.outcome(knowledge)
        told = tracker.get_slot("assessed")
        is_emergency = outcome.urgency == knowledge.gravest
        events = slot_changes(before, heard.interview)
        if is_emergency or (told and not tracker.active_loop):
            events += _changed(tracker, "urgency", outcome.urgency)
            is_news = is_emergency and signature(outcome) != told
            is_news = is_news or (signature(outcome) != told and not next_question(heard.interview, knowledge))
        else:
            is_news = False
        events += _changed(tracker, "assessment_due", is_news)
        events += _changed(tracker, "answered", heard.answered)
        events += _changed(tracker, "telling", _is_telling(tracker, heard))
        for name, value in knowledge.settings.items():
            events += _changed(tracker, name, value)
        return events


def _follows_up(tracker: Tracker, intent: str | None) -> bool:
    """Whether a message only asks the question before it for another region, and tells nothing ("and for the neck?")."""
    entities = tracker.latest_message.get("entities") or ()
    kinds = {entity["entity"] for entity in entities}
    if intent != "follow_up" or not kinds <= {"region", "question"} or open_question(tracker) == "regions":
        return False
    told = any(entity.get("status") == "present" for entity in entities)
    return ("question" in kinds or not told) and topic_of_last_answer(tracker) is not None


def _is_telling(tracker: Tracker, heard: Heard) -> bool:
    """Whether something was told that the questionnaire should take up."""
    if tracker.get_slot("assessed"):
        return heard.learned and next_question(heard.interview, load_knowledge()) is not None
    return heard.learned or bool(heard.interview.flags_to_confirm) or _complains(tracker.latest_message.get("entities") or ())


def _complains(entities: Iterable[dict[str, Any]]) -> bool:
    """Whether a message says that something hurts, rather than asks about it."""
    kinds = {e["entity"] for e in entities if e.get("status", "present") == "present"}
    return "complaint" in kinds and "question" not in kinds


def _changed(tracker: Tracker, slot: str, value: Any) -> list[EventType]:
    return [SlotSet(slot, value)] if tracker.get_slot(slot) != value else []


def entities_of(tracker: Tracker) -> list[dict[str, Any]]:
    """The entities of the latest message; of one that only looks like a button's, those of its words."""
    text = (tracker.latest_message.get("text") or "").strip()
    if not text.startswith("/") or _BUTTON.match(text):
        return tracker.latest_message.get("entities") or []
    # Imported here because spaCy is needed for this rare case only.
    from backtalk.language import load_reader
    from backtalk.language.entities import to_entities

    return to_entities(load_reader().read(text.lstrip("/")), "ClinicalFindings")
