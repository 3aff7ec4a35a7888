"""Greeting, and what the bot says where nothing else fits."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, FollowupAction
from rasa_sdk.executor import CollectingDispatcher

from actions.check_in import ActionAfterResult
from actions.questionnaire import NOT_UNDERSTOOD
from actions.tracker import FORM, actions_of_last_turn, intent_of, open_question, responses_so_far

# Responses that ask whether to go through the questionnaire.
OFFERS = ("utter_greet", "utter_help", "utter_other_ways", "utter_out_of_scope", "utter_why_questions", "utter_stopped")


class ActionGreet(Action):
    """Says what this is and is not, once; then only hello."""

    def name(self) -> str:
        return "action_greet"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        greeted = any(response == "utter_greet" for response in responses_so_far(tracker))
        dispatcher.utter_message(response="utter_greet_again" if greeted else "utter_greet")
        return []


class ActionNotUnderstood(Action):
    """Says so where no question is open, and offers choices the second time in a row.

    In the questionnaire the question that follows is put in other words (`actions.questionnaire`).
    """

    def name(self) -> str:
        return NOT_UNDERSTOOD

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        again = NOT_UNDERSTOOD in actions_of_last_turn(tracker)
        if open_question(tracker):
            if again:
                dispatcher.utter_message(response="utter_help_in_questionnaire")
        else:
            dispatcher.utter_message(response="utter_choices" if again else "utter_not_understood")
        return []


class ActionDefaultFallback(Action):
    """Replies where no story or rule fits: to yes and no on a path that nobody wrote down.

    Outside the questionnaire they answer the offer to go through it, if one was made, or else are a mere "I see".
    """

    def name(self) -> str:
        return "action_default_fallback"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        intent = intent_of(tracker)
        if open_question(tracker) or intent not in ("affirm", "deny", "not_sure", "refuse"):
            return [FollowupAction(NOT_UNDERSTOOD)]
        if tracker.get_slot("assessed"):
            return ActionAfterResult().run(dispatcher, tracker, domain)
        if intent != "affirm":
            dispatcher.utter_message(response="utter_other_ways")
        elif _offer_stands(tracker):
            return [FollowupAction(FORM)]
        else:
            dispatcher.utter_message(response="utter_help")
        return []


def _offer_stands(tracker: Tracker) -> bool:
    """Whether the questionnaire was offered, and not refused since."""
    return any(response in OFFERS for response in responses_so_far(tracker, since_intent="deny"))
