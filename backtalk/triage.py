"""The decision: facts in, outcome out. A pure function over the knowledge files; imports no Rasa."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from backtalk.knowledge import Child, Combination, Knowledge, LongDuration, OpenFlag, OpenList, RedFlag, UrgencyLevel

Ids = tuple[str, ...]

# A rule beside flags and combinations, with the facts that it saw, and why it matters.
_OtherRule = tuple[Child | LongDuration | OpenFlag | OpenList, Ids, str]
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Facts:
    """What is known of the patient.

    `duration_days`, `pain_level` (0-10) and `age` (years) are None where unknown; `signs` are facts that are no flag
    alone, such as numb_limb; `unsure` holds flags that were asked about and left open, `unknown` the entries of a list
    that was left open as a whole; `child` is yes, maybe or no, and the age decides where it is known. Ids are those of
    the knowledge files; triage refuses others.
    """

    regions: Ids = ()
    onset: str | None = None
    red_flags: Ids = ()
    cautions: Ids = ()
    signs: Ids = ()
    duration_days: float | None = None
    pain_level: float | None = None
    unsure: Ids = ()
    unknown: Ids = ()
    age: float | None = None
    child: str = "no"


@dataclass(frozen=True)
class Suggestion:
    """A relief option that may be suggested, with the caution that must be said with it."""

    id: str
    caution: str | None = None


@dataclass(frozen=True)
class Rule:
    """A rule other than a single flag that raised the level: its id, the facts it saw, why, and its sources."""

    id: str
    facts: Ids
    why: str
    source: Ids


@dataclass(frozen=True)
class Advice:
    """Something to do first, and its sources."""

    text: str
    source: Ids


@dataclass(frozen=True)
class Outcome:
    """What triage decided.

    `facts` are the given ones in the order of the knowledge files, with what follows from the onset; `do` are the first
    things to do, most urgent first; `reasons` are the flags, gravest first; `rules` what else raised the level;
    `relief` is empty where the level allows none.
    """

    facts: Facts
    urgency: str
    do: tuple[Advice, ...]
    muscles: Ids
    reasons: Ids
    rules: tuple[Rule, ...]
    relief: tuple[Suggestion, ...]


def assess(facts: Facts, knowledge: Knowledge) -> Outcome:
    """Decides urgency, reasons and relief. Raises ValueError for an id that the knowledge does not have."""
    facts = complete(facts, knowledge)
    flags = [knowledge.red_flags[flag] for flag in facts.red_flags]
    combinations = [found for found in knowledge.combinations if _applies(found, facts)]
    open_flags = [flag for flag in facts.unsure if not _allows_relief(flag, knowledge)]
    others = _other_rules(facts, open_flags, knowledge)
    levels = {flag.level for flag in flags} | {found.level for found in combinations}
    levels |= {rule.level for rule, _, _ in others}
    lowest = knowledge.urgency[knowledge.lowest]
    level = next((level for level in knowledge.urgency.values() if level.id in levels), lowest)
    return Outcome(
        facts=facts,
        urgency=level.id,
        do=_what_to_do(level, flags, combinations),
        muscles=_unique(muscle for region in facts.regions for muscle in knowledge.regions[region].muscles),
        reasons=facts.red_flags,
        rules=_rules(combinations, others, facts),
        # What may relieve it is known of grown-ups only.
        relief=() if open_flags or is_child(facts, knowledge) else _relief(facts, level, knowledge),
    )


def complete(facts: Facts, knowledge: Knowledge) -> Facts:
    """The facts in the order of the knowledge files, each once, with the flag that the onset raises.

    Raises ValueError for an id that the knowledge does not have.
    """
    onset = knowledge.onsets.get(facts.onset) if facts.onset else None
    if facts.onset and not onset:
        raise ValueError(f"unknown onset {facts.onset!r}")
    raised = (onset.red_flag,) if onset and onset.red_flag else ()
    return replace(
        facts,
        regions=_ordered(facts.regions, knowledge.regions, "region"),
        red_flags=_ordered((*facts.red_flags, *raised), knowledge.red_flags, "red flag"),
        cautions=_ordered(facts.cautions, knowledge.cautions, "caution"),
        signs=_ordered(facts.signs, knowledge.signs, "sign"),
        unsure=tuple(flag for flag in knowledge.red_flags if flag in facts.unsure),
        unknown=_ordered(facts.unknown, {**knowledge.red_flags, **knowledge.signs, **knowledge.cautions}, "entry"),
    )


def is_child(facts: Facts, knowledge: Knowledge) -> bool:
    """Whether the patient is a child, or may be one for all that is known."""
    return facts.age < knowledge.child.under if facts.age is not None else facts.child != "no"


def excluded_by(option_id: str, facts: Facts, knowledge: Knowledge) -> Ids:
    """The facts that rule a relief option out, in the order of the knowledge files."""
    present = _present(complete(facts, knowledge))
    return tuple(fact for fact in knowledge.relief[option_id].never_with if fact in present)


def decides_alone(outcome: Outcome, knowledge: Knowledge) -> RedFlag | None:
    """The sign with words of its own, such as thoughts of suicide, where nothing else decides on the level."""
    flags = [knowledge.red_flags[flag] for flag in outcome.reasons]
    deciding = [flag for flag in flags if flag.level == outcome.urgency]
    return deciding[0] if len(deciding) == 1 and deciding[0].headline and not outcome.rules else None


def held_back_by(option_id: str, facts: Facts, knowledge: Knowledge) -> Ids:
    """What nobody knows of this patient, and would rule a relief option out."""
    return tuple(fact for fact in knowledge.relief[option_id].never_with if fact in facts.unknown)


def cautions_for(option_id: str, facts: Facts, knowledge: Knowledge) -> Ids:
    """What must be said of a relief option because of these facts."""
    present = _present(complete(facts, knowledge))
    return tuple(text for fact, text in knowledge.relief[option_id].caution_with.items() if fact in present)


def _applies(combination: Combination, facts: Facts) -> bool:
    present = _present(facts)
    return any(fact in present for fact in combination.any_of) and any(fact in present for fact in combination.with_)


def _present(facts: Facts) -> set[str]:
    onset = {facts.onset} if facts.onset else set()
    return {*facts.regions, *onset, *facts.red_flags, *facts.cautions, *facts.signs}


def _allows_relief(flag: str, knowledge: Knowledge) -> bool:
    return knowledge.urgency[knowledge.red_flags[flag].level].relief


def _what_to_do(level: UrgencyLevel, flags: list[RedFlag], combinations: list[Combination]) -> tuple[Advice, ...]:
    """The advice of the flags and combinations at this level; the level's own stands in where one has none."""
    rules: list[RedFlag | Combination] = [*flags, *combinations]
    deciding = [rule for rule in rules if rule.level == level.id]
    first = [Advice(flag.do_first, flag.source) for flag in deciding if isinstance(flag, RedFlag) and flag.do_first]
    others = [rule for rule in deciding if not (isinstance(rule, RedFlag) and rule.do_first)]
    replacing = [Advice(rule.do, rule.source) for rule in others if rule.do]
    own = [Advice(level.do, level.source)] if not replacing and (others or not deciding) else []
    return _unique((*first, *replacing, *own))


def _other_rules(facts: Facts, open_flags: list[str], knowledge: Knowledge) -> list[_OtherRule]:
    """The rules that apply beside flags and combinations."""
    found: list[_OtherRule] = []
    if (facts.duration_days or 0) > knowledge.long_duration.days:
        found.append((knowledge.long_duration, ("duration",), knowledge.long_duration.why))
    if is_child(facts, knowledge):
        certain = facts.age is not None or facts.child == "yes"
        found.append((knowledge.child, ("age",), knowledge.child.why if certain else knowledge.child.why_maybe))
    left_open = [knowledge.red_flags[name] for name in facts.unknown if name in knowledge.red_flags]
    if any(flag.level == knowledge.gravest for flag in left_open):
        found.append((knowledge.open_list, ("warning_signs",), knowledge.open_list.why))
    if open_flags:
        found.append((knowledge.open_flag, tuple(open_flags), knowledge.open_flag.why))
    return found


def _rules(combinations: list[Combination], others: list[_OtherRule], facts: Facts) -> tuple[Rule, ...]:
    present = _present(facts)
    rules = []
    for found in combinations:
        seen = _unique(fact for fact in (*found.any_of, *found.with_) if fact in present)
        rules.append(Rule(found.id, seen, found.why, found.source))
    return (*rules, *(Rule(rule.id, seen, why, rule.source) for rule, seen, why in others))


def _relief(facts: Facts, level: UrgencyLevel, knowledge: Knowledge) -> tuple[Suggestion, ...]:
    if not level.relief:
        return ()
    present = _present(facts)
    suggestions = []
    for option in knowledge.relief.values():
        wrong_region = option.only_regions and not present.intersection(option.only_regions)
        if wrong_region or {*present, *facts.unknown}.intersection(option.never_with):
            continue
        cautions = [*cautions_for(option.id, facts, knowledge), *([option.caution] if option.caution else [])]
        suggestions.append(Suggestion(option.id, " ".join(cautions) or None))
    return tuple(suggestions)


def _ordered(ids: Collection[str], known: Collection[str], kind: str) -> Ids:
    unknown = [entry for entry in ids if entry not in known]
    if unknown:
        raise ValueError(f"unknown {kind} {unknown[0]!r}")
    return tuple(entry for entry in known if entry in ids)


def _unique(values: Iterable[_Value]) -> tuple[_Value, ...]:
    return tuple(dict.fromkeys(values))
