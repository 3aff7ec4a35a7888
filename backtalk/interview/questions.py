"""What is asked next, what a checklist still holds, and the ways back."""

from dataclasses import replace
from typing import Any

from backtalk.interview.model import AGE, CHECKLISTS, CONFIRM, OTHER, QUESTIONS, Ids, Interview, unique, without
from backtalk.knowledge import Entry, Knowledge


def next_question(interview: Interview, knowledge: Knowledge, is_told: bool = False) -> str | None:
    """The slot to request next, or None when nothing more is to be asked.

    Once a result was told (`is_told`) and the lists are answered, a correction brings no questions that were not asked
    before.
    """
    outcome = interview.outcome(knowledge)
    if doubted(interview):
        return CONFIRM
    if outcome.urgency == knowledge.gravest:
        return None
    if interview.flags_to_confirm:
        return CONFIRM
    flags_of_onsets = {onset.red_flag for onset in knowledge.onsets.values()} - {None}
    asked = CHECKLISTS if flags_of_onsets.intersection(outcome.facts.red_flags) else QUESTIONS
    questions = tuple(question for question in QUESTIONS if question in asked or question in interview.reopened)
    if is_told and not any(map(interview.is_open, ("regions", *CHECKLISTS))):
        questions = tuple(question for question in questions if question in interview.reopened)
    question = next(filter(interview.is_open, questions), None)
    if question is None and _age_matters(interview) and outcome.urgency == knowledge.lowest:
        return AGE
    return question


def doubted(interview: Interview) -> Ids:
    """The flags that were told and then taken back or denied; each waits for a plain yes or no."""
    return tuple(flag for flag in interview.flags_to_confirm if flag in (*interview.red_flags, *interview.signs))


def checklist(question: str, interview: Interview, knowledge: Knowledge) -> Ids:
    """What a checklist question still has to ask, gravest first: flags, signs and cautions not known already."""
    known = {*interview.red_flags, *interview.cautions, *interview.signs, *interview.cleared, *interview.unsure}
    return tuple(entry for entry in whole_checklist(question, interview, knowledge) if entry not in known)


def was_picked_from(question: str, interview: Interview, knowledge: Knowledge) -> bool:
    """Whether entries were taken from the list of this question, as last shown, while the question stayed open."""
    known = {*interview.red_flags, *interview.cautions, *interview.signs}
    rest = set(interview.offered) - known
    return rest != set(interview.offered) and rest == set(checklist(question, interview, knowledge))


def entry(entry_id: str, knowledge: Knowledge) -> Entry:
    """The red flag, sign or caution of an id. Raises KeyError."""
    if entry_id in knowledge.red_flags:
        return knowledge.red_flags[entry_id]
    if entry_id in knowledge.signs:
        return knowledge.signs[entry_id]
    return knowledge.cautions[entry_id]


def whole_checklist(question: str, interview: Interview, knowledge: Knowledge) -> Ids:
    """All entries of a checklist for these regions and this onset, known or not."""
    if question == "medical_history":
        return knowledge.medical_history
    regions = interview.regions or tuple(knowledge.regions)
    wanted = {flag for region in regions for flag in knowledge.regions[region].warning_signs}
    signs = [sign.id for sign in knowledge.signs.values() if _raised(interview, knowledge).intersection(sign.after)]
    return (*signs, *(flag for flag in knowledge.red_flags if flag in wanted))


def go_back(interview: Interview, knowledge: Knowledge) -> Interview | None:
    """The interview with the question answered last open again, or None where none was answered.

    What was named in it stays until it is denied: going back takes no danger sign away.
    """
    if not interview.trail:
        return None
    return _opened(interview, interview.trail[-1], knowledge)


def look_again(interview: Interview, knowledge: Knowledge) -> Interview:
    """The interview when it got worse or something new appeared: the warning signs and the pain are open again."""
    for question in ("warning_signs", "pain_level"):
        interview = _opened(interview, question, knowledge)
    return interview


def in_doubt(interview: Interview, knowledge: Knowledge) -> Interview:
    """The interview with what makes an emergency in doubt.

    Each sign waits for a plain yes or no, and counts until then.
    """
    grave = [flag for flag in interview.red_flags if knowledge.red_flags[flag].level == knowledge.gravest]
    return replace(interview, flags_to_confirm=unique((*(grave or interview.red_flags), *interview.flags_to_confirm)))


def fresh_start(interview: Interview) -> Interview:
    """A new interview that keeps the danger signs of the one before, and of whom it speaks."""
    return Interview(
        red_flags=interview.red_flags,
        patient=interview.patient,
        relation=interview.relation,
        pronoun=interview.pronoun,
        child=interview.child,
        age=interview.age,
        said={flag: words for flag, words in interview.said.items() if flag in interview.red_flags},
    )


def _opened(interview: Interview, question: str, knowledge: Knowledge) -> Interview:
    """The interview with one question open, and what was denied or left open in it forgotten."""
    entries = whole_checklist(question, interview, knowledge) if question in CHECKLISTS else ()
    # The names of fields, of which each has a type of its own.
    emptied: dict[str, Any] = {question: None, **({"duration_days": None} if question == "duration" else {})}
    return replace(
        interview,
        **emptied,
        trail=without(interview.trail, question),
        reopened=unique((*interview.reopened, question)),
        unsure=without(interview.unsure, question, *entries),
        unknown=without(interview.unknown, *entries),
        cleared=without(interview.cleared, *entries),
        said={name: words for name, words in interview.said.items() if name != question},
    )


def _age_matters(interview: Interview) -> bool:
    """Whether the patient may be a child and nobody has said how old."""
    is_open = interview.age is None and AGE not in interview.unsure
    return is_open and interview.patient == OTHER and interview.child == "maybe"


def _raised(interview: Interview, knowledge: Knowledge) -> set[str]:
    """The onsets that are certain, including those known only as flags."""
    of_flags = {onset.id for onset in knowledge.onsets.values() if onset.red_flag in interview.red_flags}
    return of_flags | ({interview.onset} if interview.onset else set())
