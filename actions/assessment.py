"""The assessment message."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.tracker import interview_of
from backtalk.knowledge import load_knowledge
from backtalk.report import assessment_payload, assessment_text
from backtalk.triage import Outcome

RAISED = "That changes things. What I said before about easing it at home no longer holds."
CHANGED = "Thank you, I have worked it out again with what you told me."


def signature(outcome: Outcome) -> dict[str, Any]:
    """What of an outcome, once told, makes a new assessment worth telling when it changes."""
    return {
        "urgency": outcome.urgency,
        "regions": list(outcome.facts.regions),
        "red_flags": list(outcome.facts.red_flags),
        "cautions": list(outcome.facts.cautions),
        "rules": [rule.id for rule in outcome.rules],
        "relief": [[suggestion.id, suggestion.caution] for suggestion in outcome.relief],
    }


class ActionAssessment(Action):
    """Tells the outcome, or that nothing has changed, and ends the questionnaire."""

    def name(self) -> str:
        return "action_assessment"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        knowledge = load_knowledge()
        interview = interview_of(tracker)
        outcome = interview.outcome(knowledge)
        told = tracker.get_slot("assessed")
        said = {**interview.said, knowledge.long_duration.id: interview.duration or ""}
        if told == signature(outcome):
            dispatcher.utter_message(response="utter_unchanged")
        else:
            dispatcher.utter_message(
                text=assessment_text(outcome, said, knowledge, interview.unsure, _opening(told, outcome)),
                json_message=assessment_payload(outcome, said, knowledge),
            )
        return [
            SlotSet("urgency", outcome.urgency),
            SlotSet("regions", list(outcome.facts.regions)),
            SlotSet("red_flags", list(outcome.facts.red_flags)),
            SlotSet("cautions", list(outcome.facts.cautions)),
            SlotSet("assessed", signature(outcome)),
            SlotSet("assessment_due", False),
            SlotSet("telling", False),
            ActiveLoop(None),
            SlotSet("requested_slot", None),
        ]


def _opening(told: dict[str, Any] | None, outcome: Outcome) -> str:
    """What opens an assessment that replaces an earlier one."""
    if not told:
        return ""
    return RAISED if told["relief"] and not outcome.relief else CHANGED
