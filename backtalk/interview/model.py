"""What the visitor has said so far, as a plain record."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from backtalk.knowledge import Knowledge
from backtalk.triage import Facts, Outcome, assess

QUESTIONS = ("regions", "onset", "warning_signs", "medical_history", "duration", "pain_level")
CHECKLISTS = ("warning_signs", "medical_history")
CONFIRM = "flags_to_confirm"
AGE = "age"
FOUND, NONE, UNSURE = "found", "none", "unsure"
SELF, OTHER = "self", "other"
MOST_BUTTONS = 8

Ids = tuple[str, ...]


@dataclass(frozen=True)
class Interview:
    """All that the visitor has said so far; every field is a slot of the same name.

    `regions` is None until asked or said, then a tuple that may be empty (the visitor does not know). `warning_signs`
    and `medical_history` are found, none, unsure, or None while open. `said` maps flags, and the questions and
    conditions of the summary, to the visitor's words. `flags_to_confirm` holds flags that wait for a plain yes or no;
    one that stands in `red_flags` as well is in doubt and counts until it is answered (a sign may be in doubt as
    well). `cleared` holds flags that were asked about and denied, `unsure` the questions and flags left open,
    `unknown` the entries of lists left open, `offered` the checklist as last shown, in its order, `trail` the
    questions in the order of their answers, `reopened` those that are to be asked once more, `conflicts` two answers
    to one question that do not go together. `relation`, `pronoun`, `child` and `age` are those of somebody else whose
    back it is; `age` is anyone's.
    """

    regions: Ids | None = None
    onset: str | None = None
    red_flags: Ids = ()
    cautions: Ids = ()
    signs: Ids = ()
    duration: str | None = None
    duration_days: float | None = None
    pain_level: float | None = None
    flags_to_confirm: Ids = ()
    warning_signs: str | None = None
    medical_history: str | None = None
    said: Mapping[str, str] = field(default_factory=dict)
    cleared: Ids = ()
    unsure: Ids = ()
    unknown: Ids = ()
    offered: Ids = ()
    trail: Ids = ()
    reopened: Ids = ()
    conflicts: Mapping[str, list[str]] = field(default_factory=dict)
    patient: str | None = None
    relation: str | None = None
    pronoun: str | None = None
    child: str | None = None
    age: float | None = None

    @property
    def facts(self) -> Facts:
        """What triage decides on."""
        child = self.child if self.patient == OTHER else None
        if child == "maybe" and AGE not in self.unsure:
            # The age is still to be asked.
            child = None
        known = {*self.red_flags, *self.cautions, *self.signs, *self.cleared}
        unsure = tuple(name for name in self.unsure if name not in known)
        return Facts(
            regions=self.regions or (),
            onset=self.onset,
            red_flags=self.red_flags,
            cautions=self.cautions,
            signs=self.signs,
            duration_days=self.duration_days,
            pain_level=self.pain_level,
            unsure=unsure,
            unknown=tuple(entry for entry in self.unknown if entry not in known),
            age=self.age,
            child=child or "no",
        )

    def outcome(self, knowledge: Knowledge) -> Outcome:
        """The decision as of now."""
        return assess(self.facts, knowledge)

    @property
    def addressed(self) -> str:
        """How the bot speaks of the patient: you, he, she or they."""
        return addressed(self.patient, self.pronoun)

    def is_open(self, question: str) -> bool:
        """Whether a question has no answer yet, and was not left open either."""
        if question in self.conflicts:
            return True
        value = getattr(self, question)
        return (value is None or value == ()) and question not in self.unsure

    @property
    def is_empty(self) -> bool:
        """Whether nothing was told of anybody's back."""
        told = (self.regions, self.onset, self.red_flags, self.cautions, self.signs, self.duration)
        return not any((*told, self.flags_to_confirm)) and self.pain_level is None


def addressed(patient: str | None, pronoun: str | None) -> str:
    """How the bot speaks of a patient: you, he, she or they."""
    return pronoun or "they" if patient == OTHER else "you"


def unique(values: Iterable[str]) -> Ids:
    """The values, each once, in their order."""
    return tuple(dict.fromkeys(values))


def without(values: Iterable[str], *others: str) -> Ids:
    """The values but for some."""
    return tuple(value for value in values if value not in others)
