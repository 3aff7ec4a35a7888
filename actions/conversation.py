"""What the bot says around the questionnaire where a plain response is not enough."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, AllSlotsReset, EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.assessment import ActionAssessment, signature
from actions.questionnaire import NOT_UNDERSTOOD
from actions.screening import entities_of
from actions.tracker import (
    FORM,
    actions_of_last_turn,
    intent_of,
    interview_of,
    open_question,
    responses_so_far,
    slot_changes,
    topic_of_last_answer,
)
from backtalk.interview import Interview, hear
from backtalk.knowledge import load_knowledge
from backtalk.report import listed
from backtalk.triage import cautions_for, excluded_by

# Responses that ask whether to go through the questionnaire.
OFFERS = ("utter_greet", "utter_help", "utter_other_ways", "utter_out_of_scope", "utter_why_questions", "utter_stopped")
LEAVE_QUESTIONNAIRE = (ActiveLoop(None), SlotSet("requested_slot", None))


class ActionFaq(Action):
    """Answers a question; one about things to do at home not while being examined comes first."""

    def name(self) -> str:
        return "action_faq"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        topic = _topic(tracker, "faq")
        _answer(f"faq/{topic}", dispatcher, tracker) if topic else dispatcher.utter_message(response=_help(tracker))
        return []


class ActionRelief(Action):
    """Answers a question about a relief option, with what this visitor has told kept in mind."""

    def name(self) -> str:
        return "action_relief"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        _answer(f"relief/{_topic(tracker, 'relief') or 'overview'}", dispatcher, tracker)
        return []


class ActionFollowUp(Action):
    """Answers "and for the neck?", which leans on the answer before it; without one, says what can be asked."""

    def name(self) -> str:
        return "action_follow_up"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        knowledge, before = load_knowledge(), topic_of_last_answer(tracker)
        entities = tracker.latest_message.get("entities") or ()
        region = next((e["value"] for e in entities if e["entity"] == "region" and e["value"] in knowledge.regions), None)
        topic = knowledge.follow_ups.topic_for_region(before, region) if before and region else None
        if topic:
            _answer(topic, dispatcher, tracker)
        else:
            dispatcher.utter_message(response="utter_nothing_more_on_region" if before and region else _help(tracker))
        return []


class ActionWhy(Action):
    """Answers "why?" with no question of the questionnaire open: the reason behind the last answer, if there was one."""

    def name(self) -> str:
        return "action_why"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        before = topic_of_last_answer(tracker)
        topic = load_knowledge().follow_ups.why.get(before or "")
        if topic:
            _answer(topic, dispatcher, tracker)
        else:
            told = "utter_why_result" if tracker.get_slot("assessed") else "utter_why_questions"
            dispatcher.utter_message(response="utter_no_reason_known" if before else told)
        return []


class ActionExplainQuestion(Action):
    """Says why the open question is asked."""

    def name(self) -> str:
        return "action_explain_question"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        dispatcher.utter_message(response=f"utter_explain_{open_question(tracker)}")
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
        if open_question(tracker) or intent not in ("affirm", "deny", "not_sure"):
            return [FollowupAction(NOT_UNDERSTOOD)]
        if tracker.get_slot("assessed"):
            dispatcher.utter_message(response="utter_after_result")
        elif intent != "affirm":
            dispatcher.utter_message(response="utter_other_ways")
        elif _offer_stands(tracker):
            return [FollowupAction(FORM)]
        else:
            dispatcher.utter_message(response="utter_help")
        return []


class ActionGreet(Action):
    """Says what this is and is not, once; then only hello."""

    def name(self) -> str:
        return "action_greet"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        greeted = any(response == "utter_greet" for response in responses_so_far(tracker))
        dispatcher.utter_message(response="utter_greet_again" if greeted else "utter_greet")
        return []


class ActionStartOver(Action):
    """Forgets what was said and greets anew."""

    def name(self) -> str:
        return "action_start_over"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        settings = load_knowledge().settings
        dispatcher.utter_message(response="utter_start_over")
        dispatcher.utter_message(response="utter_greet", **settings)
        events = [AllSlotsReset(), *LEAVE_QUESTIONNAIRE, *(SlotSet(name, value) for name, value in settings.items())]
        return [*events, *_kept_of_this_message(tracker)]


class ActionLeave(Action):
    """Ends the talk; whoever has told of a danger sign first hears what it means."""

    def name(self) -> str:
        return "action_leave"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        interview = interview_of(tracker)
        events: list[EventType] = []
        outcome = interview.outcome(load_knowledge())
        untold = (interview.red_flags or interview.flags_to_confirm) and tracker.get_slot("assessed") != signature(outcome)
        if untold:
            # A flag that could not be confirmed any more is told as one that stayed open.
            tracker.slots["unsure"] = [*interview.unsure, *interview.flags_to_confirm]
            events = ActionAssessment().run(dispatcher, tracker, domain)
        says_goodbye = intent_of(tracker) == "goodbye"
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


def _offer_stands(tracker: Tracker) -> bool:
    """Whether the questionnaire was offered, and not refused since."""
    return any(response in OFFERS for response in responses_so_far(tracker, since_intent="deny"))


def _help(tracker: Tracker) -> str:
    return "utter_help_in_questionnaire" if open_question(tracker) else "utter_help"


def _answer(topic: str, dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
    """Gives the answer to a topic ("faq/causes") as far as it may be given to this visitor."""
    knowledge = load_knowledge()
    intent, _, name = topic.partition("/")
    about_relief = intent == "relief" or name in knowledge.relief_questions
    if about_relief and not _relief_allowed(tracker):
        dispatcher.utter_message(response="utter_no_relief_now")
        return
    dispatcher.utter_message(response=f"utter_{topic}")
    if intent == "relief":
        _add_what_this_visitor_told(name, dispatcher, tracker)


def _add_what_this_visitor_told(option: str, dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
    """Which relief options are not for this visitor, or only with a caution."""
    knowledge, facts = load_knowledge(), interview_of(tracker).facts
    for name in [option] if option in knowledge.relief else knowledge.relief:
        reasons = excluded_by(name, facts, knowledge)
        if reasons:
            what = _upper(knowledge.relief[name].name)
            dispatcher.utter_message(text=f"{what}: not for you, because of {_names(reasons, knowledge)}.")
    if option in knowledge.relief and not excluded_by(option, facts, knowledge):
        for caution in cautions_for(option, facts, knowledge):
            dispatcher.utter_message(text=caution)


def _topic(tracker: Tracker, retrieval_intent: str) -> str | None:
    """What the latest message asks about, as the classifier understood it."""
    selected = (tracker.latest_message.get("response_selector") or {}).get(retrieval_intent, {}).get("response", {})
    return selected.get("intent_response_key", "/").split("/")[1] or None


def _relief_allowed(tracker: Tracker) -> bool:
    knowledge, interview = load_knowledge(), interview_of(tracker)
    outcome = interview.outcome(knowledge)
    return bool(outcome.relief) and not interview.flags_to_confirm


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _names(ids: tuple[str, ...], knowledge) -> str:
    records = {**knowledge.red_flags, **knowledge.cautions, **knowledge.signs}
    return listed(records[entry].name for entry in ids)
