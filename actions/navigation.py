"""The ways through a conversation: a new session, going on, going back, correcting, starting over, leaving."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import (
    ActionExecuted,
    ActiveLoop,
    AllSlotsReset,
    EventType,
    FollowupAction,
    SessionStarted,
    SlotSet,
)
from rasa_sdk.executor import CollectingDispatcher

from actions.assessment import ActionAssessment
from actions.check_in import cancelled_check_in, reminder_of
from actions.screening import entities_of
from actions.tracker import (
    FORM,
    audience_of,
    intent_of,
    interview_of,
    next_question_of,
    open_question,
    recap_of,
    responses_so_far,
    slot_changes,
)
from backtalk.check_in import DUE
from backtalk.interview import Interview, doubted, fresh_start, go_back, hear, in_doubt, look_again
from backtalk.knowledge import load_knowledge
from backtalk.report import told_of
from backtalk.wording import listed, quoted

LEAVE_QUESTIONNAIRE = (ActiveLoop(None), SlotSet("requested_slot", None))
WELCOME_BACK = "utter_welcome_back"
# Tells a page that an emergency it shows is over.
STARTED_OVER = {"type": "started_over", "urgency": None}
# Slots that belong to a moment of the session before, and those that outlive a fresh start.
_OF_THE_MOMENT = {
    "requested_slot", "returned", "paused_at", "answered", "telling", "corrected", "assessment_due", "heard",
}  # fmt: skip
_LASTING = ("locale", "page_number", DUE, "check_in_offered")


class ActionSessionStart(Action):
    """Carries what was told into a session that begins after a silence, and notes that the visitor is back."""

    def name(self) -> str:
        return "action_session_start"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        lasting = ((name, value) for name, value in tracker.slots.items() if name not in _OF_THE_MOMENT)
        slots = {name: value for name, value in lasting if value is not None}
        if not interview_of(tracker).is_empty:
            slots.update(returned=True, paused_at=tracker.get_slot("requested_slot"))
        return [
            SessionStarted(),
            *(SlotSet(name, value) for name, value in slots.items()),
            *reminder_of(tracker),
            ActionExecuted("action_listen"),
        ]


class ActionWelcomeBack(Action):
    """Asks somebody who comes back after a silence whether to go on or to start afresh."""

    def name(self) -> str:
        return "action_welcome_back"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        knowledge = load_knowledge()
        if tracker.get_slot("urgency") == knowledge.gravest:
            dispatcher.utter_message(response=f"{WELCOME_BACK}_emergency")
        else:
            is_open = next_question_of(tracker) is not None
            dispatcher.utter_message(response=WELCOME_BACK if is_open else f"{WELCOME_BACK}_result")
        return [SlotSet("returned", False)]


class ActionGoOn(Action):
    """Goes on with the questionnaire, or says that nothing is left to ask."""

    def name(self) -> str:
        return "action_go_on"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        if next_question_of(tracker):
            return [FollowupAction(FORM)]
        if tracker.get_slot("assessed"):
            dispatcher.utter_message(response="utter_after_result")
            return []
        return [FollowupAction("action_assessment")]


class ActionGoBack(Action):
    """Opens the question answered last again."""

    def name(self) -> str:
        return "action_go_back"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        interview = interview_of(tracker)
        before = go_back(interview, load_knowledge())
        if before is None:
            dispatcher.utter_message(response="utter_nothing_to_go_back_to")
            return []
        dispatcher.utter_message(response="utter_going_back")
        changes = slot_changes(interview, before)
        return changes if open_question(tracker) else [*changes, FollowupAction(FORM)]


class ActionLookAgain(Action):
    """Asks about the danger signs once more when it got worse or something new appeared."""

    def name(self) -> str:
        return "action_look_again"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        knowledge, interview = load_knowledge(), interview_of(tracker)
        if interview.outcome(knowledge).urgency == knowledge.gravest:
            dispatcher.utter_message(response="utter_worse_in_emergency")
            return []
        if open_question(tracker):
            dispatcher.utter_message(response="utter_worse_in_questionnaire")
            return []
        dispatcher.utter_message(response="utter_worse")
        return [*slot_changes(interview, look_again(interview, knowledge)), FollowupAction(FORM)]


class ActionRecap(Action):
    """Lists what the visitor has told so far."""

    def name(self) -> str:
        return "action_recap"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        recap = recap_of(tracker)
        if recap:
            dispatcher.utter_message(response="utter_recap", recap=recap)
        else:
            dispatcher.utter_message(response="utter_nothing_told")
        return []


class ActionCorrect(Action):
    """Says what was changed, or shows what was told and asks what is wrong in it."""

    def name(self) -> str:
        return "action_correct"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        corrected, recap = tracker.get_slot("corrected"), recap_of(tracker)
        if corrected:
            dispatcher.utter_message(response="utter_corrected", changes="\n".join(f"• {line}" for line in corrected))
        elif recap:
            dispatcher.utter_message(response="utter_what_to_correct", recap=recap)
        else:
            dispatcher.utter_message(response="utter_nothing_told")
        return [SlotSet("corrected", None)]


class ActionStartOver(Action):
    """Forgets what was said and greets anew.

    An emergency is asked about before it is forgotten; after a silence all danger signs are kept.
    """

    def name(self) -> str:
        return "action_start_over"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        knowledge, interview = load_knowledge(), interview_of(tracker)
        if interview.outcome(knowledge).urgency == knowledge.gravest:
            return [
                *slot_changes(interview, in_doubt(interview, knowledge)),
                SlotSet("starting_over", True),
                FollowupAction(FORM),
            ]
        returned = any(name.startswith(WELCOME_BACK) for name in responses_so_far(tracker)[:1])
        kept = fresh_start(interview) if returned else Interview()
        settings = audience_of(tracker).settings
        dispatcher.utter_message(response="utter_start_over", json_message=STARTED_OVER)
        if kept.red_flags:
            words = listed(quoted(kept.said.get(flag) or knowledge.red_flags[flag].name) for flag in kept.red_flags)
            dispatcher.utter_message(response="utter_flags_kept", said=words)
        dispatcher.utter_message(response="utter_greet", **settings)
        lasting = {name: tracker.get_slot(name) for name in _LASTING if tracker.get_slot(name)}
        events = [
            AllSlotsReset(),
            *LEAVE_QUESTIONNAIRE,
            *(SlotSet(name, value) for name, value in {**settings, **lasting}.items()),
        ]
        return [*events, *slot_changes(Interview(), kept), *_kept_of_this_message(tracker)]


class ActionLeave(Action):
    """Ends the talk; whoever has told of a danger sign first hears what it means."""

    def name(self) -> str:
        return "action_leave"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        interview = interview_of(tracker)
        events: list[EventType] = []
        is_told = tracker.get_slot("assessed") == told_of(interview.outcome(load_knowledge()))
        if (interview.red_flags or interview.flags_to_confirm) and not is_told:
            # A flag that could not be confirmed any more is told as one that stayed open.
            left = doubted(interview)
            open_flags = [flag for flag in interview.flags_to_confirm if flag not in left]
            tracker.slots["unsure"] = [*interview.unsure, *open_flags]
            events = [SlotSet("unsure", tracker.slots["unsure"]), SlotSet("flags_to_confirm", list(left))]
            events += ActionAssessment().run(dispatcher, tracker, domain)
        says_goodbye = intent_of(tracker) == "goodbye"
        if not says_goodbye and not open_question(tracker) and tracker.get_slot(DUE):
            dispatcher.utter_message(response="utter_check_in_cancelled")
            return [*events, *cancelled_check_in(tracker)]
        dispatcher.utter_message(response="utter_goodbye" if says_goodbye else "utter_stopped")
        return [*events, *LEAVE_QUESTIONNAIRE]


def _kept_of_this_message(tracker: Tracker) -> list[EventType]:
    """What a message that starts over itself tells of a danger sign, which is taken up at once."""
    knowledge = load_knowledge()
    heard = hear(Interview(), entities_of(tracker), None, intent_of(tracker), knowledge).interview
    outcome = heard.outcome(knowledge)
    if not (outcome.facts.red_flags or heard.flags_to_confirm):
        return []
    is_emergency = outcome.urgency == knowledge.gravest
    return [*slot_changes(Interview(), heard), FollowupAction("action_assessment" if is_emergency else FORM)]
