"""Measures how well messages are understood: `make eval`.

`python scripts/evaluate.py [FILE...] [--split test] [--errors]`; FILE is a file of labelled messages, in the form that
docs/corpus.md describes; without one, the part `test` of data/corpus/ is read. Prints the figures and writes
var/eval/report.html with pictures, the figures and every error with its text.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date
from math import sqrt
from pathlib import Path
from typing import Any

from console import ROOT, Failure, main, say
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

sys.path.insert(0, str(ROOT))

from backtalk import corpus, paths
from backtalk.interview import CHECKLISTS, CONFIRM, Interview, checklist, hear
from backtalk.knowledge import load_knowledge
from backtalk.language import Reading, load_reader
from backtalk.language.entities import to_entities
from backtalk.language.quantities import days_since
from backtalk.triage import Facts, assess

REPORT = ROOT / "var" / "eval" / "report.html"
KINDS = ("regions", "onset", "red_flags", "cautions", "numb_limb", "duration_days", "pain_level")
LAYERS = ("wording", "assertion", "meaning")
# What a duration may be off, as a share of it, before it is wrong.
ROUGHLY = 0.35


@dataclass
class Score:
    """How often something was found rightly, missed, and found where it is not."""

    hits: int = 0
    misses: int = 0
    false: int = 0

    def add(self, wanted: AbstractSet[object], found: AbstractSet[object]) -> None:
        """Counts one message."""
        self.hits += len(wanted & found)
        self.misses += len(wanted - found)
        self.false += len(found - wanted)

    @property
    def precision(self) -> float:
        return self.hits / max(self.hits + self.false, 1)

    @property
    def recall(self) -> float:
        return self.hits / max(self.hits + self.misses, 1)


@dataclass(frozen=True)
class Heard:
    """What the bot took from a message that opens a conversation, and what it should have taken."""

    message: corpus.Message
    interview: Interview
    wanted: Facts
    reading: Reading

    @property
    def flags(self) -> set[str]:
        """The red flags that were set."""
        return set(self.interview.outcome(load_knowledge()).facts.red_flags)

    @property
    def asked(self) -> set[str]:
        """The red flags that the bot would ask about."""
        return set(self.interview.flags_to_confirm)

    @property
    def wanted_level(self) -> str:
        return assess(self.wanted, load_knowledge()).urgency

    @property
    def level(self) -> str:
        return self.interview.outcome(load_knowledge()).urgency

    @property
    def level_when_asked(self) -> str:
        """The level once the questions that wait are answered truthfully."""
        facts = self.interview.facts
        true = tuple(self.asked & set(self.wanted.red_flags))
        answered = replace(facts, red_flags=(*facts.red_flags, *true), unsure=())
        return assess(answered, load_knowledge()).urgency


@dataclass
class Figures:
    """All that is measured."""

    kinds: dict[str, Score] = field(default_factory=lambda: {kind: Score() for kind in KINDS})
    flags: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    dealt_with: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    # By the right level and the one that was reached.
    matrix: Counter[tuple[str, str]] = field(default_factory=Counter)
    matrix_when_asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    # By name, or by name and status.
    counts: Counter[str | tuple[str, str]] = field(default_factory=Counter)
    # By whether wording, assertion and meaning found it.
    layers: Counter[tuple[bool, bool, bool]] = field(default_factory=Counter)
    lost_by: Counter[str] = field(default_factory=Counter)
    errors: list[tuple[str, str]] = field(default_factory=list)
    milliseconds: float = 0.0


def load(path: Path) -> list[corpus.Message]:
    """The messages of a file: of the corpus, or a list of texts with what each asserts (docs/trainers.md).

    Raises CorpusError.
    """
    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, YAMLError):
        raise corpus.CorpusError(f"{path}: not valid YAML in UTF-8") from None
    if not isinstance(content, list):
        return list(corpus.load_file(path).messages)
    messages = []
    for number, entry in enumerate(content, 1):
        try:
            messages.append(_from_labels(entry, number))
        except (corpus.CorpusError, ValueError) as error:
            raise corpus.CorpusError(f"{path}, entry {number}: {error}") from None
    return messages


def _from_labels(entry: Any, number: int) -> corpus.Message:
    """A message whose labels name no words. Raises CorpusError, ValueError."""
    if not isinstance(entry, dict) or not str(entry.get("text") or "").strip():
        raise corpus.CorpusError("needs a `text`")
    lists = {key: entry.get(key) or [] for key in ("regions", "red_flags", "cautions", "confirm")}
    wrong = next((key for key, value in lists.items() if not isinstance(value, list)), None)
    if wrong:
        raise corpus.CorpusError(f"{wrong} needs a list: `{wrong}: [{lists[wrong]}]`")
    onset = [entry["onset"]] if entry.get("onset") else []
    present = [*lists["regions"], *lists["red_flags"], *lists["cautions"], *onset]
    found: list[tuple[str, str, str | None]] = [(name, corpus.PRESENT, None) for name in present]
    found += [(name, corpus.UNSURE, None) for name in lists["confirm"]]
    unknown = [name for name, _, _ in found if name not in corpus.labels()]
    if unknown:
        raise corpus.CorpusError(f"{unknown[0]!r} is no id: it is one of {', '.join(sorted(corpus.labels()))}")
    if entry.get("numb_limb"):
        found.append(("numb_limb", corpus.UNSURE if entry["numb_limb"] == "uncertain" else corpus.PRESENT, None))
    for name, key in ((corpus.DURATION, "duration_days"), (corpus.PAIN, "pain_level")):
        if entry.get(key) is not None:
            if isinstance(entry[key], bool) or not isinstance(entry[key], (int, float)):
                raise corpus.CorpusError(f"{key} needs a number, not {entry[key]!r}")
            found.append((name, corpus.PRESENT, str(entry[key])))
    # "duration: true" is a duration whose length depends on the day.
    if entry.get("duration"):
        found.append((corpus.DURATION, corpus.UNSURE, "0"))
    mentions = tuple(corpus.Mention(name, status, 0, 0, value) for name, status, value in found)
    return corpus.Message(str(entry["text"]), mentions, line=number)


def listen(message: corpus.Message) -> Heard:
    """Reads a message that opens a conversation."""
    reading = load_reader().read(message.text)
    interview = hear(Interview(), to_entities(reading, "ClinicalFindings"), None, None, load_knowledge()).interview
    return Heard(message, interview, wanted_facts(message), reading)


def wanted_facts(message: corpus.Message) -> Facts:
    """What a message asserts, as its labels say."""
    knowledge, present = load_knowledge(), message.ids()
    onsets = [m.id for m in message.mentions if m.id in knowledge.onsets and m.status == corpus.PRESENT]
    grave = [onset for onset in onsets if knowledge.onsets[onset].red_flag]
    return Facts(
        regions=tuple(region for region in knowledge.regions if region in present),
        onset=next(iter((*grave, *(o for o in onsets if o != "unknown"), *onsets)), None),
        red_flags=tuple(flag for flag in knowledge.red_flags if flag in present),
        cautions=tuple(caution for caution in knowledge.cautions if caution in present),
        signs=tuple(sign for sign in knowledge.signs if sign in present),
        duration_days=_days(message),
        pain_level=_pain(message),
    )


def _values(message: corpus.Message, name: str, statuses: Collection[str] = corpus.STATUSES) -> list[str]:
    """The values of the marks of a duration, a pain level or a list item that have one of the statuses."""
    found = (mention for mention in message.mentions if mention.id == name and mention.status in statuses)
    return [mention.value for mention in found if mention.value is not None]


def _days(message: corpus.Message) -> float | None:
    values = _values(message, corpus.DURATION, [corpus.PRESENT])
    return max((days_since(value, date.today()) for value in values), default=None)


def _pain(message: corpus.Message) -> float | None:
    return max(map(float, _values(message, corpus.PAIN, [corpus.PRESENT])), default=None)


def measure(messages: Iterable[corpus.Message]) -> Figures:
    """Reads all messages that open a conversation, and all answers, and counts."""
    figures, total, read = Figures(), 0.0, 0
    load_reader().read("loaded before the clock runs")
    for message in messages:
        if message.question:
            _measure_answer(message, figures)
            continue
        began = time.perf_counter()
        heard = listen(message)
        total, read = total + time.perf_counter() - began, read + 1
        _measure_facts(heard, figures)
        _measure_flags(heard, figures)
        _measure_layers(heard, figures)
    figures.milliseconds = 1000 * total / max(read, 1)
    figures.counts["messages"] = read
    return figures


def _measure_facts(heard: Heard, figures: Figures) -> None:
    knowledge, wanted, got, message = load_knowledge(), heard.wanted, heard.interview, heard.message
    onsets = {m.id for m in message.mentions if m.id in knowledge.onsets and m.status == corpus.PRESENT}
    # Of several ways in which it may have started, one that is named is right.
    onset = {got.onset} if got.onset in onsets else {wanted.onset} if wanted.onset else set()
    days = {"right"} if wanted.duration_days is not None else set()
    near = got.duration_days is not None and _near(got.duration_days, _all_days(message))
    open_end = any(m.id == corpus.DURATION and m.status == corpus.UNSURE for m in message.mentions)
    pairs: dict[str, tuple[AbstractSet[object], AbstractSet[object]]] = {
        "regions": (set(wanted.regions), set(got.regions or ())),
        "onset": (onset, {got.onset} if got.onset else set()),
        "red_flags": (set(wanted.red_flags), heard.flags),
        "cautions": (set(wanted.cautions), set(got.cautions)),
        "numb_limb": (set(wanted.signs), set(got.signs)),
        "duration_days": (days, set() if got.duration_days is None or open_end else {"right" if near else "wrong"}),
        "pain_level": (_one(wanted.pain_level), _one(got.pain_level)),
    }
    doubtful = message.ids(corpus.UNSURE)
    for kind, (want, have) in pairs.items():
        figures.kinds[kind].add(want, have - doubtful)
        if want != have - doubtful and kind != "red_flags":
            figures.errors.append((kind, f"wanted {_listed(want)}, heard {_listed(have)}: {message.text}"))


def _measure_flags(heard: Heard, figures: Figures) -> None:
    knowledge, message, counts = load_knowledge(), heard.message, figures.counts
    wanted, unsure = set(heard.wanted.red_flags), message.ids(corpus.UNSURE)
    flags, asked = heard.flags - (unsure - wanted), heard.asked
    dealt_with = flags | asked
    for flag in wanted | flags:
        figures.flags[flag].add({flag} & wanted, {flag} & flags)
    for flag in wanted | dealt_with:
        figures.dealt_with[flag].add({flag} & wanted, {flag} & dealt_with)
    figures.matrix[heard.wanted_level, heard.level] += 1
    figures.matrix_when_asked[heard.wanted_level, heard.level_when_asked] += 1
    levels = list(knowledge.urgency)
    if heard.wanted_level in levels[:2]:
        counts["grave"] += 1
        counts["grave_at_level"] += levels.index(heard.level_when_asked) <= levels.index(heard.wanted_level)
        counts["grave_left"] += heard.level_when_asked == levels[-1]
    if not wanted and not unsure & set(knowledge.red_flags):
        counts["free"] += 1
        counts["free_set"] += bool(flags)
        counts["free_asked"] += bool(asked - flags)
    for status in (corpus.DENIED, corpus.OTHER, corpus.ASKED, corpus.PAST):
        for flag in (message.ids(status) & set(knowledge.red_flags)) - wanted - unsure:
            counts["decoys", status] += 1
            counts["decoys_set", status] += flag in flags
            counts["decoys_asked", status] += flag in asked
    counts["questions"] += len(asked)
    counts["questions_worth"] += len(asked & (wanted | unsure))
    counts["unsure"] += len(unsure & set(knowledge.red_flags))
    counts["unsure_asked"] += len(unsure & heard.asked)
    for kind, found in (
        ("missed", wanted - dealt_with),
        ("false", flags - wanted),
        ("asked for nothing", asked - wanted - unsure - flags),
    ):
        if found:
            figures.errors.append((f"red flags {kind}", f"{_listed(found)}: {message.text}"))


def _measure_layers(heard: Heard, figures: Figures) -> None:
    """Which of wording, assertion and meaning found each flag that is there, and which took each for nothing."""
    for flag in heard.wanted.red_flags:
        worded, asserted, meant = (getattr(heard.reading, name)(flag) for name in ("worded", "asserted", "meant"))
        figures.layers[worded, asserted, meant] += 1
        if flag not in heard.flags | heard.asked:
            figures.lost_by["assertion" if worded and not asserted else "wording" if not worded else "weighing"] += 1
            figures.lost_by["meaning"] += not meant


def _measure_answer(message: corpus.Message, figures: Figures) -> None:
    """Whether an answer is taken as its labels say, with the question open."""
    knowledge = load_knowledge()
    before = Interview(regions=("lumbar",), onset="lifting", flags_to_confirm=(message.flag,) if message.flag else ())
    offered: tuple[str, ...] = ()
    if message.question in ("regions", "onset"):
        before = Interview()
        offered = tuple(knowledge.regions if message.question == "regions" else knowledge.onsets)
    if message.question in CHECKLISTS:
        offered = checklist(message.question, before, knowledge)
        before = Interview(regions=("lumbar",), onset="lifting", offered=offered)
    entities = to_entities(load_reader().read(message.text), "ClinicalFindings")
    heard = hear(before, entities, message.question, None, knowledge)
    wanted, got = _wanted_answer(message, offered), _given_answer(message, before, heard.interview)
    figures.counts["answers"] += 1
    # A mere "yes" to a list names nothing: the bot asks which.
    names_nothing = message.question in CHECKLISTS and message.value(corpus.ANSWER) == "yes" and not wanted
    right = wanted == got and heard.answered != names_nothing
    figures.counts["answers_right"] += right
    if not right:
        taken = f"wanted {_listed(wanted)}, took {_listed(got)}{'' if heard.answered else ', not as an answer'}"
        figures.errors.append(("answers", f"@{message.question}: {taken}: {message.text}"))


def _wanted_answer(message: corpus.Message, offered: Sequence[str]) -> set[str]:
    answer = message.value(corpus.ANSWER)
    wanted = message.ids() - {corpus.ANSWER, corpus.ITEM, corpus.DURATION, corpus.PAIN}
    numbers = [len(offered) if place == "last" else int(place) for place in _values(message, corpus.ITEM)]
    wanted |= {offered[number - 1] for number in numbers if 1 <= number <= len(offered)}
    if answer == "all":
        wanted |= set(offered) - message.ids(corpus.DENIED)
    if message.question == CONFIRM and answer in ("yes", "no"):
        wanted.add(f"{message.flag}: {answer}")
    if answer in ("unsure", "skip"):
        wanted.add("unsure")
    days, pain = _days(message), _pain(message)
    if days is not None and message.question == "duration":
        wanted.add(f"about {_rounded(days)} days")
    if pain is not None and message.question == "pain_level":
        wanted.add(f"pain {pain:.0f}")
    return wanted


def _given_answer(message: corpus.Message, before: Interview, after: Interview) -> set[str]:
    got = {*after.red_flags, *after.cautions, *after.signs}
    got |= set(after.regions or ()) - set(before.regions or ())
    if after.onset is not None and after.onset != before.onset:
        got.add(after.onset)
    if message.question == CONFIRM:
        got -= {message.flag}
        verdict = "yes" if message.flag in after.red_flags else "no" if message.flag in after.cleared else None
        got |= {f"{message.flag}: {verdict}"} if verdict and message.flag not in after.unsure else set()
    if after.unsure or (message.question == "onset" and after.onset == "unknown" and message.value(corpus.ANSWER)):
        got = (got - {"unknown"}) | {"unsure"}
    if after.duration_days is not None and message.question == "duration":
        got.add(f"about {_rounded(after.duration_days)} days")
    if after.pain_level is not None and message.question == "pain_level":
        got.add(f"pain {after.pain_level:.0f}")
    return got


def _rounded(days: float) -> str:
    """Days as roughly as people mean them."""
    return f"{days:.0f}" if days < 10 else f"{days / 10:.0f}0" if days < 100 else f"{days / 100:.0f}00"


def _all_days(message: corpus.Message) -> list[float]:
    return [days_since(value, date.today()) for value in _values(message, corpus.DURATION)]


def _near(days: float, wanted: Sequence[float]) -> bool:
    return any(abs(days - want) <= max(1, ROUGHLY * want) for want in wanted)


def _one(value: float | None) -> set[float]:
    return set() if value is None else {value}


def _listed(values: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, values))) or "nothing"


def interval(part: int, whole: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if not whole:
        return 0.0, 1.0
    share, z = part / whole, 1.96
    middle = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    reach = z * sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole)) / (1 + z * z / whole)
    return middle - reach, middle + reach


def share(part: int, whole: int) -> str:
    """A share with its interval and counts."""
    low, high = interval(part, whole)
    return f"{part / max(whole, 1):6.1%}  ({low:.0%} to {high:.0%}; {part} of {whole})" if whole else "     -  (none)"


def tables(figures: Figures, about: str) -> str:
    """The figures as text."""
    counts, levels = figures.counts, list(load_knowledge().urgency)
    what = f"{counts['messages']} messages and {counts['answers']} answers of {about}"
    lines = [f"{what}; {figures.milliseconds:.1f} ms a message, one thread", ""]
    lines.append(f"{'':24}{'precision':>28}{'recall':>30}")
    flags = {f"  {flag}": figures.flags[flag] for flag in load_knowledge().red_flags}
    for name, score in {**figures.kinds, **flags}.items():
        precision, recall = score.hits + score.false, score.hits + score.misses
        lines.append(f"{name:24}{_short(score.hits, precision):>28}{_short(score.hits, recall):>30}")
    lines += ["", f"{'red flags set or asked':24}{'':28}{'recall':>30}"]
    for flag in load_knowledge().red_flags:
        score = figures.dealt_with[flag]
        lines.append(f"  {flag:22}{'':28}{_short(score.hits, score.hits + score.misses):>30}")
    for title, matrix in (
        ("level reached at once", figures.matrix),
        ("level reached when the question asked is answered", figures.matrix_when_asked),
    ):
        lines += ["", f"{title} (rows: the right level)", f"{'':12}" + "".join(f"{level:>12}" for level in levels)]
        lines += [f"{row:12}" + "".join(f"{matrix[row, column]:>12}" for column in levels) for row in levels]
    lines += [
        "",
        _row("emergency and urgent at their level or above, set or asked", counts["grave_at_level"], counts["grave"]),
        _row("emergency and urgent left at self-care", counts["grave_left"], counts["grave"]),
        _row("messages without a flag in which one is set", counts["free_set"], counts["free"]),
        _row("messages without a flag in which one is asked about", counts["free_asked"], counts["free"]),
    ]
    decoys = [status for status in (corpus.DENIED, corpus.OTHER, corpus.ASKED, corpus.PAST) if counts["decoys", status]]
    for name in ("set", "asked"):
        total = sum(counts["decoys", status] for status in decoys)
        lines.append(_row(f"decoys {name}", sum(counts[f"decoys_{name}", status] for status in decoys), total))
        lines += [_row(f"  {status}", counts[f"decoys_{name}", status], counts["decoys", status]) for status in decoys]
    lines += [
        _row("questions that were worth asking", counts["questions_worth"], counts["questions"]),
        _row("flags the writer is unsure of that are asked about", counts["unsure_asked"], counts["unsure"]),
        _row("answers taken rightly", counts["answers_right"], counts["answers"]),
        "",
        "who found the flags that are there (wording, assertion, meaning)",
    ]
    for layers, number in sorted(figures.layers.items(), key=lambda item: -item[1]):
        found = [name for name, says in zip(LAYERS, layers, strict=True) if says]
        lines.append(f"  {' + '.join(found) or 'none of them':40}{number:>6}")
    lost = [f"{name} {number}" for name, number in figures.lost_by.items() if number]
    lines.append(f"who lost those that were missed: {', '.join(lost) or 'nobody'}")
    return "\n".join(lines)


def _row(what: str, part: int, whole: int) -> str:
    return f"{what:59} {share(part, whole)}"


def _short(part: int, whole: int) -> str:
    low, high = interval(part, whole)
    return f"{part / whole:.1%} ({low:.0%}-{high:.0%}; {whole})" if whole else "-"


def work() -> None:
    """Measures. Raises Failure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument(
        "--split", choices=corpus.SPLITS, default="test", help="the part of data/corpus/ to read where no file is named"
    )
    parser.add_argument(
        "--errors", action="store_true", help="print every message that was understood otherwise than labelled"
    )
    arguments = parser.parse_args()
    try:
        named = arguments.files or [file.path for file in corpus.load_corpus(paths.CORPUS, arguments.split)]
        messages = [message for path in named for message in load(path)]
    except (corpus.CorpusError, YAMLError, OSError) as error:
        raise Failure(str(error)) from None
    about = ", ".join(path.stem for path in named)
    figures = measure(messages)
    say(tables(figures, about))
    if arguments.errors:
        say("\n" + "\n".join(f"{kind}: {text}" for kind, text in sorted(figures.errors)))
    from eval_report import write

    write(figures, tables(figures, about), REPORT)
    say(f"\nPictures and every error: {REPORT.relative_to(ROOT)}")


if __name__ == "__main__":
    main(work)
