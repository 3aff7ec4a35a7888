"""The form `spasm_assessment`: which question comes next, and how it is put."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.tracker import (
    FORM,
    actions_of_this_turn,
    answers_yes,
    audience_of,
    interview_of,
    next_question_of,
    replies_so_far,
    tapped,
)
from backtalk import interview as iv
from backtalk.knowledge import Knowledge, load_knowledge
from backtalk.wording import listed, quoted

NOT_UNDERSTOOD = "action_not_understood"
BUTTON_NONE = {"title": "None of these", "payload": "/deny"}
BUTTON_THAT_IS_ALL = {"title": "That is all", "payload": "/deny"}
BUTTON_NOT_SURE = {"title": "Not sure", "payload": "/not_sure"}
# How often a question is put in the same words before it is put in others.
MOST_ASKED_ALIKE = 2
# The wordings of a question by the beginnings of their responses' names, and what each counts as.
WORDINGS = {
    "ask": "ask",
    "doubt": "ask",
    "open": "open",
    "rephrase": "rephrase",
    "which": "rephrase",
    "remind": "remind",
}


class ValidateSpasmAssessment(Action):
    """Requests the next question. Rasa itself rejects the form, and lets the rules reply, when nothing was answered."""

    def name(self) -> str:
        return f"validate_{FORM}"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        events: list[EventType] = [SlotSet("requested_slot", next_question_of(tracker))]
        # Tells Rasa of answers that fill no slot of the form, such as "not sure".
        return [*events, SlotSet("answered", True)] if tracker.get_slot("answered") else events


class _Ask(Action, ABC):
    """Puts one question of the questionnaire; after a misunderstanding, or the third time, in other words."""

    @property
    @abstractmethod
    def question(self) -> str:
        """The slot that the question fills."""

    def name(self) -> str:
        return f"action_ask_{self.question}"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        conflict = interview_of(tracker).conflicts.get(self.question)
        if conflict and not self._asked(tracker):
            dispatcher.utter_message(response="utter_conflict", said=listed([quoted(words) for words in conflict]))
        response = f"utter_{self._wording(tracker)}_{self.question}"
        dispatcher.utter_message(response=response, json_message=self._payload(tracker))
        return []

    def _payload(self, tracker: Tracker, options: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
        """What a page needs to show the question; of `options` any number may be chosen."""
        question = {"type": "question", "question": self.question, "urgency": tracker.get_slot("urgency")}
        return {**question, "options": list(options)} if options else question

    def _wording(self, tracker: Tracker, first: str = "ask") -> str:
        """ask (or `first`), rephrase, or remind: never the same words more than twice."""
        asked = self._asked(tracker)
        misunderstood = NOT_UNDERSTOOD in actions_of_this_turn(tracker)
        if not misunderstood and asked.count(first) < MOST_ASKED_ALIKE and set(asked) <= {first}:
            return first
        return "remind" if asked[:1] == ["rephrase"] else "rephrase"

    def _asked(self, tracker: Tracker) -> list[str]:
        """The wordings in which this question was put since another one was, newest first."""
        wordings = []
        for response, text in replies_so_far(tracker):
            wording, _, question = response.removeprefix("utter_").partition("_")
            if wording not in WORDINGS:
                continue
            if question.removesuffix("_again") != self.question or not self._is_same(text, tracker):
                break
            wordings.append(WORDINGS[wording])
        return wordings

    def _is_same(self, text: str, tracker: Tracker) -> bool:
        """Whether a reply put this very question."""
        return True


class ActionAskRegions(_Ask):
    """Where is it?"""

    question = "regions"

    def _payload(self, tracker: Tracker, options: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
        regions = load_knowledge().regions.values()
        places = [{"id": region.id, "entity": "region", "text": region.button} for region in regions]
        return super()._payload(tracker, places)


class ActionAskOnset(_Ask):
    """How did it start?"""

    question = "onset"


class ActionAskDuration(_Ask):
    """How long has it been going on?"""

    question = "duration"


class ActionAskPainLevel(_Ask):
    """How bad is it?"""

    question = "pain_level"


class ActionAskAge(_Ask):
    """How old is the child, or the grown-up?"""

    question = iv.AGE


class _AskChecklist(_Ask, ABC):
    """Lists what may apply, numbered, with a button for each."""

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        knowledge, interview, audience = load_knowledge(), interview_of(tracker), audience_of(tracker)
        entries = [iv.entry(name, knowledge) for name in iv.checklist(self.question, interview, knowledge)]
        options = [{"id": e.id, "entity": _kind(e.id, knowledge), "text": audience.text(e.ask)} for e in entries]
        opening = self._opening(tracker, tapped(tracker) and iv.was_picked_from(self.question, interview, knowledge))
        dispatcher.utter_message(response=f"utter_{opening}")
        dispatcher.utter_message(
            text="\n".join(f"{number}. {audience.text(entry.ask)}" for number, entry in enumerate(entries, 1)),
            json_message=self._payload(tracker, options),
            buttons=[
                *({"title": e.button, "payload": _button(e.id, knowledge)} for e in entries[: iv.MOST_BUTTONS]),
                BUTTON_THAT_IS_ALL if opening.endswith("_again") else BUTTON_NONE,
                BUTTON_NOT_SURE,
            ],
        )
        return [SlotSet("offered", [entry.id for entry in entries])]

    def _opening(self, tracker: Tracker, picked: bool) -> str:
        """The response that stands before the list."""
        if NOT_UNDERSTOOD in actions_of_this_turn(tracker) and answers_yes(tracker):
            return f"which_{self.question}"
        return f"open_{self.question}_again" if picked else f"{self._wording(tracker, 'open')}_{self.question}"


class ActionAskWarningSigns(_AskChecklist):
    """Which of the warning signs that matter for these regions?"""

    question = "warning_signs"


class ActionAskMedicalHistory(_AskChecklist):
    """Which conditions and medicines?"""

    question = "medical_history"


class ActionAskFlagsToConfirm(_Ask):
    """One plain yes/no question about the first flag that the bot is not sure of, or that was taken back."""

    question = iv.CONFIRM

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        interview, audience = interview_of(tracker), audience_of(tracker)
        flag = iv.entry(interview.flags_to_confirm[0], load_knowledge())
        wording = self._wording(tracker)
        in_doubt = flag.id in iv.doubted(interview) and not self._asked(tracker)
        question = f"doubt_{self.question}" if in_doubt else f"{wording}_{self.question}"
        dispatcher.utter_message(
            response=f"utter_{question}",
            json_message=self._payload(tracker),
            question=audience.text(flag.confirm),
            sign=audience.text(flag.ask),
            said=quoted(interview.said.get(flag.id) or flag.name),
        )
        return []

    def _is_same(self, text: str, tracker: Tracker) -> bool:
        flag, audience = iv.entry(interview_of(tracker).flags_to_confirm[0], load_knowledge()), audience_of(tracker)
        return audience.text(flag.confirm) in text or audience.text(flag.ask) in text


def _button(entry_id: str, knowledge: Knowledge) -> str:
    return "/inform" + json.dumps({_kind(entry_id, knowledge): entry_id}, separators=(",", ":"))


def _kind(entry_id: str, knowledge: Knowledge) -> str:
    kinds = {"red_flag": knowledge.red_flags, "caution": knowledge.cautions, "sign": knowledge.signs}
    return next(name for name, entries in kinds.items() if entry_id in entries)
