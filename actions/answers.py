"""Answers to questions, as far as they may be given to this visitor."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.tracker import audience_of, help_response, interview_of, open_question, topic_of_last_answer
from backtalk.interview import CONFIRM, entry
from backtalk.knowledge import Knowledge, RedFlag, load_knowledge
from backtalk.triage import cautions_for, decides_alone, excluded_by, held_back_by
from backtalk.wording import listed, upper


class ActionFaq(Action):
    """Answers a question; one about things to do at home not while being examined comes first."""

    def name(self) -> str:
        return "action_faq"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        topic = _topic(tracker, "faq")
        if topic:
            _answer(f"faq/{topic}", dispatcher, tracker)
        else:
            dispatcher.utter_message(response=help_response(tracker))
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
        named = [e["value"] for e in tracker.latest_message.get("entities") or () if e["entity"] == "region"]
        region = next((value for value in named if value in (*knowledge.regions,)), None)
        topic = knowledge.follow_ups.topic_for_region(before, region) if before and region else None
        if topic:
            _answer(topic, dispatcher, tracker)
        elif before and region:
            dispatcher.utter_message(response="utter_nothing_more_on_region")
        else:
            dispatcher.utter_message(response=help_response(tracker))
        return []


class ActionWhy(Action):
    """Answers "why?" with no question of the questionnaire open: the reason behind the last answer, if there is one."""

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


class ActionExplainMeaning(Action):
    """Says what the open question, or a sign that it asks about, means."""

    def name(self) -> str:
        return "action_explain_meaning"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        question, knowledge, audience = open_question(tracker), load_knowledge(), audience_of(tracker)
        signs = interview_of(tracker).flags_to_confirm[:1] if question == CONFIRM else _named(tracker, knowledge)[:1]
        for sign in signs:
            record = entry(sign, knowledge)
            why = f" {record.why}{_sources(record.source, knowledge)}" if isinstance(record, RedFlag) else ""
            dispatcher.utter_message(text=audience.text(f"By that I mean {record.ask}.{why}"))
        if not signs:
            dispatcher.utter_message(response=f"utter_meaning_{question or 'result'}")
        return []


class ActionGiveExample(Action):
    """Gives examples of answers to the open question."""

    def name(self) -> str:
        return "action_give_example"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        dispatcher.utter_message(response=f"utter_example_{open_question(tracker)}")
        return []


def _answer(topic: str, dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
    """Gives the answer to a topic ("faq/causes") as far as it may be given to this visitor."""
    knowledge = load_knowledge()
    is_emergency = tracker.get_slot("urgency") == knowledge.gravest
    topic = knowledge.follow_ups.emergency.get(topic, topic) if is_emergency else topic
    intent, _, name = topic.partition("/")
    about_relief = intent == "relief" or name in knowledge.relief_questions
    if about_relief and not _relief_allowed(tracker):
        dispatcher.utter_message(response="utter_no_relief_now")
        return
    is_crisis = is_emergency and decides_alone(interview_of(tracker).outcome(knowledge), knowledge)
    if is_crisis and topic in knowledge.follow_ups.emergency.values():
        dispatcher.utter_message(response="utter_crisis")
        return
    dispatcher.utter_message(response=f"utter_{topic}")
    if intent == "relief":
        _add_what_this_visitor_told(name, dispatcher, tracker)
    if is_emergency and topic not in knowledge.follow_ups.emergency.values():
        dispatcher.utter_message(response="utter_emergency_first")


def _add_what_this_visitor_told(option: str, dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
    """Which relief options are not for this visitor, or only with a caution."""
    knowledge, facts, audience = load_knowledge(), interview_of(tracker).facts, audience_of(tracker)
    for name in [option] if option in knowledge.relief else knowledge.relief:
        what = upper(knowledge.relief[name].name)
        reasons, unknown = excluded_by(name, facts, knowledge), held_back_by(name, facts, knowledge)
        if reasons:
            why_not = f"{what}: not for [you|him], because of {_names(reasons, knowledge)}."
            dispatcher.utter_message(text=audience.text(why_not))
        elif unknown:
            dispatcher.utter_message(text=f"{what}: not before this is known: {_names(unknown, knowledge)}.")
    if option in knowledge.relief and not excluded_by(option, facts, knowledge):
        for caution in cautions_for(option, facts, knowledge):
            dispatcher.utter_message(text=audience.text(caution))


def _named(tracker: Tracker, knowledge: Knowledge) -> list[str]:
    """The signs, conditions and medicines that the latest message names, in whatever sense."""
    known = {*knowledge.red_flags, *knowledge.signs, *knowledge.cautions}
    entities = tracker.latest_message.get("entities") or ()
    values = [e["value"] for e in entities if e["entity"] in ("red_flag", "sign", "caution")]
    return [value for value in values if isinstance(value, str) and value in known]


def _topic(tracker: Tracker, retrieval_intent: str) -> str | None:
    """What the latest message asks about, as the classifier understood it."""
    selected = (tracker.latest_message.get("response_selector") or {}).get(retrieval_intent, {}).get("response", {})
    return selected.get("intent_response_key", "/").split("/")[1] or None


def _relief_allowed(tracker: Tracker) -> bool:
    knowledge, interview = load_knowledge(), interview_of(tracker)
    outcome = interview.outcome(knowledge)
    return bool(outcome.relief) and not interview.flags_to_confirm


def _names(ids: tuple[str, ...], knowledge: Knowledge) -> str:
    return listed(entry(name, knowledge).name for name in ids)


def _sources(sources: tuple[str, ...], knowledge: Knowledge) -> str:
    names = [knowledge.sources[source].name for source in sources]
    return f" {'Source' if len(names) == 1 else 'Sources'}: {'; '.join(names)}."
