"""Words an outcome for people and packs it for programs. Pure functions; imports no Rasa.

The payload is the contract's `assessment`; the text says the same in the order that matters to a reader: what to do
first, why, what the muscle may be, what may relieve it, what would make it worse and when to seek help, and the sources.
"""

from typing import Any, Iterable, Mapping, Optional, Sequence

from backtalk.knowledge import Knowledge, RedFlag
from backtalk.triage import Facts, Outcome

UNSURE_NOTES = {
    "warning_signs": "You were not sure about the warning signs, so I could not count them as absent.",
    "medical_history": "You were not sure about your medical history, so I could not take it into account.",
}


def assessment_payload(outcome: Outcome, said: Mapping[str, str], knowledge: Knowledge) -> dict[str, Any]:
    """The `custom` payload of the assessment message. `said` maps flags and rules to the visitor's own words."""
    facts = outcome.facts
    return {
        "type": "assessment",
        "urgency": outcome.urgency,
        "regions": list(facts.regions),
        "onset": facts.onset,
        "muscles": list(outcome.muscles),
        "red_flags": list(facts.red_flags),
        "cautions": list(facts.cautions),
        "reasons": [
            {"flag": flag, "said": said.get(flag, ""), "source": ", ".join(knowledge.red_flags[flag].source)}
            for flag in outcome.reasons
        ],
        "rules": [
            {"id": rule.id, "facts": list(rule.facts), "source": ", ".join(rule.source)} for rule in outcome.rules
        ],
        "relief": [{"id": suggestion.id, "caution": suggestion.caution} for suggestion in outcome.relief],
        "duration_days": facts.duration_days,
        "pain_level": facts.pain_level,
    }


def assessment_text(
    outcome: Outcome, said: Mapping[str, str], knowledge: Knowledge, unsure: Sequence[str] = (), changed: str = ""
) -> str:
    """The assessment for people. `unsure` names checklists and flags that stayed open; `changed` opens the text
    where an earlier assessment is replaced."""
    level = knowledge.urgency[outcome.urgency]
    cite = _Citations(knowledge)
    do = (f"{fill(advice.text, knowledge)}{cite(advice.source)}" for advice in outcome.do)
    parts = [changed, "\n".join((level.headline, *do)), *_unsure_notes(unsure, knowledge), _why(outcome, said, knowledge, cite, unsure)]
    if level.relief:
        parts += [_muscle(outcome, knowledge, cite), _relief(outcome, knowledge, cite) if outcome.relief else ""]
        parts += [level.worse + cite(level.source)] if level.worse else []
    parts += [fill(level.seek_help, knowledge) + cite(level.source), cite.listing(), "This is information, not a diagnosis."]
    return "\n\n".join(part for part in parts if part)


def fill(text: str, knowledge: Knowledge) -> str:
    """The text with the settings in place of `{emergency_number}` and `{crisis_line}`."""
    for name, value in knowledge.settings.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def listed(names: Iterable[str], conjunction: str = "and") -> str:
    """"a", "a and b", "a, b and c"."""
    *most, last = names
    return f"{', '.join(most)} {conjunction} {last}" if most else last


class _Citations:
    """Numbers the sources in the order in which they are cited."""

    def __init__(self, knowledge: Knowledge):
        self._knowledge = knowledge
        self._numbers: dict[str, int] = {}

    def __call__(self, sources: Iterable[str]) -> str:
        """The reference to put behind a statement, such as " [1, 3]"."""
        numbers = [self._numbers.setdefault(source, len(self._numbers) + 1) for source in sources]
        return f" [{', '.join(map(str, numbers))}]" if numbers else ""

    def listing(self) -> str:
        """The line that says what the numbers mean."""
        names = (f"[{number}] {self._knowledge.sources[source].name}" for source, number in self._numbers.items())
        return f"{'Source' if len(self._numbers) == 1 else 'Sources'}: {'; '.join(names)}."


def _unsure_notes(unsure: Sequence[str], knowledge: Knowledge) -> list[str]:
    notes = [UNSURE_NOTES[question] for question in unsure if question in UNSURE_NOTES]
    for flag in (knowledge.red_flags[name] for name in unsure if name in knowledge.red_flags):
        headline = knowledge.urgency[flag.level].headline
        notes.append(f"You were not sure about {flag.name}. If it is there: {_lower(headline)}")
    return notes


def _why(
    outcome: Outcome, said: Mapping[str, str], knowledge: Knowledge, cite: _Citations, unsure: Sequence[str]
) -> str:
    """The flags that decide in full, the lesser ones by name, and the rules."""
    flags = [knowledge.red_flags[flag] for flag in outcome.reasons]
    lines = []
    for flag in (flag for flag in flags if flag.level == outcome.urgency or not _decided(flags, outcome)):
        lines.append(f"• {_quoted(said.get(flag.id))}{_upper(flag.name)}: {_lower(flag.why)}{cite(flag.source)}")
    lines += [f"• {_quoted(said.get(rule.id))}{rule.why}{cite(rule.source)}" for rule in outcome.rules]
    lesser = [flag for flag in flags if flag.level != outcome.urgency and _decided(flags, outcome)]
    lines += ["Tell them of this as well:"] if lesser else []
    lines += [f"• {_quoted(said.get(flag.id))}{_upper(flag.name)}.{cite(flag.source)}" for flag in lesser]
    if lines:
        return "\n".join(["Why:", *lines])
    return f"Why: {_harmless_reason(outcome.facts, knowledge, cite, 'warning_signs' not in unsure)}"


def _decided(flags: Sequence[RedFlag], outcome: Outcome) -> bool:
    """Whether flags of their own level decided, rather than a rule about several facts."""
    return any(flag.level == outcome.urgency for flag in flags)


def _harmless_reason(facts: Facts, knowledge: Knowledge, cite: _Citations, signs_known: bool) -> str:
    signs = "you named no danger sign" if signs_known else "so far you named no danger sign"
    onset = knowledge.onsets[facts.onset] if facts.onset else None
    if onset and onset.meaning:
        meaning = f"{onset.meaning}{cite(onset.source)}"
        return f"it started with {onset.name}, and {signs}. {meaning}"
    return f"{signs}."


def _muscle(outcome: Outcome, knowledge: Knowledge, cite: _Citations) -> str:
    explanation = f"{knowledge.explanation}{cite(knowledge.explanation_source)}"
    if not outcome.muscles:
        return explanation
    regions = listed(knowledge.regions[region].name for region in outcome.facts.regions)
    if len(outcome.muscles) == 1:
        muscle = knowledge.muscles[outcome.muscles[0]]
        return f"In the {regions} it may be the {muscle.name} ({muscle.about}).{cite(muscle.source)} {explanation}"
    lines = [f"In the {regions} it may be one of these muscles:"]
    for muscle in (knowledge.muscles[name] for name in outcome.muscles):
        lines.append(f"• {muscle.name}: {muscle.about}{cite(muscle.source)}")
    return "\n".join([*lines, explanation])


def _relief(outcome: Outcome, knowledge: Knowledge, cite: _Citations) -> str:
    lines = ["What may relieve it:"]
    for suggestion in outcome.relief:
        option = knowledge.relief[suggestion.id]
        advice = " ".join(filter(None, (suggestion.caution, option.about, option.evidence)))
        lines.append(f"• {_upper(option.name)}: {_lower(advice)}{cite(option.source)}")
    return "\n".join(lines)


def _quoted(words: Optional[str]) -> str:
    return f"You said “{words}”. " if words else ""


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _lower(text: str) -> str:
    return text[0].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text
