"""The assessment message."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.check_in import OFFER, when
from actions.tracker import audience_of, can_be_written_to, interview_of
from backtalk.interview import QUESTIONS, Interview
from backtalk.knowledge import Knowledge, load_knowledge
from backtalk.report import (
    UNCHANGED_ADVICE,
    assessment_card,
    assessment_payload,
    card_text,
    changed_text,
    changes,
    same_advice,
    told_of,
)
from backtalk.triage import Outcome

WORKED_OUT_AGAIN = "I have worked it out again."


class ActionAssessment(Action):
    """Tells the outcome, or what has changed since it was told, and ends the questionnaire."""

    def name(self) -> str:
        return "action_assessment"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        knowledge = load_knowledge()
        interview, audience = interview_of(tracker), audience_of(tracker)
        outcome = interview.outcome(knowledge)
        told = tracker.get_slot("assessed")
        said = {**interview.said, knowledge.long_duration.id: interview.duration or ""}
        if told == told_of(outcome):
            dispatcher.utter_message(response="utter_unchanged")
        else:
            changed = [WORKED_OUT_AGAIN, *changes(told, outcome, said, knowledge, audience)] if told else []
            payload = assessment_payload(outcome, said, knowledge, audience)
            if told and same_advice(told, outcome):
                text = f"{changed_text(changed)}\n{UNCHANGED_ADVICE}"
            else:
                left_open = _left_open(interview, outcome, knowledge)
                payload["card"] = assessment_card(outcome, said, knowledge, left_open, changed, audience)
                text = card_text(payload["card"])
            dispatcher.utter_message(text=text, json_message=payload)
        offered = _offer_check_in(dispatcher, tracker, outcome.urgency == knowledge.gravest)
        return [
            SlotSet("urgency", outcome.urgency),
            SlotSet("regions", list(outcome.facts.regions)),
            SlotSet("red_flags", list(outcome.facts.red_flags)),
            SlotSet("cautions", list(outcome.facts.cautions)),
            SlotSet("assessed", told_of(outcome)),
            SlotSet("assessment_due", False),
            SlotSet("telling", False),
            *([SlotSet("check_in_offered", True)] if offered else []),
            ActiveLoop(None),
            SlotSet("requested_slot", None),
        ]


def _left_open(interview: Interview, outcome: Outcome, knowledge: Knowledge) -> tuple[str, ...]:
    """What stayed open, with the questions that nobody asked because the visitor took back what had ended them."""
    if not knowledge.urgency[outcome.urgency].relief:
        return interview.unsure
    return (*interview.unsure, *(question for question in QUESTIONS if interview.is_open(question)))


def _offer_check_in(dispatcher: CollectingDispatcher, tracker: Tracker, is_emergency: bool) -> bool:
    """Offers once to ask again later how it is, where the channel lets the bot write first."""
    if is_emergency or tracker.get_slot("check_in_offered") or not can_be_written_to(tracker):
        return False
    dispatcher.utter_message(response=OFFER, when=when())
    return True
