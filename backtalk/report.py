"""Words an outcome for people and packs it for programs. Pure functions; imports no Rasa.

The payload is the contract's `assessment`. What people read is a card, in the order that matters to a reader: what to
do first, why, what the muscle may be, what may relieve it, what would make it worse and when to seek help, and the
sources. A page shows the card; `card_text` is the same as plain text.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backtalk.knowledge import Knowledge, RedFlag
from backtalk.triage import Facts, Outcome, Suggestion, decides_alone
from backtalk.wording import Audience, days_in_words, dialable, listed, lower, quoted, upper

UNSURE_NOTES = {
    "regions": "I do not know where it is, so I went through the signs of the whole back.",
    "onset": "I do not know how it started, so I could not take that into account.",
    "warning_signs": "You were not sure about the warning signs, so I could not count them as absent.",
    "medical_history": "You were not sure about [your|his] medical history, so I could not take it into account. "
    "I left out what some conditions and medicines rule out.",
    "duration": "I do not know how long it has been going on, so I could not take that into account.",
    "pain_level": "I do not know how bad the pain is, so I could not take that into account.",
}
TAKEN_BACK = (
    "I take back what I said about easing it at home: please leave all of that until [you have|he has] been examined."
)
FEWER = "Some of what I suggested before is not for [you|him]. Only what is below still holds."
UNCHANGED_ADVICE = "What I told you above stays the same."
NOTE = "This is information, not a diagnosis."


def assessment_payload(
    outcome: Outcome, said: Mapping[str, str], knowledge: Knowledge, audience: Audience | None = None
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
        "relief": [
            {"id": suggestion.id, "caution": suggestion.caution and audience.text(suggestion.caution)}
            for suggestion in outcome.relief
        ],
        "duration_days": facts.duration_days,
        "pain_level": facts.pain_level,
    }


def assessment_card(
    outcome: Outcome,
    said: Mapping[str, str],
    knowledge: Knowledge,
    unsure: Sequence[str] = (),
    changed: Sequence[str] = (),
    audience: Audience | None = None,
) -> dict[str, Any]:
    """The assessment for people, in parts.

    `unsure` names questions and flags that stayed open; `changed` are the lines that open it where an earlier
    assessment is replaced. A statement is {"text": ..., "sources": [...]} with numbers that `sources` explains; `alone`
    is the sign with words of its own (`triage.decides_alone`); `call` are the numbers to dial.
    """
    level = knowledge.urgency[outcome.urgency]
    audience = audience or Audience(knowledge.settings)
    cite = _Citations(knowledge, audience)
    alone = decides_alone(outcome, knowledge)
    card: dict[str, Any] = {
        "level": level.name,
        "alone": alone.id if alone else None,
        "changed": list(changed),
        "headline": audience.text((alone and alone.headline) or level.headline),
        "do": [cite(advice.text, advice.source) for advice in outcome.do],
        "notes": [audience.text(note) for note in _unsure_notes(unsure, outcome, knowledge)],
        **_why(outcome, said, knowledge, cite, unsure),
    }
    if level.relief:
        card["explanation"] = cite(knowledge.explanation, knowledge.explanation_source)
        regions = [knowledge.regions[region].name for region in outcome.facts.regions]
        card["place"] = listed(regions) if outcome.muscles else ""
        muscles = (knowledge.muscles[name] for name in outcome.muscles)
        card["muscles"] = [{"name": muscle.name, **cite(muscle.about, muscle.source)} for muscle in muscles]
        card["relief"] = [_relief(suggestion, knowledge, cite) for suggestion in outcome.relief]
        card["worse"] = cite(level.worse, level.source) if level.worse else None
    card["seek_help"] = cite((alone and alone.seek_help) or level.seek_help, (alone or level).source)
    card["sources"] = cite.listing()
    card["note"] = NOTE
    card["call"] = _numbers_to_dial(outcome, knowledge, audience)
    return card


def card_text(card: Mapping[str, Any]) -> str:
    """A card as plain text."""
    parts = [
        changed_text(card["changed"]),
        "\n".join([card["headline"], *map(_plain, card["do"])]),
        *card["notes"],
        _why_text(card),
    ]
    if "explanation" in card:
        relief = [
            f"• {upper(option['name'])}: {_plain({**option, 'text': lower(_advice(option))})}"
            for option in card["relief"]
        ]
        parts += [_muscle_text(card), "\n".join(["What may relieve it:", *relief]) if relief else ""]
        parts += [_plain(card["worse"])] if card["worse"] else []
    names = "; ".join(f"[{source['number']}] {source['name']}" for source in card["sources"])
    title = "Source" if len(card["sources"]) == 1 else "Sources"
    parts += [_plain(card["seek_help"]), f"{title}: {names}.", card["note"]]
    return "\n\n".join(part for part in parts if part)


def changed_text(lines: Sequence[str]) -> str:
    """What has changed, as plain text: the first line, and the others as a list below it."""
    return "\n".join([*lines[:1], *(f"• {line}" for line in lines[1:])])


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


def changes(
    told: Mapping[str, Any], outcome: Outcome, said: Mapping[str, str], knowledge: Knowledge, audience: Audience
) -> list[str]:
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
            words = _words(said, entry.id, entry.name)
            lines.append(f"New: {f'you told me {quoted(words)} ({entry.name})' if words else entry.name}.")
        gone = [records[entry] for entry in told[name] if entry not in now[name]]
        lines += [
            audience.text(getattr(entry, "withdrawn", None) or f"No longer counted, as you said: {entry.name}.")
            for entry in gone
        ]
    if set(told["regions"]) != set(now["regions"]):
        lines.append(_change("Where it is", _regions(facts.regions, knowledge), _regions(told["regions"], knowledge)))
    if told.get("onset") != now["onset"]:
        lines.append(_change("How it started", _onset(facts.onset, knowledge), _onset(told.get("onset"), knowledge)))
    if told.get("duration_days") != now["duration_days"]:
        days = said.get(knowledge.long_duration.id) or "not known"
        lines.append(_change("How long", days, days_in_words(told.get("duration_days"))))
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


def _onset(onset: str | None, knowledge: Knowledge) -> str:
    return knowledge.onsets[onset].name if onset and onset != "unknown" else "not known"


def _level(level: float | None) -> str:
    return "not known" if level is None else f"{level:g} out of 10"


class _Citations:
    """Numbers the sources in the order in which they are cited, and words for the reader what they are cited for."""

    def __init__(self, knowledge: Knowledge, audience: Audience):
        self._knowledge, self._audience = knowledge, audience
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str, sources: Iterable[str]) -> dict[str, Any]:
        """A statement: a text of the knowledge files for this reader, with the numbers of its sources."""
        numbers = [self._numbers.setdefault(source, len(self._numbers) + 1) for source in sources]
        return {"text": self._audience.text(text), "sources": numbers}

    def words(self, text: str) -> str:
        """A text that states nothing, for this reader."""
        return self._audience.text(text)

    def listing(self) -> list[dict[str, Any]]:
        """What the numbers mean."""
        cited = ((number, self._knowledge.sources[source]) for source, number in self._numbers.items())
        return [{"number": number, "name": s.name, "full": s.full, "url": s.url} for number, s in cited]


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
) -> dict[str, Any]:
    """Why the outcome is what it is, for the card.

    `reasons`: the flags that decide, and the rules, in full; `also`: the lesser flags, by name; `harmless`: where there
    are none.
    """
    flags = [knowledge.red_flags[flag] for flag in outcome.reasons]
    lesser = [flag for flag in flags if flag.level != outcome.urgency and _decided(flags, outcome)]
    reasons = [
        {"said": _words(said, flag.id, flag.name), **cite(f"{upper(flag.name)}: {lower(flag.why)}", flag.source)}
        for flag in flags
        if flag not in lesser
    ]
    reasons += [{"said": _words(said, rule.id), **cite(rule.why, rule.source)} for rule in outcome.rules]
    also = [{"said": _words(said, flag.id, flag.name), **cite(f"{upper(flag.name)}.", flag.source)} for flag in lesser]
    harmless = None
    if not (reasons or also):
        harmless = _harmless_reason(outcome.facts, knowledge, cite, "warning_signs" not in unsure)
    return {"reasons": reasons, "also": also, "harmless": harmless}


def _words(said: Mapping[str, str], name: str, title: str = "") -> str | None:
    """What the visitor said, unless it was picked from a list by its title."""
    words = said.get(name)
    return words if words and words != title else None


def _decided(flags: Sequence[RedFlag], outcome: Outcome) -> bool:
    """Whether flags of their own level decided, rather than a rule about several facts."""
    return any(flag.level == outcome.urgency for flag in flags)


def _harmless_reason(facts: Facts, knowledge: Knowledge, cite: _Citations, signs_known: bool) -> dict[str, Any]:
    signs = "you named no danger sign" if signs_known else "so far you named no danger sign"
    onset = knowledge.onsets[facts.onset] if facts.onset else None
    if onset and onset.meaning:
        return cite(f"it started with {onset.name}, and {signs}. {onset.meaning}", onset.source)
    return cite(f"{signs}.", ())


def _relief(suggestion: Suggestion, knowledge: Knowledge, cite: _Citations) -> dict[str, Any]:
    """One relief option: what to do, its caution, and what speaks for it (`evidence`)."""
    option = knowledge.relief[suggestion.id]
    texts = {"caution": suggestion.caution, "evidence": option.evidence}
    words = {name: cite.words(text) if text else None for name, text in texts.items()}
    return {"id": suggestion.id, "name": option.name, **words, **cite(option.about, option.source)}


def _numbers_to_dial(outcome: Outcome, knowledge: Knowledge, audience: Audience) -> list[dict[str, str]]:
    """The emergency numbers, and before them the crisis lines where somebody thinks of suicide.

    Each with the setting it stands in.
    """
    in_crisis = any(knowledge.red_flags[flag].headline for flag in outcome.reasons)
    names = ("crisis_line", "emergency_number") if in_crisis else ("emergency_number",)
    return [{"number": number, "of": name} for name in names for number in dialable(audience.settings[name])]


def _plain(statement: Mapping[str, Any]) -> str:
    numbers = ", ".join(map(str, statement["sources"]))
    return f"{statement['text']} [{numbers}]" if numbers else statement["text"]


def _why_text(card: Mapping[str, Any]) -> str:
    if card["harmless"]:
        return f"Why: {_plain(card['harmless'])}"
    lines = [f"• {_quote(reason)}{_plain(reason)}" for reason in card["reasons"]]
    lines += ["Tell them of this as well:"] if card["also"] else []
    lines += [f"• {_quote(reason)}{_plain(reason)}" for reason in card["also"]]
    return "\n".join(["Why:", *lines])


def _muscle_text(card: Mapping[str, Any]) -> str:
    explanation, muscles = _plain(card["explanation"]), card["muscles"]
    if not muscles:
        return explanation
    if len(muscles) == 1:
        (muscle,) = muscles
        text = f"In the {card['place']} it may be the {muscle['name']} ({muscle['text']})."
        return f"{_plain({**muscle, 'text': text})} {explanation}"
    lines = [f"In the {card['place']} it may be one of these muscles:"]
    return "\n".join([*lines, *(f"• {muscle['name']}: {_plain(muscle)}" for muscle in muscles), explanation])


def _advice(option: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (option["caution"], option["text"], option["evidence"])))


def _quote(reason: Mapping[str, Any]) -> str:
    return f"You said {quoted(reason['said'])}. " if reason["said"] else ""
