"""The form `spasm_assessment`: which question comes next, and the questions that are made from knowledge."""

import json
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.tracker import FORM, interview_of, open_question, tapped
from backtalk import interview as iv
from backtalk.knowledge import load_knowledge

BUTTON_NONE = {"title": "None of these", "payload": "/deny"}
BUTTON_THAT_IS_ALL = {"title": "That is all", "payload": "/deny"}
BUTTON_NOT_SURE = {"title": "Not sure", "payload": "/not_sure"}
YES_NO = [{"title": "Yes", "payload": "/affirm"}, {"title": "No", "payload": "/deny"}, BUTTON_NOT_SURE]


class ValidateSpasmAssessment(Action):
    """Requests the next question. Rasa itself rejects the form, and lets the rules reply, when nothing was answered."""

    def name(self) -> str:
        return f"validate_{FORM}"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        following = iv.next_question(interview_of(tracker), load_knowledge())
        events: list[EventType] = [SlotSet("requested_slot", following)]
        # Tells Rasa of answers that fill no slot of the form, such as "not sure".
        return [*events, SlotSet("answered", True)] if tracker.get_slot("answered") else events


class ActionAskWarningSigns(Action):
    """Asks about the warning signs that matter for these regions."""

    def name(self) -> str:
        return "action_ask_warning_signs"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        return ask(dispatcher, tracker, "warning_signs")


class ActionAskMedicalHistory(Action):
    """Asks about conditions and medicines."""

    def name(self) -> str:
        return "action_ask_medical_history"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        return ask(dispatcher, tracker, "medical_history")


class ActionAskFlagsToConfirm(Action):
    """Asks one plain yes/no question about the first flag that the bot is not sure of."""

    def name(self) -> str:
        return "action_ask_flags_to_confirm"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        return ask(dispatcher, tracker, iv.CONFIRM)


class ActionExplainQuestion(Action):
    """Says why the open question is asked, and asks it again."""

    def name(self) -> str:
        return "action_explain_question"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        question = open_question(tracker)
        if not question:
            dispatcher.utter_message(response="utter_why_questions")
            return []
        dispatcher.utter_message(response=f"utter_explain_{question}")
        return ask(dispatcher, tracker, question)


def ask(dispatcher: CollectingDispatcher, tracker: Tracker, question: str, opening: str | None = None) -> list[EventType]:
    """Puts a question. `opening` names the response that stands before a checklist or takes a question's place."""
    interview, knowledge = interview_of(tracker), load_knowledge()
    if question == iv.CONFIRM:
        flag = knowledge.red_flags[interview.flags_to_confirm[0]]
        if opening:
            dispatcher.utter_message(response=opening)
        dispatcher.utter_message(text=flag.confirm, buttons=YES_NO)
        return []
    if question not in iv.CHECKLISTS:
        dispatcher.utter_message(response=opening or f"utter_ask_{question}")
        return []
    again = not opening and question == tracker.get_slot("requested_slot") and tapped(tracker) and tracker.get_slot("answered")
    entries = [iv.entry(entry_id, knowledge) for entry_id in iv.checklist(question, interview, knowledge)]
    dispatcher.utter_message(response=opening or f"utter_open_{question}{'_again' if again else ''}")
    kinds = {**{e: "red_flag" for e in knowledge.red_flags}, **{e: "sign" for e in knowledge.signs}, **{e: "caution" for e in knowledge.cautions}}
    buttons = [
        {"title": e.button, "payload": "/inform" + json.dumps({kinds[e.id]: e.id}, separators=(",", ":"))}
        for e in entries[: iv.MOST_BUTTONS]
    ]
    dispatcher.utter_message(
        text="\n".join(f"{number}. {e.ask}" for number, e in enumerate(entries, 1)),
        buttons=[*buttons, BUTTON_THAT_IS_ALL if again else BUTTON_NONE, BUTTON_NOT_SURE],
    )
    return [SlotSet("offered", [e.id for e in entries])]
