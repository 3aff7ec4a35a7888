"""What a message adds to an interview.

A message arrives as the entities of `backtalk.language.entities` (or of a button), the open question, and the intent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backtalk.interview.message import ALL, DENIED, NO, ONLY, PAST, PRESENT, SKIP, UNCERTAIN, YES, Message
from backtalk.interview.model import (
    AGE,
    CHECKLISTS,
    CONFIRM,
    FOUND,
    NONE,
    OTHER,
    SELF,
    UNSURE,
    Ids,
    Interview,
    unique,
    without,
)
from backtalk.interview.questions import checklist, doubted, whole_checklist
from backtalk.knowledge import Knowledge

_LAST = -1
_OLDEST = 120
# Two durations of which one is so many times the other do not go together.
_FAR_APART = 3
_KINDS = ("red_flag", "caution", "sign")


@dataclass(frozen=True)
class Heard:
    """An interview after a message.

    `answered`: the open question is dealt with; `learned`: something new was said; `corrected`: something said before
    was changed.
    """

    interview: Interview
    answered: bool
    learned: bool
    corrected: bool = False


def hear(
    interview: Interview,
    entities: Sequence[Mapping[str, Any]],
    question: str | None,
    intent: str | None,
    knowledge: Knowledge,
) -> Heard:
    """What is known after a message. Ids that the knowledge does not have are ignored."""
    message = Message(entities, intent, knowledge)
    before = _hear_patient(interview, message)
    after = _hear_findings(before, message, question, knowledge)
    after = _hear_denials(after, before, message, question, knowledge)
    if question == CONFIRM:
        after = _hear_confirmation(after, message, before.flags_to_confirm)
    elif question in CHECKLISTS:
        after = _hear_checklist(after, message, question, interview.offered, knowledge)
    elif question == AGE:
        after = _hear_age(after, message)
    elif question:
        after = _hear_unsure(after, message, question)
    after = _reopen(after, before, knowledge)
    learned = after != before
    answered = _is_answered(question, after, before, learned)
    if question is not None and answered and question != CONFIRM and not after.is_open(question):
        trail, reopened = (*without(after.trail, question), question), without(after.reopened, question)
        after = replace(after, trail=trail, reopened=reopened)
    corrected = learned and after.conflicts == before.conflicts and _is_changed(after, before)
    return Heard(after, answered, learned, corrected)


def _is_answered(question: str | None, after: Interview, before: Interview, learned: bool) -> bool:
    if question is None:
        return False
    if question == CONFIRM:
        return after.flags_to_confirm != before.flags_to_confirm
    return not after.is_open(question) or (question in CHECKLISTS and learned) or after.cleared != before.cleared


def _is_changed(after: Interview, before: Interview) -> bool:
    """Whether something that was known before is another now."""
    lists = ("regions", "red_flags", "cautions", "signs")
    values = ("onset", "duration_days", "pain_level", "age")
    shrunk = any(set(getattr(before, name) or ()) - set(getattr(after, name) or ()) for name in lists)
    return shrunk or any(getattr(before, name) not in (None, getattr(after, name)) for name in values)


def _reopen(after: Interview, before: Interview, knowledge: Knowledge) -> Interview:
    """Opens the warning signs again when a new place brings signs that were not asked about."""
    grown = before.regions and set(after.regions or ()) - set(before.regions)
    if grown and after.warning_signs and checklist("warning_signs", after, knowledge):
        return replace(after, warning_signs=None, unsure=without(after.unsure, "warning_signs"))
    return after


def _hear_patient(interview: Interview, message: Message) -> Interview:
    """Whose back it is. Whoever writes for another goes on doing so until plainly speaking of the own back."""
    told = message.entity("patient")
    patient = told.get("value")
    if patient == SELF and interview.patient == OTHER and not told.get("plain"):
        patient = None
    if patient in (SELF, OTHER) and patient != interview.patient:
        # An age is one person's.
        age = None if interview.patient else interview.age
        interview = replace(interview, patient=patient, age=age, unsure=without(interview.unsure, AGE))
    if interview.patient == OTHER and patient == OTHER and told.get("relation"):
        interview = replace(
            interview,
            relation=_text(told["relation"]),
            pronoun=_pronoun(told.get("pronoun")),
            child=_text(told.get("child")),
        )
    spoken_of = _pronoun(message.first("pronoun", str))
    if interview.patient == OTHER and spoken_of and interview.pronoun in (None, "they"):
        interview = replace(interview, pronoun=spoken_of)
    whose = message.entity("age").get("of") or interview.patient or SELF
    ages = [age for age in message.numbers("age") if 0 <= age <= _OLDEST]
    return replace(interview, age=ages[0]) if ages and whose == (interview.patient or SELF) else interview


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _pronoun(value: Any) -> str | None:
    return value if value in ("he", "she", "they") else None


def _hear_findings(interview: Interview, message: Message, question: str | None, knowledge: Knowledge) -> Interview:
    patient = interview.patient
    checking = question in CHECKLISTS
    said, flags = dict(interview.said), list(interview.red_flags)
    told: list[str] = []
    for e in message.findings("red_flag", knowledge.red_flags, patient, weak=checking):
        if not e.get("weak") or e["value"] in interview.offered:
            told.append(e["value"])
            said.setdefault(e["value"], e.get("said") or knowledge.red_flags[e["value"]].name)
    onset = _onset(interview, message, question, knowledge)
    raised = knowledge.onsets[onset["value"]].red_flag if onset else None
    if onset and raised:
        told.append(raised)
        said.setdefault(raised, onset.get("said") or knowledge.red_flags[raised].name)
    flags += told
    uncertain = [
        e
        for e in (
            *message.findings("red_flag", knowledge.red_flags, patient, UNCERTAIN, weak=checking),
            *_uncertain_trauma(message, patient, knowledge),
        )
        if e["value"] not in flags
        and (
            e["value"] not in (*interview.cleared, *interview.unsure)
            or _is_told_after_all(e["value"], question, knowledge)
        )
    ]
    for e in uncertain:
        said.setdefault(e["value"], e.get("said") or "")
    more = {
        name: [
            e for status in (PRESENT, UNCERTAIN) for e in message.findings(name, known, patient, status, weak=checking)
        ]
        for name, known in (("caution", knowledge.cautions), ("sign", knowledge.signs))
    }
    for e in (*more["caution"], *more["sign"]):
        said.setdefault(e["value"], e.get("said") or "")
    signs_told = [e["value"] for e in more["sign"] if e.get("status", PRESENT) == PRESENT]
    pending = unique((*interview.flags_to_confirm, *(e["value"] for e in uncertain)))
    interview = replace(
        interview,
        onset=onset["value"] if onset else interview.onset,
        red_flags=unique(flags),
        cautions=unique((*interview.cautions, *(e["value"] for e in more["caution"]))),
        signs=unique((*interview.signs, *(e["value"] for e in more["sign"]))),
        # One in doubt stays so unless it is told once more.
        flags_to_confirm=tuple(
            flag
            for flag in pending
            if flag not in (*told, *signs_told) and (flag not in flags or flag in doubted(interview))
        ),
        cleared=without(interview.cleared, *told),
        unsure=without(interview.unsure, *told),
        said={**said, "onset": onset["said"]} if onset and onset.get("said") else said,
    )
    interview = _hear_regions(interview, message, question, knowledge)
    return _hear_quantities(interview, message, question, knowledge)


def _is_told_after_all(flag: str, question: str | None, knowledge: Knowledge) -> bool:
    """Whether a flag that was denied is asked about once more when words in doubt name it again.

    An emergency's is, outside its own question.
    """
    return question != CONFIRM and knowledge.red_flags[flag].level == knowledge.gravest


def _onset(
    interview: Interview, message: Message, question: str | None, knowledge: Knowledge
) -> Mapping[str, Any] | None:
    """The onset that a message adds.

    One that raises a flag wins, else the first while none is known or one is corrected.
    """
    weak = _asks("onset", interview, message, question)
    found = message.findings("onset", knowledge.onsets, interview.patient, weak=weak)
    grave = next((e for e in found if knowledge.onsets[e["value"]].red_flag), None)
    known = interview.onset if interview.onset != "unknown" else None
    if grave and not (known and knowledge.onsets[known].red_flag):
        return grave
    harmless = [e for e in found if not knowledge.onsets[e["value"]].red_flag] if message.corrects else found
    concrete = [e for e in harmless if e["value"] != "unknown"] or harmless
    return concrete[0] if concrete and (not known or message.corrects) else None


def _asks(name: str, interview: Interview, message: Message, question: str | None) -> bool:
    """Whether a message answers this question: the open one or, when it corrects something, the one before."""
    return question == name or (message.corrects and interview.trail[-1:] == (name,))


def _uncertain_trauma(message: Message, patient: str | None, knowledge: Knowledge) -> list[Mapping[str, Any]]:
    found = message.findings("onset", knowledge.onsets, patient, UNCERTAIN)
    return [
        {**e, "value": knowledge.onsets[e["value"]].red_flag} for e in found if knowledge.onsets[e["value"]].red_flag
    ]


def _hear_regions(interview: Interview, message: Message, question: str | None, knowledge: Knowledge) -> Interview:
    """Places are added to those known; a correction puts them in their stead, and "not my neck" takes one out."""
    known = (*knowledge.regions, "everywhere")
    weak = _asks("regions", interview, message, question)
    told = message.findings("region", known, interview.patient, weak=weak)
    found = unique(e["value"] for e in told)
    if "everywhere" in found:
        found = tuple(knowledge.regions)
    if not found:
        return interview
    denied = [e["value"] for e in message.findings("region", known, interview.patient, DENIED)]
    kept = without(interview.regions or (), *denied) if denied or not message.corrects else ()
    words = ", ".join(unique(str(e["said"]) for e in told if e.get("said") and e["value"] not in kept))
    earlier = interview.said.get("regions") if kept else None
    said = {**interview.said, "regions": ", ".join(filter(None, (earlier, words)))} if words else interview.said
    return replace(interview, regions=unique((*kept, *found)), said=said)


def _hear_quantities(interview: Interview, message: Message, question: str | None, knowledge: Knowledge) -> Interview:
    durations = message.durations(weak=question == "duration" or message.corrects)
    if durations:
        # A message may date several things; the longest is the one that matters to triage.
        interview = _hear_duration(interview, max(durations, key=lambda e: e["value"]), message, question, knowledge)
    levels = message.numbers("pain_level")
    if _asks("pain_level", interview, message, question) and not levels:
        levels = message.numbers("number") or message.numbers("ordinal")
        levels = levels or [float(e) for e in _strings(message, "severity") if e.isascii() and e.isdigit()]
    levels = [level for level in levels if 0 <= level <= 10]
    return replace(interview, pain_level=max(levels)) if levels else interview


def _hear_duration(
    interview: Interview, told: Mapping[str, Any], message: Message, question: str | None, knowledge: Knowledge
) -> Interview:
    """Takes a duration; of two that do not go together the longer holds until the question is answered once more."""
    words, days, known = str(told.get("said") or told["value"]), float(told["value"]), interview.duration_days
    if interview.duration is None or message.corrects or question == "duration":
        conflicts = {name: both for name, both in interview.conflicts.items() if name != "duration"}
        reopened = without(interview.reopened, "duration")
        return replace(interview, duration=words, duration_days=days, conflicts=conflicts, reopened=reopened)
    is_only_of_today = days <= 1 and known is not None and days < known
    tells = message.tells and not message.asks
    if known is None or is_only_of_today or not tells or not _far_apart(known, days, knowledge.long_duration.days):
        return interview
    conflicts = {**interview.conflicts, "duration": [interview.duration, words]}
    reopened = unique((*interview.reopened, "duration"))
    longer, longer_days = (words, days) if days > known else (interview.duration, known)
    return replace(interview, duration=longer, duration_days=longer_days, conflicts=conflicts, reopened=reopened)


def _far_apart(one: float, other: float, limit: float) -> bool:
    shorter, longer = sorted((max(one, 1), max(other, 1)))
    return longer >= _FAR_APART * shorter or shorter <= limit < longer


def _strings(message: Message, name: str) -> list[str]:
    value = message.first(name, str)
    return [value] if value else []


def _hear_denials(
    after: Interview, before: Interview, message: Message, question: str | None, knowledge: Knowledge
) -> Interview:
    """What a message takes back of that which was told before.

    A danger sign that is denied is asked about before it goes; one below an emergency goes at once where the message
    says that it corrects something. "It was a joke" puts all signs in doubt that call for an examination at once.
    """
    denied = _denied(before, message, knowledge)
    # Where a plain yes or no is asked for, the answer decides.
    corrects = message.corrects and question != CONFIRM
    at_once = [flag for flag in denied if corrects and knowledge.red_flags[flag].level != knowledge.gravest]
    doubtful = [flag for flag in denied if flag not in at_once]
    takes_back = message.takes_back or (message.is_well and not (question and message.answers))
    if takes_back and not denied and question != CONFIRM:
        told = {e["value"] for e in message.findings("red_flag", knowledge.red_flags, before.patient)}
        grave = [flag for flag in knowledge.red_flags if not knowledge.urgency[knowledge.red_flags[flag].level].relief]
        doubtful += [flag for flag in grave if flag in before.red_flags and flag not in told]
    replaced = _replaced_onset(after, before, message, question, knowledge)
    if replaced and question == "onset":
        at_once.append(replaced)
    elif replaced and replaced not in at_once:
        doubtful.append(replaced)
    others = (*after.cautions, *after.signs) if message.corrects else ()
    gone = tuple(
        e["value"] for name in ("caution", "sign") for e in message.findings(name, others, before.patient, DENIED)
    )
    if _ends_an_emergency(after, at_once, gone, knowledge):
        doubtful = [*at_once, *(sign for sign in gone if sign in after.signs), *doubtful]
        at_once, gone = [], tuple(entry for entry in gone if entry not in after.signs)
    doubtful = [entry for entry in doubtful if entry in (*after.red_flags, *after.signs) and question != CONFIRM]
    after = _without(after, (*at_once, *gone), knowledge)
    return replace(after, flags_to_confirm=unique((*doubtful, *after.flags_to_confirm)))


def _ends_an_emergency(interview: Interview, flags: Iterable[str], others: Iterable[str], knowledge: Knowledge) -> bool:
    """Whether an emergency, be it one of several facts together, would be none without these."""
    left = _without(interview, (*flags, *others), knowledge)
    return interview.outcome(knowledge).urgency == knowledge.gravest != left.outcome(knowledge).urgency


def _denied(interview: Interview, message: Message, knowledge: Knowledge) -> list[str]:
    """The known flags that a message denies by name and does not tell as well, gravest first."""
    patient = interview.patient
    denied = {e["value"] for e in message.findings("red_flag", interview.red_flags, patient, DENIED)}
    if message.corrects:
        denied |= {e["value"] for e in message.findings("red_flag", interview.red_flags, patient, PAST)}
    told = {e["value"] for e in message.findings("red_flag", interview.red_flags, patient)}
    for e in message.findings("onset", knowledge.onsets, patient, DENIED):
        denied.add(knowledge.onsets[e["value"]].red_flag)
    for e in message.findings("onset", knowledge.onsets, patient):
        told.add(knowledge.onsets[e["value"]].red_flag)
    return [flag for flag in knowledge.red_flags if flag in denied - told and flag in interview.red_flags]


def _replaced_onset(
    after: Interview, before: Interview, message: Message, question: str | None, knowledge: Knowledge
) -> str | None:
    """The flag of a fall or an accident in whose stead a message tells of another beginning."""
    now = knowledge.onsets[after.onset].red_flag if after.onset else None
    flags = [onset.red_flag for onset in knowledge.onsets.values() if onset.red_flag in before.red_flags]
    tells_anew = after.onset and after.onset != before.onset and (message.corrects or question == "onset")
    return next((flag for flag in flags if flag and flag != now), None) if tells_anew and not now else None


def _without(interview: Interview, gone: Iterable[str], knowledge: Knowledge) -> Interview:
    """The interview with flags, signs and cautions gone, and with a flag the onset that raises it."""
    gone = tuple(gone)
    if not gone:
        return interview
    raises = knowledge.onsets[interview.onset].red_flag if interview.onset else None
    return replace(
        interview,
        onset="unknown" if raises in gone else interview.onset,
        red_flags=without(interview.red_flags, *gone),
        signs=without(interview.signs, *gone),
        cautions=without(interview.cautions, *gone),
        flags_to_confirm=without(interview.flags_to_confirm, *gone),
        unsure=without(interview.unsure, *gone),
        cleared=unique((*interview.cleared, *gone)),
        said={
            name: words
            for name, words in interview.said.items()
            if name not in gone and not (name == "onset" and raises in gone)
        },
    )


def _hear_unsure(interview: Interview, message: Message, question: str) -> Interview:
    """An answer of "I don't know" to where, how, how long or how bad: taken, and not asked again."""
    if question == "onset" and interview.onset == "unknown" and message.tapped:
        return replace(interview, unsure=unique((*interview.unsure, question)))
    if not interview.is_open(question) or message.answer not in (UNSURE, SKIP):
        return interview
    if question in interview.conflicts:
        conflicts = {name: both for name, both in interview.conflicts.items() if name != question}
        return replace(interview, conflicts=conflicts)
    if question == "onset":
        return replace(interview, onset="unknown", unsure=unique((*interview.unsure, question)))
    if question == "regions":
        return replace(interview, regions=(), unsure=unique((*interview.unsure, question)))
    return replace(interview, unsure=unique((*interview.unsure, question)))


def _hear_age(interview: Interview, message: Message) -> Interview:
    """How old the patient is; months are less than a year."""
    if interview.age is not None:
        return interview
    if message.durations(weak=True):
        return replace(interview, age=float(int(message.durations(weak=True)[0]["value"] / 365)))
    ages = [number for number in message.numbers("number") if 0 <= number <= _OLDEST]
    if ages:
        return replace(interview, age=ages[0])
    if message.answer in (UNSURE, SKIP):
        return replace(interview, unsure=unique((*interview.unsure, AGE)))
    return interview


def _hear_confirmation(interview: Interview, message: Message, pending: Ids) -> Interview:
    """The answer to "do you have ...?" about the first flag that waits for it."""
    flag = pending[0] if pending else None
    if not flag or flag not in interview.flags_to_confirm:
        return interview
    in_doubt = flag in doubted(interview)
    waiting = without(interview.flags_to_confirm, flag)
    if message.answer in (YES, ALL):
        flags = interview.red_flags if flag in interview.signs else unique((*interview.red_flags, flag))
        return replace(interview, flags_to_confirm=waiting, red_flags=flags, unsure=without(interview.unsure, flag))
    named = any(message.findings(kind, (flag,), interview.patient, DENIED) for kind in _KINDS)
    if message.says_no or named or _onset_denied(message, flag, interview):
        return _without(interview, (flag,), message.knowledge)
    if message.answer in (UNSURE, SKIP) and in_doubt:
        # Told before, and nobody says now that it is not so.
        return replace(interview, flags_to_confirm=waiting)
    if message.answer in (UNSURE, SKIP):
        said = {name: words for name, words in interview.said.items() if name != flag}
        return replace(interview, flags_to_confirm=waiting, said=said, unsure=unique((*interview.unsure, flag)))
    return interview


def _onset_denied(message: Message, flag: str, interview: Interview) -> bool:
    onsets = [onset.id for onset in message.knowledge.onsets.values() if onset.red_flag == flag]
    return bool(message.findings("onset", onsets, interview.patient, DENIED))


def _hear_checklist(
    interview: Interview, message: Message, question: str, offered: Ids, knowledge: Knowledge
) -> Interview:
    denied = {
        e["value"] for kind in _KINDS for e in message.findings(kind, offered, interview.patient, DENIED, weak=True)
    }
    ordinals = [len(offered) if n == _LAST else n for n in message.numbers("ordinal", weak=False)]
    places = [float(n) for n in (*message.numbers("number", weak=False), *ordinals)]
    chosen = [offered[int(n) - 1] for n in places if n.is_integer() and 1 <= n <= len(offered)]
    if message.answer == ALL:
        chosen = list(offered)
    interview = _choose(interview, [choice for choice in chosen if choice not in denied], knowledge)
    whole = whole_checklist(question, interview, knowledge)
    named = [e["value"] for kind in _KINDS for e in message.findings(kind, whole, interview.patient, weak=True)]
    uncertain = message.findings("red_flag", knowledge.red_flags, interview.patient, UNCERTAIN, weak=True)
    if named or chosen:
        # A tap names one entry; the question stays open for the rest of the list.
        if message.answer == ONLY:
            interview = replace(interview, cleared=_cleared_of_rest(interview, offered))
        is_part = message.tapped and message.answer != ONLY
        return interview if is_part else _answered(interview, question, FOUND)
    if message.answer == NO and not _is_about_what_is_known(message, offered, interview):
        answer = FOUND if _known(interview).intersection(whole) else NONE
        return replace(_answered(interview, question, answer), cleared=_cleared_of_rest(interview, offered))
    if message.answer in (UNSURE, SKIP) and not uncertain:
        left_open = checklist(question, interview, knowledge)
        return replace(
            _answered(interview, question, UNSURE),
            unsure=unique((*interview.unsure, question)),
            unknown=unique((*interview.unknown, *(e for e in left_open if e not in denied))),
        )
    # Entries that were denied by name need not be asked again; the rest of the list still is.
    return replace(interview, cleared=unique((*interview.cleared, *(e for e in offered if e in denied))))


def _answered(interview: Interview, question: str, answer: str) -> Interview:
    """The interview with the answer to one of the checklists."""
    if question == "warning_signs":
        return replace(interview, warning_signs=answer)
    return replace(interview, medical_history=answer)


def _known(interview: Interview) -> set[str]:
    return {*interview.red_flags, *interview.cautions, *interview.signs, *interview.flags_to_confirm}


def _cleared_of_rest(interview: Interview, offered: Ids) -> Ids:
    """What is cleared once nothing else of a list is there."""
    known = _known(interview)
    return unique((*interview.cleared, *(entry for entry in offered if entry not in known)))


def _is_about_what_is_known(message: Message, offered: Ids, interview: Interview) -> bool:
    """Whether a message corrects something from before, and so does not answer the list.

    As in "no wait, the fever was last month".
    """
    regions, patient = message.knowledge.regions, interview.patient
    if all(message.findings("region", regions, patient, status) for status in (PRESENT, DENIED)):
        # "No, it is my neck, not my lower back."
        return True
    known = without((*interview.red_flags, *interview.cautions, *interview.signs), *offered)
    statuses = (PRESENT, DENIED, PAST, UNCERTAIN)
    return message.corrects and any(
        message.findings(kind, known, patient, status, weak=True) for kind in _KINDS for status in statuses
    )


def _choose(interview: Interview, chosen: Sequence[str], knowledge: Knowledge) -> Interview:
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
        interview,
        red_flags=unique(flags),
        cautions=unique(cautions),
        signs=unique(signs),
        said=said,
        flags_to_confirm=without(interview.flags_to_confirm, *chosen),
        cleared=without(interview.cleared, *chosen),
        unsure=without(interview.unsure, *chosen),
    )
