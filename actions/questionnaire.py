"""The form `spasm_assessment`: which question comes next, and how it is put."""

import json
from abc import ABC, abstractmethod
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.tracker import FORM, actions_of_this_turn, answers_yes, interview_of, tapped
from backtalk import interview as iv
from backtalk.knowledge import load_knowledge

NOT_UNDERSTOOD = "action_not_understood"
BUTTON_NONE = {"title": "None of these", "payload": "/deny"}
BUTTON_THAT_IS_ALL = {"title": "That is all", "payload": "/deny"}
BUTTON_NOT_SURE = {"title": "Not sure", "payload": "/not_sure"}
YES_NO = [{"title": "Yes", "payload": "/affirm"}, {"title": "No", "payload": "/deny"}, BUTTON_NOT_SURE]


class ValidateSpasmAssessment(Action):
    """Requests the next question. Rasa itself rejects the form, and lets the rules reply, when nothing was answered."""

    def name(self) -> str:
        return f"validate_{FORM}"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        events: list[EventType] = [SlotSet("requested_slot", iv.next_question(interview_of(tracker), load_knowledge()))]
        # Tells Rasa of answers that fill no slot of the form, such as "not sure".
        return [*events, SlotSet("answered", True)] if tracker.get_slot("answered") else events


class _Ask(Action, ABC):
    """Puts one question of the questionnaire; after a misunderstanding, in other words."""

    @property
    @abstractmethod
    def question(self) -> str:
        """The slot that the question fills."""

    def name(self) -> str:
        return f"action_ask_{self.question}"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        misunderstood = NOT_UNDERSTOOD in actions_of_this_turn(tracker)
        dispatcher.utter_message(response=f"utter_{'rephrase' if misunderstood else 'ask'}_{self.question}")
        return []


class ActionAskRegions(_Ask):
    """Where is it?"""

    question = "regions"


class ActionAskOnset(_Ask):
    """How did it start?"""

    question = "onset"


class ActionAskDuration(_Ask):
    """How long has it been going on?"""

    question = "duration"


class ActionAskPainLevel(_Ask):
    """How bad is it?"""

    question = "pain_level"


class _AskChecklist(_Ask, ABC):
    """Lists what may apply, numbered, with a button for each."""

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        knowledge, interview = load_knowledge(), interview_of(tracker)
        entries = [iv.entry(name, knowledge) for name in iv.checklist(self.question, interview, knowledge)]
        opening = self._opening(tracker, tapped(tracker) and iv.was_picked_from(self.question, interview, knowledge))
        dispatcher.utter_message(response=f"utter_{opening}")
        dispatcher.utter_message(
            text="\n".join(f"{number}. {entry.ask}" for number, entry in enumerate(entries, 1)),
            buttons=[
                *({"title": e.button, "payload": _payload(e.id, knowledge)} for e in entries[: iv.MOST_BUTTONS]),
                BUTTON_THAT_IS_ALL if opening.endswith("_again") else BUTTON_NONE,
                BUTTON_NOT_SURE,
            ],
        )
        return [SlotSet("offered", [entry.id for entry in entries])]

    def _opening(self, tracker: Tracker, picked: bool) -> str:
        """The response that stands before the list."""
        if NOT_UNDERSTOOD in actions_of_this_turn(tracker):
            return f"{'which' if answers_yes(tracker) else 'rephrase'}_{self.question}"
        return f"open_{self.question}{'_again' if picked else ''}"


class ActionAskWarningSigns(_AskChecklist):
    """Which of the warning signs that matter for these regions?"""

    question = "warning_signs"


class ActionAskMedicalHistory(_AskChecklist):
    """Which conditions and medicines?"""

    question = "medical_history"


class ActionAskFlagsToConfirm(_Ask):
    """One plain yes/no question about the first flag that the bot is not sure of."""

    question = iv.CONFIRM

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        if NOT_UNDERSTOOD in actions_of_this_turn(tracker):
            dispatcher.utter_message(response=f"utter_rephrase_{self.question}")
        flag = load_knowledge().red_flags[interview_of(tracker).flags_to_confirm[0]]
        dispatcher.utter_message(text=flag.confirm, buttons=YES_NO)
        return []


def _payload(entry_id: str, knowledge) -> str:
    kinds = {"red_flag": knowledge.red_flags, "caution": knowledge.cautions, "sign": knowledge.signs}
    kind = next(name for name, entries in kinds.items() if entry_id in entries)
    return "/inform" + json.dumps({kind: entry_id}, separators=(",", ":"))
