"""The knowledge as plain, frozen records. Every field stands in the files of `data/knowledge/` under the same name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Ids = tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """A published source; `name` is what visitors read."""

    id: str
    name: str
    full: str
    url: str | None = None


@dataclass(frozen=True)
class Muscle:
    """A muscle that the source document names."""

    name: str
    about: str
    source: Ids


@dataclass(frozen=True)
class Region:
    """A part of the back, its muscles, and the flags that its checklist asks about."""

    id: str
    name: str
    button: str
    muscles: Ids
    warning_signs: Ids


@dataclass(frozen=True)
class Onset:
    """A way in which a spasm starts; `red_flag` is the flag that it raises."""

    id: str
    name: str
    button: str
    red_flag: str | None = None
    meaning: str | None = None
    source: Ids = ()


@dataclass(frozen=True)
class RedFlag:
    """A danger sign.

    `do` replaces its level's advice and `do_first` stands before it; `headline` and `seek_help` replace those of its
    level where no other sign decides; `withdrawn` is said when a visitor takes it back; `standing` conditions count
    although they are history.
    """

    id: str
    level: str
    name: str
    button: str
    ask: str
    confirm: str
    why: str
    source: Ids
    do: str | None = None
    do_first: str | None = None
    headline: str | None = None
    seek_help: str | None = None
    withdrawn: str | None = None
    standing: bool = False


@dataclass(frozen=True)
class Sign:
    """A fact that is no flag alone, asked about after the onsets in `after`."""

    id: str
    name: str
    button: str
    ask: str
    confirm: str
    after: Ids = ()


@dataclass(frozen=True)
class Caution:
    """A fact that rules relief options out or adds a warning to them; `standing` as for a red flag."""

    id: str
    name: str
    button: str
    ask: str
    confirm: str
    standing: bool = False


# What can stand on a checklist.
Entry = RedFlag | Sign | Caution


@dataclass(frozen=True)
class ReliefOption:
    """One of the source document's relief options and the rules on when it may be suggested."""

    id: str
    name: str
    about: str
    evidence: str
    source: Ids
    caution: str | None = None
    caution_with: Mapping[str, str] = field(default_factory=dict)
    never_with: Ids = ()
    only_regions: Ids = ()


@dataclass(frozen=True)
class UrgencyLevel:
    """A level of urgency and what is said at it; `relief` tells whether relief options may be suggested."""

    id: str
    name: str
    headline: str
    do: str
    seek_help: str
    source: Ids
    relief: bool
    worse: str | None = None


@dataclass(frozen=True)
class Combination:
    """Facts that together raise the level: one of `any_of` with one of `with_`."""

    id: str
    level: str
    any_of: Ids
    with_: Ids
    why: str
    source: Ids
    do: str | None = None


@dataclass(frozen=True)
class LongDuration:
    """Pain that goes on longer than `days` raises the level."""

    id: str
    days: int
    level: str
    why: str
    source: Ids


@dataclass(frozen=True)
class OpenFlag:
    """What a visitor's "not sure" about a flag that allows no relief does: no relief, and at least this level."""

    id: str
    level: str
    why: str
    source: Ids


@dataclass(frozen=True)
class OpenList:
    """What "not sure" about a whole checklist with emergencies on it does: at least this level."""

    id: str
    level: str
    why: str
    source: Ids


@dataclass(frozen=True)
class Child:
    """A patient who is younger than `under` years has at least this level; `why_maybe` where the age stayed open."""

    id: str
    under: int
    level: str
    why: str
    why_maybe: str
    source: Ids


@dataclass(frozen=True)
class CheckIn:
    """When the bot asks again how it is, in hours, and on which channels it can write first."""

    hours: float
    channels: Ids


@dataclass(frozen=True)
class Privacy:
    """How long conversations are kept after the last word, in days."""

    keep_days: int


@dataclass(frozen=True)
class Relative:
    """What a word for a person tells: he, she or they; and whether that is a `child` (yes, maybe or no)."""

    pronoun: str
    child: str = "no"


@dataclass(frozen=True)
class RegionFollowUp:
    """What a region, named behind an answer to one of the topics in `after`, asks: a topic for each region."""

    after: Ids
    topics: Mapping[str, str]


@dataclass(frozen=True)
class FollowUps:
    """Short questions that lean on what was said before.

    `why` maps a topic to the one that gives its reason, `emergency` to the one that answers it once an emergency was
    told.
    """

    regions: tuple[RegionFollowUp, ...]
    why: Mapping[str, str]
    emergency: Mapping[str, str] = field(default_factory=dict)

    def topic_for_region(self, before: str, region: str) -> str | None:
        """The topic that a region asks for behind an answer, or None when no topic tells regions apart."""
        return next((entry.topics.get(region) for entry in self.regions if before in entry.after), None)


@dataclass(frozen=True)
class Knowledge:
    """All of it. Mappings keep the order of the files, which is the order shown to visitors.

    `locales` are the settings of each country, `fixed` those that the environment sets for everybody.
    """

    sources: Mapping[str, Source]
    muscles: Mapping[str, Muscle]
    regions: Mapping[str, Region]
    onsets: Mapping[str, Onset]
    red_flags: Mapping[str, RedFlag]
    signs: Mapping[str, Sign]
    cautions: Mapping[str, Caution]
    medical_history: Ids
    relief: Mapping[str, ReliefOption]
    relief_questions: Ids
    urgency: Mapping[str, UrgencyLevel]
    combinations: tuple[Combination, ...]
    long_duration: LongDuration
    open_flag: OpenFlag
    open_list: OpenList
    child: Child
    explanation: str
    explanation_source: Ids
    follow_ups: FollowUps
    settings: Mapping[str, str]
    locales: Mapping[str, Mapping[str, str]]
    check_in: CheckIn
    privacy: Privacy
    fixed: Ids = ()

    @property
    def gravest(self) -> str:
        """The id of the gravest level of urgency: the first in its file."""
        return next(iter(self.urgency))

    @property
    def lowest(self) -> str:
        """The id of the mildest level of urgency: the last in its file."""
        return list(self.urgency)[-1]

    def settings_for(self, locale: str | None, page_number: str | None = None) -> Mapping[str, str]:
        """The numbers for a visitor's locale ("en-GB", or a country as in "GB"); the site's own where it is not known.

        `page_number` is the emergency number that the page sets on which the visitor chats. What the environment sets
        holds for everybody.
        """
        country = (locale or "").replace("_", "-").rpartition("-")[2].upper()
        own = {**self.locales.get(country, {}), **({"emergency_number": page_number} if page_number else {})}
        return {**self.settings, **{name: value for name, value in own.items() if name not in self.fixed}}


@dataclass(frozen=True)
class Phrases:
    """The wordings of findings: kind -> id -> strength -> phrases, the word lists, and the assertion rules."""

    kinds: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]]
    vocabulary: Mapping[str, tuple[str, ...]]
    assertion: Mapping[str, Any]
    standing: frozenset[str]
    relatives: Mapping[str, Relative] = field(default_factory=dict)
