"""Runs on every message: takes in whatever it tells, and sees whether an assessment is due."""

import re
from collections.abc import Iterable
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.tracker import (
    intent_of,
    interview_of,
    message_id_of,
    metadata_of,
    open_question,
    responses_so_far,
    slot_changes,
    tapped,
    topic_of_last_answer,
)
from backtalk.check_in import INTENT
from backtalk.interview import Heard, Interview, doubted, hear, next_question
from backtalk.knowledge import Knowledge, load_knowledge
from backtalk.report import changed_facts, told_of
from backtalk.triage import Outcome
from backtalk.wording import Audience, is_telephone_number

# What a button of ours sends: an intent, perhaps with entities. Anything else behind a slash is somebody's words.
_BUTTON = re.compile(r"^/\w+(?:\{.*\})?$")
# Responses behind which the visitor has left, and whoever comes back with a danger sign is told at once what it means.
_LEFT = ("utter_goodbye", "utter_stopped")
# Intents that say themselves how a conversation goes on after a long silence.
_GOES_ON = ("go_on", "start_over", "better", "same", "worse", INTENT)
_LONGEST_LOCALE = 35
# Messages about the talk itself. The encoder was tuned to messages about backs; what it alone hears in these is asked
# about where it would be an emergency, and else passed over.
_ABOUT_THE_TALK = {
    "go_on", "correct", "go_back", "recap", "summary", "ask_meaning", "ask_example", "refuse", "check_in",
    "cancel_check_in", "better", "same",
}  # fmt: skip
_SURE = 0.8
_CONDITIONS = ("red_flag", "caution", "sign", "onset")


class ActionValidateSlotMappings(Action):
    """Screens the message and fills the slots of the interview."""

    def name(self) -> str:
        return "action_validate_slot_mappings"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        message = message_id_of(tracker)
        if message and message == tracker.get_slot("heard"):
            # Rasa runs this again when a form begins; the message must not be heard twice.
            return []
        knowledge = load_knowledge()
        before, intent = interview_of(tracker), intent_of(tracker)
        question = open_question(tracker) or tracker.get_slot("paused_at")
        entities = [] if _follows_up(tracker, intent) else _about_the_back(tracker, intent, knowledge)
        heard = hear(before, entities, question, intent, knowledge)
        outcome = heard.interview.outcome(knowledge)
        told = tracker.get_slot("assessed")
        events = slot_changes(before, heard.interview)
        if outcome.urgency == knowledge.gravest or told:
            events += _changed(tracker, "urgency", outcome.urgency)
        locale = str(metadata_of(tracker).get("locale") or tracker.get_slot("locale") or "")[:_LONGEST_LOCALE] or None
        page_number = _page_number(tracker)
        settings = knowledge.settings_for(locale, page_number)
        audience = Audience(settings, heard.interview.addressed)
        now = {
            "assessment_due": _is_due(tracker, before, heard, outcome, knowledge),
            "answered": heard.answered,
            "telling": _is_telling(tracker, heard, knowledge),
            "corrected": _corrections(before, heard, outcome, knowledge, audience) or None,
            "paused_at": None,
            "starting_over": bool(tracker.get_slot("starting_over"))
            and (bool(doubted(heard.interview)) or outcome.urgency != knowledge.gravest),
            "returned": bool(tracker.get_slot("returned")) and intent not in _GOES_ON,
            "locale": locale,
            "page_number": page_number,
            "heard": message,
            **settings,
        }
        return [*events, *(event for name, value in now.items() for event in _changed(tracker, name, value))]


def _page_number(tracker: Tracker) -> str | None:
    """The emergency number that the visitor's page sets, if it is one."""
    number = str(metadata_of(tracker).get("emergency_number") or tracker.get_slot("page_number") or "")
    return number if is_telephone_number(number) else None


def _about_the_back(tracker: Tracker, intent: str | None, knowledge: Knowledge) -> list[dict[str, Any]]:
    """The entities of the latest message, without what is hardly meant in one about the talk itself."""
    entities = entities_of(tracker)
    confidence = (tracker.latest_message.get("intent") or {}).get("confidence") or 0
    if intent not in _ABOUT_THE_TALK or confidence < _SURE or tapped(tracker):
        return entities
    if intent == "ask_meaning" and not any(e["entity"] == "patient" for e in entities):
        return [e for e in entities if e["entity"] not in _CONDITIONS]
    return [kept for e in entities if (kept := _as_hardly_meant(e, knowledge))]


def _as_hardly_meant(entity: dict[str, Any], knowledge: Knowledge) -> dict[str, Any] | None:
    is_said = entity.get("worded", True) or entity.get("status") not in ("present", "uncertain")
    if entity["entity"] not in _CONDITIONS or is_said:
        return entity
    flag = knowledge.red_flags.get(entity["value"])
    is_grave = entity["status"] == "present" and flag is not None and flag.level == knowledge.gravest
    return {**entity, "status": "uncertain"} if is_grave else None


def _is_due(tracker: Tracker, before: Interview, heard: Heard, outcome: Outcome, knowledge: Knowledge) -> bool:
    """Whether the visitor must be told the outcome now.

    An emergency at once, and what changes a result as soon as nothing is left to ask; a danger sign told after
    leaving, too.
    """
    told = tracker.get_slot("assessed")
    if told == told_of(outcome) or doubted(heard.interview):
        return False
    if outcome.urgency == knowledge.gravest:
        return True
    if tracker.active_loop:
        return False
    if told:
        return next_question(heard.interview, knowledge, is_told=True) is None
    is_new = set(heard.interview.red_flags) - set(before.red_flags)
    return bool(is_new) and responses_so_far(tracker)[:1] in ([name] for name in _LEFT)


def _follows_up(tracker: Tracker, intent: str | None) -> bool:
    """Whether a message only asks the question before it for another region, telling nothing ("and for the neck?")."""
    entities = tracker.latest_message.get("entities") or ()
    kinds = {entity["entity"] for entity in entities}
    if intent != "follow_up" or not kinds <= {"region", "question"} or open_question(tracker) == "regions":
        return False
    told = any(entity.get("status") == "present" for entity in entities)
    return ("question" in kinds or not told) and topic_of_last_answer(tracker) is not None


def _is_telling(tracker: Tracker, heard: Heard, knowledge: Knowledge) -> bool:
    """Whether something was told that the questionnaire should take up."""
    if tracker.get_slot("assessed"):
        return heard.learned and next_question(heard.interview, knowledge, is_told=True) is not None
    if heard.learned or heard.interview.flags_to_confirm:
        return True
    return _complains(tracker.latest_message.get("entities") or ())


def _complains(entities: Iterable[dict[str, Any]]) -> bool:
    """Whether a message says that something hurts, rather than asks about it."""
    kinds = {e["entity"] for e in entities if e.get("status", "present") == "present"}
    return "complaint" in kinds and "question" not in kinds


def _corrections(
    before: Interview, heard: Heard, outcome: Outcome, knowledge: Knowledge, audience: Audience
) -> list[str]:
    """What a message changes of that which was told before; one sentence each."""
    if not heard.corrected:
        return []
    said = {**heard.interview.said, knowledge.long_duration.id: heard.interview.duration or ""}
    return changed_facts(told_of(before.outcome(knowledge)), outcome, said, knowledge, audience)


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
