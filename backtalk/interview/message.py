"""One message as the interview sees it."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from backtalk.interview.model import UNSURE
from backtalk.knowledge import Knowledge

# `ONLY` is sent by a page on which all that apply was ticked: what is named, and nothing else.
YES, NO, SKIP, ALL, ONLY = "yes", "no", "skip", "all", "only"
PRESENT, DENIED, PAST, UNCERTAIN = "present", "denied", "past", "uncertain"

_ANSWER_OF_INTENT = {"affirm": YES, "deny": NO, "not_sure": UNSURE, "refuse": SKIP}
# "No idea what a steroid is" asks, and "it is worse today" does not say since when.
_ASKS_BACK = ("ask_meaning", "ask_example", "why_ask")
_TELLS = ("inform", "report_spasm", "correct", "affirm", "deny", "nlu_fallback", None)
_BUTTONS_EXTRACTOR = "RegexMessageHandler"
_LARGEST = 100_000

_Kind = TypeVar("_Kind")


class Message:
    """The entities of one message, with the questions that the interview asks of them."""

    def __init__(self, entities: Sequence[Mapping[str, Any]], intent: str | None, knowledge: Knowledge):
        self._entities = [dict(e, value=value) for e in entities for value in _values(e)]
        self.knowledge = knowledge
        self.tapped = any(e.get("extractor") == _BUTTONS_EXTRACTOR for e in entities)
        spoken = self._spoken_answer()
        if intent == "stop" and spoken == SKIP:
            # "I don't want to answer any more" refuses more than the open question.
            spoken = None
        self.answer = None if intent in _ASKS_BACK else spoken or _ANSWER_OF_INTENT.get(intent or "")
        self.tells = intent in _TELLS
        corrections = [e for e in self._entities if e["entity"] == "correction"]
        marks = [e["value"] for e in corrections if e.get("status", PRESENT) == PRESENT]
        # "It has not stopped" takes nothing back.
        self._still_there = any(e.get("status", PRESENT) != PRESENT for e in corrections)
        self.asks = any(e["entity"] == "question" for e in self._entities)
        self.corrects = bool("change" in marks or intent == "correct") and "add" not in marks
        self.takes_back = "take_back" in marks
        self.is_well = ("well" in marks or intent == "take_back") and spoken in (None, NO)
        self.answers = spoken is not None

    def _spoken_answer(self) -> str | None:
        """The first short answer.

        Of two that overlap the later holds ("i do not" in "i do not know"), and the "no" of "no fever" denies the fever
        and nothing else.
        """
        answers = [e for e in self._entities if e["entity"] == "answer" and isinstance(e["value"], str)]
        denied = [e.get("start", -1) for e in self._entities if e.get("status") == DENIED]
        answers = [e for e in answers if not any(0 <= start - e.get("end", start - 9) <= 1 for start in denied)]
        for answer, following in itertools.pairwise(answers):
            if following.get("start", 0) >= answer.get("end", 0):
                return str(answer["value"])
        return str(answers[-1]["value"]) if answers else None

    @property
    def says_no(self) -> bool:
        """Whether it is a plain no, by itself or of a person ("no", "I don't").

        One about a thing is none ("it has not stopped").
        """
        spoken = [e for e in self._entities if e["entity"] == "answer"]
        is_of_a_thing = any(str(e.get("said", "")).lower().startswith(("it ", "that ", "this ")) for e in spoken)
        if self.answer != NO or self._still_there or is_of_a_thing:
            return False
        return not spoken or spoken[0].get("status", PRESENT) in (PRESENT, DENIED)

    def entity(self, name: str) -> Mapping[str, Any]:
        """The first entity of a name, or an empty one."""
        return next((e for e in self._entities if e["entity"] == name), {})

    def first(self, name: str, kind: type[_Kind]) -> _Kind | None:
        """The first value of an entity that has the right type."""
        return next((e["value"] for e in self._entities if e["entity"] == name and isinstance(e["value"], kind)), None)

    def numbers(self, name: str, weak: bool = True) -> list[float]:
        """The numeric values of an entity; without `weak`, only those of messages that say little else."""
        found = (e for e in self._entities if e["entity"] == name and (weak or not e.get("weak")))
        return [float(e["value"]) for e in found if _is_number(e["value"])]

    def findings(
        self, name: str, known: Collection[str], patient: str | None, status: str = PRESENT, weak: bool = False
    ) -> list[Mapping[str, Any]]:
        """The findings of a kind that have a status and are the patient's; `weak` lets answer-only words count."""
        return [
            e
            for e in self._entities
            if e["entity"] == name
            and isinstance(e["value"], str)
            and e["value"] in known
            and e.get("status", PRESENT) == status
            and (e.get("experiencer", "patient") == "patient" or patient == "other")
            and (weak or not e.get("weak"))
        ]

    def durations(self, weak: bool) -> list[Mapping[str, Any]]:
        """The durations; `weak` lets those count that may mean something else."""
        return [
            e
            for e in self._entities
            if e["entity"] == "duration" and _is_number(e["value"]) and e["value"] >= 0 and (weak or not e.get("weak"))
        ]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _values(entity: Mapping[str, Any]) -> list[Any]:
    value = entity.get("value")
    return value if isinstance(value, list) else [value]
