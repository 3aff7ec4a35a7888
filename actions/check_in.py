"""The check-in: the bot asks again after a while how it is.

It does so if the visitor wants that and the channel lets it write first. The time is kept in a slot, and Rasa's own
reminder is set for it; `backtalk.engine.reminders` sets it anew when the server starts.
"""

from datetime import datetime, timedelta, timezone
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, ReminderCancelled, ReminderScheduled, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.tracker import can_be_written_to, intent_of, responses_so_far
from backtalk.check_in import DUE, INTENT
from backtalk.knowledge import load_knowledge

OFFER = "utter_offer_check_in"
# A reminder that is due so soon is left to run as it was set.
_SOON = timedelta(minutes=1)


class ActionAfterResult(Action):
    """Takes a yes or no behind the result: an answer to the offer of a check-in, if it was made, or a mere "I see"."""

    def name(self) -> str:
        return "action_after_result"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        if responses_so_far(tracker)[:1] == [OFFER]:
            if intent_of(tracker) == "affirm":
                return ActionScheduleCheckIn().run(dispatcher, tracker, domain)
            dispatcher.utter_message(response="utter_no_check_in")
        else:
            dispatcher.utter_message(response="utter_after_result")
        return []


class ActionScheduleCheckIn(Action):
    """Sets the check-in."""

    def name(self) -> str:
        return "action_schedule_check_in"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        knowledge = load_knowledge()
        if tracker.get_slot("urgency") == knowledge.gravest:
            dispatcher.utter_message(response="utter_no_check_in_in_emergency")
            return []
        if not can_be_written_to(tracker):
            dispatcher.utter_message(response="utter_check_in_impossible")
            return []
        due = datetime.now(timezone.utc) + timedelta(hours=knowledge.check_in.hours)
        dispatcher.utter_message(response="utter_check_in_set", when=when())
        return [SlotSet(DUE, due.isoformat()), _reminder(tracker, due)]


class ActionCancelCheckIn(Action):
    """Takes the check-in back."""

    def name(self) -> str:
        return "action_cancel_check_in"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        is_set = tracker.get_slot(DUE)
        dispatcher.utter_message(response="utter_check_in_cancelled" if is_set else "utter_no_check_in")
        return cancelled_check_in(tracker)


class ActionCheckIn(Action):
    """Asks how it is; run by the reminder."""

    def name(self) -> str:
        return "action_check_in"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        if not tracker.get_slot(DUE):
            return []
        if tracker.get_slot("urgency") == load_knowledge().gravest:
            dispatcher.utter_message(response="utter_welcome_back_emergency")
        else:
            dispatcher.utter_message(response="utter_check_in")
        return [SlotSet(DUE, None)]


def when() -> str:
    """When the bot asks again, in words."""
    hours = load_knowledge().check_in.hours
    return "in a day" if hours == 24 else f"in {hours:.2g} hours"


def reminder_of(tracker: Tracker) -> list[EventType]:
    """The reminder of a check-in that is still to come, to be set anew."""
    due = tracker.get_slot(DUE)
    moment = datetime.fromisoformat(due) if due else None
    return [_reminder(tracker, moment)] if moment and moment > datetime.now(timezone.utc) + _SOON else []


def cancelled_check_in(tracker: Tracker) -> list[EventType]:
    """The events that take a check-in back."""
    return [SlotSet(DUE, None), ReminderCancelled(name=_name(tracker))] if tracker.get_slot(DUE) else []


def _reminder(tracker: Tracker, due: datetime) -> EventType:
    return ReminderScheduled(INTENT, due, name=_name(tracker), kill_on_user_message=False)


def _name(tracker: Tracker) -> str:
    # Rasa keeps one reminder of a name for all conversations.
    return f"check_in-{tracker.sender_id}"
