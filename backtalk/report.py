"""Words an outcome for people and packs it for programs. Pure functions; imports no Rasa.

The payload is the contract's `assessment`; the text says the same in the order that matters to a reader: what to do
first, why, what the muscle may be, what may relieve it, what would make it worse and when to seek help, and the sources.
"""

from typing import Any, Iterable, Mapping, Optional, Sequence

from backtalk.knowledge import Knowledge, RedFlag
from backtalk.triage import Facts, Outcome, decides_alone
from backtalk.wording import Audience, days_in_words, listed, lower, quoted, upper

UNSURE_NOTES = {
    "regions": "I do not know where it is, so I went through the signs of the whole back.",
    "onset": "I do not know how it started, so I could not take that into account.",
    "warning_signs": "You were not sure about the warning signs, so I could not count them as absent.",
    "medical_history": "You were not sure about [your|his] medical history, so I could not take it into account. I left out what "
    "some conditions and medicines rule out.",
    "duration": "I do not know how long it has been going on, so I could not take that into account.",
    "pain_level": "I do not know how bad the pain is, so I could not take that into account.",
}
TAKEN_BACK = "I take back what I said about easing it at home: please leave all of that until [you have|he has] been examined."
FEWER = "Some of what I suggested before is not for [you|him]. Only what is below still holds."
UNCHANGED_ADVICE = "What I told you above stays the same."


def assessment_payload(
    outcome: Outcome, said: Mapping[str, str], knowledge: Knowledge, audience: Optional[Audience] = None
) -> dict[str, Any]:
    """The `custom` payload of the assessment message. `said` maps flags and rules to the visitor's own words."""
    facts, audience = outcome.facts, audience or Audience(knowledge.settings)
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
        "relief": [{"id": suggestion.id, "caution": suggestion.caution and audience.text(suggestion.caution)} for suggestion in outcome.relief],
        "duration_days": facts.duration_days,
        "pain_level": facts.pain_level,
    }


def assessment_text(
    outcome: Outcome, said: Mapping[str, str], knowledge: Knowledge, unsure: Sequence[str] = (), changed: str = "",
    audience: Optional[Audience] = None,
) -> str:
    """The assessment for people. `unsure` names questions and flags that stayed open; `changed` opens the text
    where an earlier assessment is replaced."""
    level = knowledge.urgency[outcome.urgency]
    audience = audience or Audience(knowledge.settings)
    cite = _Citations(knowledge, audience)
    words = decides_alone(outcome, knowledge) or level
    do = (cite.text(advice.text, advice.source) for advice in outcome.do)
    notes = map(cite.text, _unsure_notes(unsure, outcome, knowledge))
    parts = [changed, "\n".join((cite.text(words.headline), *do)), *notes, _why(outcome, said, knowledge, cite, unsure)]
    if level.relief:
        parts += [_muscle(outcome, knowledge, cite), _relief(outcome, knowledge, cite) if outcome.relief else ""]
        parts += [cite.text(level.worse, level.source)] if level.worse else []
    parts += [cite.text(words.seek_help, words.source), cite.listing(), "This is information, not a diagnosis."]
    return "\n\n".join(part for part in parts if part)


def told_of(outcome: Outcome) -> dict[str, Any]:
    """What of an outcome, once told, makes a new assessment worth telling when it changes; plain values, for a slot."""
    facts = outcome.facts
    return {
        "urgency": outcome.urgency,
        "regions": list(facts.regions),
        "onset": facts.onset,
        "red_flags": list(facts.red_flags),
        "cautions": list(facts.cautions),
        "duration_days": facts.duration_days,
        "pain_level": facts.pain_level,
        "rules": [rule.id for rule in outcome.rules],
        "relief": [[suggestion.id, suggestion.caution] for suggestion in outcome.relief],
    }


def changes(told: Mapping[str, Any], outcome: Outcome, said: Mapping[str, str], knowledge: Knowledge, audience: Audience) -> list[str]:
    """What is different since an outcome was told (`told_of`), and what follows from it; one sentence each."""
    lines = changed_facts(told, outcome, said, knowledge, audience)
    before, after = knowledge.urgency[told["urgency"]], knowledge.urgency[outcome.urgency]
    if before.id != after.id:
        order = list(knowledge.urgency)
        direction = "more" if order.index(after.id) < order.index(before.id) else "less"
        lines.append(f"That makes it {direction} urgent than I said: {after.name} instead of {before.name}.")
    if told["relief"] and not outcome.relief:
        lines.append(audience.text(TAKEN_BACK))
    elif {option for option, _ in told["relief"]} - {suggestion.id for suggestion in outcome.relief}:
        lines.append(audience.text(FEWER))
    return lines


def changed_facts(
    told: Mapping[str, Any], outcome: Outcome, said: Mapping[str, str], knowledge: Knowledge, audience: Audience
) -> list[str]:
    """The facts that are different since an outcome was told; one sentence each."""
    facts, now = outcome.facts, told_of(outcome)
    lines = []
    for name, records in (("red_flags", knowledge.red_flags), ("cautions", knowledge.cautions)):
        for entry in (records[entry] for entry in now[name] if entry not in told[name]):
            words = said.get(entry.id)
            lines.append(f"New: {f'you told me {quoted(words)} ({entry.name})' if words and words != entry.name else entry.name}.")
        gone = [records[entry] for entry in told[name] if entry not in now[name]]
        lines += [audience.text(getattr(entry, "withdrawn", None) or f"No longer counted, as you said: {entry.name}.") for entry in gone]
    if set(told["regions"]) != set(now["regions"]):
        lines.append(_change("Where it is", _regions(facts.regions, knowledge), _regions(told["regions"], knowledge)))
    if told.get("onset") != now["onset"]:
        lines.append(_change("How it started", _onset(facts.onset, knowledge), _onset(told.get("onset"), knowledge)))
    if told.get("duration_days") != now["duration_days"]:
        lines.append(_change("How long", said.get(knowledge.long_duration.id) or "not known", days_in_words(told.get("duration_days"))))
    if told.get("pain_level") != now["pain_level"]:
        lines.append(_change("How bad", _level(facts.pain_level), _level(told.get("pain_level"))))
    return lines


def same_advice(told: Mapping[str, Any], outcome: Outcome) -> bool:
    """Whether an outcome advises what an earlier one did, although some fact has changed."""
    now = told_of(outcome)
    return all(told[name] == now[name] for name in ("urgency", "regions", "red_flags", "cautions", "rules", "relief"))


def _change(what: str, now: str, before: str) -> str:
    return f"{what}: {now}, not {before}." if before != "not known" else f"{what}: {now}."


def _regions(regions: Iterable[str], knowledge: Knowledge) -> str:
    names = [knowledge.regions[region].name for region in regions]
    return listed(names) if names else "not known"


def _onset(onset: Optional[str], knowledge: Knowledge) -> str:
    return knowledge.onsets[onset].name if onset and onset != "unknown" else "not known"


def _level(level: Optional[float]) -> str:
    return "not known" if level is None else f"{level:g} out of 10"


class _Citations:
    """Numbers the sources in the order in which they are cited, and words for the reader what they are cited for."""

    def __init__(self, knowledge: Knowledge, audience: Audience):
        self._knowledge, self._audience = knowledge, audience
        self._numbers: dict[str, int] = {}

    def __call__(self, sources: Iterable[str]) -> str:
        """The reference to put behind a statement, such as " [1, 3]"."""
        numbers = [self._numbers.setdefault(source, len(self._numbers) + 1) for source in sources]
        return f" [{', '.join(map(str, numbers))}]" if numbers else ""

    def text(self, text: str, sources: Iterable[str] = ()) -> str:
        """A text of the knowledge files for this reader, with its references."""
        return f"{self._audience.text(text)}{self(sources)}"

    def listing(self) -> str:
        """The line that says what the numbers mean."""
        names = (f"[{number}] {self._knowledge.sources[source].name}" for source, number in self._numbers.items())
        return f"{'Source' if len(self._numbers) == 1 else 'Sources'}: {'; '.join(names)}."


def _unsure_notes(unsure: Sequence[str], outcome: Outcome, knowledge: Knowledge) -> list[str]:
    """What the result could not take into account."""
    said_below = {rule.id for rule in outcome.rules}
    questions = [question for question in unsure if question in UNSURE_NOTES]
    if knowledge.open_list.id in said_below:
        questions = [question for question in questions if question != "warning_signs"]
    notes = [UNSURE_NOTES[question] for question in questions]
    for flag in (knowledge.red_flags[name] for name in unsure if name in knowledge.red_flags):
        headline = knowledge.urgency[flag.level].headline
        notes.append(f"You were not sure about {flag.name}. If it is there: {lower(headline)}")
    return notes


def _why(
    outcome: Outcome, said: Mapping[str, str], knowledge: Knowledge, cite: _Citations, unsure: Sequence[str]
) -> str:
    """The flags that decide in full, the lesser ones by name, and the rules."""
    flags = [knowledge.red_flags[flag] for flag in outcome.reasons]
    lines = []
    for flag in (flag for flag in flags if flag.level == outcome.urgency or not _decided(flags, outcome)):
        lines.append(f"• {_quote(said.get(flag.id), flag.name)}{upper(flag.name)}: {cite.text(lower(flag.why), flag.source)}")
    lines += [f"• {_quote(said.get(rule.id))}{cite.text(rule.why, rule.source)}" for rule in outcome.rules]
    lesser = [flag for flag in flags if flag.level != outcome.urgency and _decided(flags, outcome)]
    lines += ["Tell them of this as well:"] if lesser else []
    lines += [f"• {_quote(said.get(flag.id), flag.name)}{upper(flag.name)}.{cite(flag.source)}" for flag in lesser]
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
        lines.append(f"• {upper(option.name)}: {cite.text(lower(advice), option.source)}")
    return "\n".join(lines)


def _quote(words: Optional[str], name: str = "") -> str:
    """What the visitor said, unless it was picked from a list by its name."""
    return f"You said {quoted(words)}. " if words and words != name else ""
