"""The questionnaire as pure functions: what a message adds to what is known, and what to ask next. Imports no Rasa.

A message arrives as the entities of `backtalk.language.entities` (or of a button), the open question, and the intent.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Iterable, Mapping, Optional, Sequence

from backtalk.knowledge import Knowledge
from backtalk.triage import Facts, Outcome, assess

QUESTIONS = ("regions", "onset", "warning_signs", "medical_history", "duration", "pain_level")
CHECKLISTS = ("warning_signs", "medical_history")
CONFIRM = "flags_to_confirm"
FOUND, NONE, UNSURE = "found", "none", "unsure"
YES, NO, SKIP, ALL = "yes", "no", "skip", "all"
MOST_BUTTONS = 8

_ANSWER_OF_INTENT = {"affirm": YES, "deny": NO, "not_sure": UNSURE}
_BUTTON = "RegexMessageHandler"
_LARGEST = 100_000
_LAST = -1
_PRESENT, _DENIED, _UNCERTAIN = "present", "denied", "uncertain"

Ids = tuple[str, ...]


@dataclass(frozen=True)
class Interview:
    """All that the visitor has said so far; every field is a slot of the same name.

    `regions` is None until asked or said, then a tuple that may be empty (the visitor does not know). `warning_signs`
    and `medical_history` are found, none, unsure, or None while open. `said` maps flags to the visitor's words,
    `cleared` holds flags that were asked about and denied, `unsure` the questions and flags left open, `offered` the
    checklist as last shown, in its order.
    """

    regions: Optional[Ids] = None
    onset: Optional[str] = None
    red_flags: Ids = ()
    cautions: Ids = ()
    signs: Ids = ()
    duration: Optional[str] = None
    duration_days: Optional[float] = None
    pain_level: Optional[float] = None
    flags_to_confirm: Ids = ()
    warning_signs: Optional[str] = None
    medical_history: Optional[str] = None
    said: Mapping[str, str] = field(default_factory=dict)
    cleared: Ids = ()
    unsure: Ids = ()
    offered: Ids = ()
    patient: Optional[str] = None

    @property
    def facts(self) -> Facts:
        """What triage decides on."""
        return Facts(
            regions=self.regions or (), onset=self.onset, red_flags=self.red_flags, cautions=self.cautions,
            signs=self.signs, duration_days=self.duration_days, pain_level=self.pain_level, unsure=self.unsure,
        )

    def outcome(self, knowledge: Knowledge) -> Outcome:
        """The decision as of now."""
        return assess(self.facts, knowledge)


@dataclass(frozen=True)
class Heard:
    """An interview after a message. `answered`: the open question is dealt with; `learned`: something new was said."""

    interview: Interview
    answered: bool
    learned: bool


def next_question(interview: Interview, knowledge: Knowledge) -> Optional[str]:
    """The slot to request next, or None when nothing more is to be asked."""
    outcome = interview.outcome(knowledge)
    if outcome.urgency == knowledge.gravest:
        return None
    if interview.flags_to_confirm:
        return CONFIRM
    flags_of_onsets = {onset.red_flag for onset in knowledge.onsets.values()} - {None}
    questions = CHECKLISTS if flags_of_onsets.intersection(outcome.facts.red_flags) else QUESTIONS
    return next((q for q in questions if getattr(interview, q) is None and q not in interview.unsure), None)


def checklist(question: str, interview: Interview, knowledge: Knowledge) -> Ids:
    """What a checklist question still has to ask, gravest first: flags, signs and cautions not known already."""
    known = {*interview.red_flags, *interview.cautions, *interview.signs, *interview.cleared}
    return tuple(entry for entry in _whole_checklist(question, interview, knowledge) if entry not in known)


def was_picked_from(question: str, interview: Interview, knowledge: Knowledge) -> bool:
    """Whether entries were taken from the list of this question, as last shown, while the question stayed open."""
    known = {*interview.red_flags, *interview.cautions, *interview.signs}
    rest = set(interview.offered) - known
    return rest != set(interview.offered) and rest == set(checklist(question, interview, knowledge))


def entry(entry_id: str, knowledge: Knowledge) -> Any:
    """The red flag, sign or caution of an id."""
    for records in (knowledge.red_flags, knowledge.signs, knowledge.cautions):
        if entry_id in records:
            return records[entry_id]
    raise KeyError(entry_id)


def hear(
    interview: Interview,
    entities: Sequence[Mapping[str, Any]],
    question: Optional[str],
    intent: Optional[str],
    knowledge: Knowledge,
) -> Heard:
    """What is known after a message. Ids that the knowledge does not have are ignored."""
    message = _Message(entities, intent, knowledge)
    patient = message.first("patient", str)
    after = replace(interview, patient=patient if patient in ("self", "other") else interview.patient)
    after = _hear_findings(after, message, question, knowledge)
    if question == CONFIRM:
        after = _hear_confirmation(after, message, interview.flags_to_confirm)
    elif question in CHECKLISTS:
        after = _hear_checklist(after, message, question, interview.offered, knowledge)
    elif question:
        after = _hear_unsure(after, message, question)
    after = _reopen(after, interview, knowledge)
    learned = replace(after, patient=interview.patient) != interview
    if question == CONFIRM:
        answered = after.flags_to_confirm != interview.flags_to_confirm
    else:
        answered = question is not None and (
            getattr(after, question) is not None or question in after.unsure or (question in CHECKLISTS and learned)
            or after.cleared != interview.cleared
        )
    return Heard(after, answered, learned)


def _reopen(after: Interview, before: Interview, knowledge: Knowledge) -> Interview:
    """Opens the warning signs again when a new place brings signs that were not asked about."""
    grown = before.regions and set(after.regions or ()) - set(before.regions)
    if grown and after.warning_signs and checklist("warning_signs", after, knowledge):
        return replace(after, warning_signs=None, unsure=tuple(e for e in after.unsure if e != "warning_signs"))
    return after


class _Message:
    """The entities of one message, with the questions that the interview asks of them."""

    def __init__(self, entities: Sequence[Mapping[str, Any]], intent: Optional[str], knowledge: Knowledge):
        self._entities = [dict(e, value=value) for e in entities for value in _values(e)]
        self._knowledge = knowledge
        self.tapped = any(e.get("extractor") == _BUTTON for e in entities)
        self.answer = self._spoken_answer() or _ANSWER_OF_INTENT.get(intent or "")

    def _spoken_answer(self) -> Optional[str]:
        """The first short answer. Of two that overlap the later holds ("i do not" in "i do not know"), and the "no" of
        "no fever" denies the fever and nothing else."""
        answers = [e for e in self._entities if e["entity"] == "answer" and isinstance(e["value"], str)]
        denied = [e.get("start", -1) for e in self._entities if e.get("status") == _DENIED]
        answers = [e for e in answers if not any(0 <= start - e.get("end", start - 9) <= 1 for start in denied)]
        for answer, following in zip(answers, answers[1:]):
            if following.get("start", 0) >= answer.get("end", 0):
                return answer["value"]
        return answers[-1]["value"] if answers else None

    def first(self, name: str, kind: type) -> Any:
        """The first value of an entity that has the right type."""
        return next((e["value"] for e in self._entities if e["entity"] == name and isinstance(e["value"], kind)), None)

    def numbers(self, name: str, weak: bool = True) -> list[float]:
        """The numeric values of an entity; without `weak`, only those of messages that say little else."""
        found = (e for e in self._entities if e["entity"] == name and (weak or not e.get("weak")))
        return [float(e["value"]) for e in found if _is_number(e["value"])]

    def findings(
        self, name: str, known: Iterable[str], patient: Optional[str], status: str = _PRESENT, weak: bool = False
    ) -> list[Mapping[str, Any]]:
        """The findings of a kind that have a status and are the patient's; `weak` lets answer-only words count."""
        return [
            e
            for e in self._entities
            if e["entity"] == name
            and isinstance(e["value"], str)
            and e["value"] in known
            and e.get("status", _PRESENT) == status
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


def _values(entity: Mapping[str, Any]) -> list:
    value = entity.get("value")
    return value if isinstance(value, list) else [value]


def _hear_findings(interview: Interview, message: _Message, question: Optional[str], knowledge: Knowledge) -> Interview:
    patient = interview.patient
    checking = question in CHECKLISTS
    said, flags = dict(interview.said), list(interview.red_flags)
    for e in message.findings("red_flag", knowledge.red_flags, patient, weak=checking):
        if not e.get("weak") or e["value"] in interview.offered:
            flags.append(e["value"])
            said.setdefault(e["value"], e.get("said") or knowledge.red_flags[e["value"]].name)
    onset = _onset(interview, message, question, knowledge)
    if onset and knowledge.onsets[onset["value"]].red_flag:
        flag = knowledge.onsets[onset["value"]].red_flag
        flags.append(flag)
        said.setdefault(flag, onset.get("said") or knowledge.red_flags[flag].name)
    uncertain = [
        e
        for e in (
            *message.findings("red_flag", knowledge.red_flags, patient, _UNCERTAIN, weak=checking),
            *_uncertain_trauma(message, patient, knowledge),
        )
        if e["value"] not in flags and (e["value"] not in interview.cleared or _is_told_after_all(e["value"], question, knowledge))
    ]
    for e in uncertain:
        said.setdefault(e["value"], e.get("said") or "")
    cautions = [
        e["value"]
        for status in (_PRESENT, _UNCERTAIN)
        for e in message.findings("caution", knowledge.cautions, patient, status, weak=checking)
    ]
    signs = [
        e["value"]
        for status in (_PRESENT, _UNCERTAIN)
        for e in message.findings("sign", knowledge.signs, patient, status, weak=checking)
    ]
    pending = _unique((*interview.flags_to_confirm, *(e["value"] for e in uncertain)))
    interview = replace(
        interview,
        onset=onset["value"] if onset else interview.onset,
        red_flags=_unique(flags),
        said=said,
        cautions=_unique((*interview.cautions, *cautions)),
        signs=_unique((*interview.signs, *signs)),
        flags_to_confirm=tuple(flag for flag in pending if flag not in flags),
        regions=_regions(interview, message, question, knowledge),
    )
    return _hear_quantities(interview, message, question)


def _is_told_after_all(flag: str, question: Optional[str], knowledge: Knowledge) -> bool:
    """Whether a flag that was denied is asked about once more when words in doubt name it again: an emergency's, outside its own question."""
    return question != CONFIRM and knowledge.red_flags[flag].level == knowledge.gravest


def _onset(
    interview: Interview, message: _Message, question: Optional[str], knowledge: Knowledge
) -> Optional[Mapping[str, Any]]:
    """The onset that a message adds: one that raises a flag wins, else the first while none is known."""
    found = message.findings("onset", knowledge.onsets, interview.patient, weak=question == "onset")
    grave = next((e for e in found if knowledge.onsets[e["value"]].red_flag), None)
    known = interview.onset and interview.onset != "unknown"
    if grave and not (known and knowledge.onsets[interview.onset].red_flag):
        return grave
    concrete = [e for e in found if e["value"] != "unknown"] or found
    return concrete[0] if concrete and not known else None


def _uncertain_trauma(message: _Message, patient: Optional[str], knowledge: Knowledge) -> list[Mapping[str, Any]]:
    found = message.findings("onset", knowledge.onsets, patient, _UNCERTAIN)
    return [
        {**e, "value": knowledge.onsets[e["value"]].red_flag} for e in found if knowledge.onsets[e["value"]].red_flag
    ]


def _regions(
    interview: Interview, message: _Message, question: Optional[str], knowledge: Knowledge
) -> Optional[Ids]:
    known = (*knowledge.regions, "everywhere")
    found = [e["value"] for e in message.findings("region", known, interview.patient, weak=question == "regions")]
    if "everywhere" in found:
        found = list(knowledge.regions)
    return _unique((*(interview.regions or ()), *found)) if found else interview.regions


def _hear_quantities(interview: Interview, message: _Message, question: Optional[str]) -> Interview:
    durations = message.durations(weak=question == "duration")
    if durations and interview.duration is None:
        # A message may date several things; the longest is the one that matters to triage.
        longest = max(durations, key=lambda e: e["value"])
        interview = replace(
            interview, duration=str(longest.get("said") or longest["value"]), duration_days=float(longest["value"])
        )
    levels = message.numbers("pain_level")
    if question == "pain_level" and not levels:
        levels = message.numbers("number") or message.numbers("ordinal")
        levels = levels or [float(e) for e in _strings(message, "severity") if e.isascii() and e.isdigit()]
    levels = [level for level in levels if 0 <= level <= 10]
    if levels and interview.pain_level is None:
        interview = replace(interview, pain_level=max(levels))
    return interview


def _strings(message: _Message, name: str) -> list[str]:
    value = message.first(name, str)
    return [value] if value else []


def _hear_unsure(interview: Interview, message: _Message, question: str) -> Interview:
    """An answer of "I don't know" to where, how, how long or how bad: taken, and not asked again."""
    if getattr(interview, question) is not None or message.answer not in (UNSURE, SKIP):
        return interview
    if question == "onset":
        return replace(interview, onset="unknown")
    if question == "regions":
        return replace(interview, regions=(), unsure=_unique((*interview.unsure, question)))
    return replace(interview, unsure=_unique((*interview.unsure, question)))


def _hear_confirmation(interview: Interview, message: _Message, pending: Ids) -> Interview:
    """The answer to "do you have ...?" about the first flag that waits for it."""
    flag = pending[0] if pending else None
    if not flag or flag in interview.red_flags:
        return interview
    waiting = tuple(other for other in interview.flags_to_confirm if other != flag)
    if message.answer in (YES, ALL):
        return replace(interview, flags_to_confirm=waiting, red_flags=_unique((*interview.red_flags, flag)))
    said = {name: words for name, words in interview.said.items() if name != flag}
    if message.answer == NO:
        return replace(interview, flags_to_confirm=waiting, said=said, cleared=_unique((*interview.cleared, flag)))
    if message.answer in (UNSURE, SKIP):
        cleared, unsure = _unique((*interview.cleared, flag)), _unique((*interview.unsure, flag))
        return replace(interview, flags_to_confirm=waiting, said=said, cleared=cleared, unsure=unsure)
    return interview


def _hear_checklist(
    interview: Interview, message: _Message, question: str, offered: Ids, knowledge: Knowledge
) -> Interview:
    denied = {
        e["value"]
        for kind in ("red_flag", "caution", "sign")
        for e in message.findings(kind, offered, interview.patient, _DENIED, weak=True)
    }
    ordinals = [len(offered) if n == _LAST else n for n in message.numbers("ordinal", weak=False)]
    places = [float(n) for n in (*message.numbers("number", weak=False), *ordinals)]
    chosen = [offered[int(n) - 1] for n in places if n.is_integer() and 1 <= n <= len(offered)]
    if message.answer == ALL:
        chosen = list(offered)
    interview = _choose(interview, [choice for choice in chosen if choice not in denied], knowledge)
    whole = _whole_checklist(question, interview, knowledge)
    named = [
        e["value"]
        for kind in ("red_flag", "caution", "sign")
        for e in message.findings(kind, whole, interview.patient, weak=True)
    ]
    uncertain = message.findings("red_flag", knowledge.red_flags, interview.patient, _UNCERTAIN, weak=True)
    if named or chosen:
        # A tap names one entry; the question stays open for the rest of the list.
        return interview if message.tapped else replace(interview, **{question: FOUND})
    if message.answer == NO:
        known = {*interview.red_flags, *interview.cautions, *interview.signs, *interview.flags_to_confirm}
        cleared = _unique((*interview.cleared, *(e for e in offered if e not in known)))
        return replace(interview, **{question: FOUND if known.intersection(whole) else NONE}, cleared=cleared)
    if message.answer in (UNSURE, SKIP) and not uncertain:
        return replace(interview, **{question: UNSURE}, unsure=_unique((*interview.unsure, question)))
    # Entries that were denied by name need not be asked again; the rest of the list still is.
    return replace(interview, cleared=_unique((*interview.cleared, *(e for e in offered if e in denied))))


def _choose(interview: Interview, chosen: Iterable[str], knowledge: Knowledge) -> Interview:
    """Adds entries that were picked from a list by their number."""
    said = dict(interview.said)
    flags, cautions, signs = list(interview.red_flags), list(interview.cautions), list(interview.signs)
    for choice in chosen:
        if choice in knowledge.red_flags:
            flags.append(choice)
            said.setdefault(choice, knowledge.red_flags[choice].name)
        else:
            (cautions if choice in knowledge.cautions else signs).append(choice)
    return replace(
        interview, red_flags=_unique(flags), cautions=_unique(cautions), signs=_unique(signs), said=said,
        flags_to_confirm=tuple(flag for flag in interview.flags_to_confirm if flag not in flags),
    )


def _whole_checklist(question: str, interview: Interview, knowledge: Knowledge) -> Ids:
    if question == "medical_history":
        return knowledge.medical_history
    regions = interview.regions or tuple(knowledge.regions)
    wanted = {flag for region in regions for flag in knowledge.regions[region].warning_signs}
    signs = [sign.id for sign in knowledge.signs.values() if _raised(interview, knowledge).intersection(sign.after)]
    return (*signs, *(flag for flag in knowledge.red_flags if flag in wanted))


def _raised(interview: Interview, knowledge: Knowledge) -> set[str]:
    """The onsets that are certain, including those known only as flags."""
    of_flags = {onset.id for onset in knowledge.onsets.values() if onset.red_flag in interview.red_flags}
    return of_flags | ({interview.onset} if interview.onset else set())


def _unique(values: Iterable[str]) -> Ids:
    return tuple(dict.fromkeys(values))
