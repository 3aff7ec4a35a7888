"""Loads and checks `data/knowledge/`. Whatever is wrong is refused with file, line and reason."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import jsonschema
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import SequenceNode

from backtalk import paths
from backtalk.knowledge import model, syntax

FILES = ("sources", "regions", "onsets", "red_flags", "cautions", "relief", "urgency", "follow_ups", "settings")
PHRASE_KINDS = {
    "region": ("regions",),
    "onset": ("onsets",),
    "red_flag": ("red_flags_emergency", "red_flags_other"),
    "caution": ("cautions",),
    "complaint": ("complaint",),
    "severity": ("severity",),
    "proxy": ("proxy",),
    "correction": ("corrections",),
    "answer": ("answers",),
    "harmless": ("harmless",),
}
VOCABULARY = "vocabulary"
SETTING_PREFIX = "BACKTALK_"
MOST_KEEP_DAYS = 3650

_SCHEMA = Path(__file__).with_name("schema.yml")
_Record = TypeVar("_Record")
# A place in a file: keys and indexes, from the top on.
_Place = tuple[str | int, ...]


class KnowledgeError(ValueError):
    """A knowledge file that cannot be used; the message names file, line and reason."""


def load_knowledge(folder: Path = paths.KNOWLEDGE) -> model.Knowledge:
    """The checked knowledge of a folder, read once. Raises KnowledgeError with file, line and reason."""
    return _load_knowledge(folder)


def load_phrases(folder: Path = paths.KNOWLEDGE) -> model.Phrases:
    """The checked phrases of a folder, read once, for `backtalk.language.Reader`. Raises KnowledgeError."""
    return _load_phrases(folder)


@cache
def _load_knowledge(folder: Path) -> model.Knowledge:
    files = {name: _File.load(folder / f"{name}.yml", name) for name in FILES}
    records = {name: file.content for name, file in files.items()}
    for file in files.values():
        file.check_unique()
    sources = _by_id(model.Source, records["sources"]["sources"])
    for file in files.values():
        file.check_references("source", sources, "sources.yml")
    knowledge = model.Knowledge(
        sources=sources,
        muscles=_by_id(model.Muscle, records["regions"]["muscles"], key="name"),
        regions=_by_id(model.Region, records["regions"]["regions"]),
        onsets=_by_id(model.Onset, records["onsets"]["onsets"]),
        red_flags=_by_id(model.RedFlag, records["red_flags"]["red_flags"]),
        signs=_by_id(model.Sign, records["red_flags"]["signs"]),
        cautions=_by_id(model.Caution, records["cautions"]["cautions"]),
        medical_history=tuple(records["cautions"]["medical_history"]),
        relief=_by_id(model.ReliefOption, records["relief"]["relief"]),
        relief_questions=tuple(records["relief"]["relief_questions"]),
        urgency=_by_id(model.UrgencyLevel, records["urgency"]["urgency"]),
        combinations=tuple(_record(model.Combination, entry) for entry in records["urgency"]["combinations"]),
        long_duration=_record(model.LongDuration, records["urgency"]["long_duration"]),
        open_flag=_record(model.OpenFlag, records["urgency"]["open_flag"]),
        open_list=_record(model.OpenList, records["urgency"]["open_list"]),
        child=_record(model.Child, records["urgency"]["child"]),
        explanation=records["regions"]["explanation"]["text"],
        explanation_source=_ids(records["regions"]["explanation"]["source"]),
        follow_ups=_follow_ups(records["follow_ups"]["follow_ups"]),
        settings=_settings(records["settings"]["settings"], records["settings"]["locales"]),
        locales=records["settings"]["locales"],
        check_in=_check_in(records["settings"]["check_in"]),
        privacy=_privacy(records["settings"]["privacy"]),
        fixed=tuple(name for name in records["settings"]["settings"] if os.environ.get(SETTING_PREFIX + name.upper())),
    )
    _check_ids(knowledge, files)
    return knowledge


@cache
def _load_phrases(folder: Path) -> model.Phrases:
    knowledge = load_knowledge(folder)
    shared = _File.load(folder / "phrases" / "vocabulary.yml", VOCABULARY)
    relatives = _File.load(folder / "relatives.yml", "relatives")
    vocabulary: dict[str, tuple[str, ...]] = {}
    kinds: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {}
    assertion = _File.load(folder / "phrases" / "assertion.yml", "assertion")
    files = [assertion]
    _add_vocabulary(vocabulary, shared)
    for kind, names in PHRASE_KINDS.items():
        for name in names:
            file = _File.load(folder / "phrases" / f"{name}.yml", "phrases")
            files.append(file)
            _add_vocabulary(vocabulary, file)
            for entry_id, wordings in file.content["phrases"].items():
                actual = "sign" if entry_id in knowledge.signs else kind
                _check_phrase_id(file, actual, entry_id, knowledge)
                entries = kinds.setdefault(actual, {})
                if entry_id in entries:
                    file.refuse(("phrases", entry_id), f"{entry_id!r} has phrases in another file already")
                entries[entry_id] = {strength: tuple(map(str, texts)) for strength, texts in wordings.items()}
    for flag in knowledge.red_flags.values():
        raised_by_onset = any(onset.red_flag == flag.id for onset in knowledge.onsets.values())
        if flag.id not in kinds["red_flag"] and not raised_by_onset:
            raise KnowledgeError(f"{folder / 'phrases'}: no file has phrases for the red flag {flag.id!r}")
    for file in files:
        file.check_phrases(vocabulary)
    conditions: list[model.RedFlag | model.Caution] = [*knowledge.red_flags.values(), *knowledge.cautions.values()]
    return model.Phrases(
        kinds=kinds,
        vocabulary=vocabulary,
        assertion=assertion.content,
        standing=frozenset(condition.id for condition in conditions if condition.standing),
        relatives={
            word: model.Relative(entry["pronoun"], entry.get("child", "no"))
            for entry in relatives.content["relatives"]
            for word in entry["words"]
        },
    )


class _File:
    """A YAML file that passed its schema, with the means to point at a place in it."""

    def __init__(self, path: Path, content: Any):
        self.path = path
        self.content = content

    @classmethod
    def load(cls, path: Path, schema: str) -> "_File":
        if not path.is_file():
            raise KnowledgeError(f"{path}: this file is missing")
        try:
            content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        except UnicodeError:
            raise KnowledgeError(f"{path}, line 1: not UTF-8 text") from None
        except YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = f", line {mark.line + 1}" if mark else ""
            raise KnowledgeError(f"{path}{place}: not valid YAML: {getattr(error, 'problem', error)}") from None
        file = cls(path, content)
        fault = jsonschema.exceptions.best_match(_validator(schema).iter_errors(content))
        if fault:
            file.refuse(tuple(fault.absolute_path), fault.message)
        return file

    def refuse(self, place: _Place, reason: str) -> NoReturn:
        """Raises the KnowledgeError for a place."""
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
        raise KnowledgeError(f"{self.path}, line {self._line(place)}, {where or 'top'}: {reason}")

    def check_unique(self) -> None:
        for name, entries in self.content.items():
            seen: set[str | None] = set()
            for index, entry in enumerate(entries if isinstance(entries, list) else ()):
                entry_id = entry.get("id", entry.get("name")) if isinstance(entry, dict) else entry
                if entry_id in seen:
                    self.refuse((name, index), f"{entry_id!r} stands here twice")
                seen.add(entry_id)

    def check_references(self, field: str, known: Iterable[str], where: str, only: str | None = None) -> None:
        """Refuses an id under `field`, anywhere in the file, that is not in `known`."""
        for place, value in _walk(self.content):
            if place and place[-1] == field and (only is None or place[0] == only):
                for entry in _ids(value):
                    if entry not in known:
                        self.refuse(place, f"{entry!r} is not in {where}")

    def check_phrases(self, word_lists: Collection[str]) -> None:
        """Refuses a phrase that cannot be read."""
        for place, value in _walk({name: part for name, part in self.content.items() if name != VOCABULARY}):
            if isinstance(value, (str, int, float)) and place and isinstance(place[-1], int):
                try:
                    syntax.check(str(value), word_lists)
                except syntax.PhraseError as error:
                    self.refuse(place, str(error))

    def _line(self, place: _Place) -> int:
        with self.path.open(encoding="utf-8") as stream:
            node = YAML().compose(stream)
        line = node.start_mark.line if node else 0
        for part in place:
            if isinstance(node, SequenceNode):
                node = node.value[part]
                line = node.start_mark.line
            else:
                key, node = next((k, v) for k, v in node.value if k.value == str(part))
                line = key.start_mark.line
        return line + 1


@cache
@cache
def _validator(name: str) -> jsonschema.Draft7Validator:
    schemas = YAML(typ="safe").load(_SCHEMA)
    return jsonschema.Draft7Validator({**schemas[name], "definitions": schemas["definitions"]})


def _walk(value: Any, place: _Place = ()) -> Iterable[tuple[_Place, Any]]:
    yield place, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _walk(child, (*place, key))


def _ids(value: Any) -> model.Ids:
    return (value,) if isinstance(value, str) else tuple(value)


def _record(make: Callable[..., _Record], entry: Mapping[str, Any]) -> _Record:
    values = {"with_" if name == "with" else name: value for name, value in entry.items()}
    if "source" in values:
        values["source"] = _ids(values["source"])
    return make(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def _by_id(make: Callable[..., _Record], entries: Iterable[Mapping[str, Any]], key: str = "id") -> dict[str, _Record]:
    return {entry[key]: _record(make, entry) for entry in entries}


def _follow_ups(content: Mapping[str, Any]) -> model.FollowUps:
    regions = (
        model.RegionFollowUp(tuple(entry["after"]), {name: topic for name, topic in entry.items() if name != "after"})
        for entry in content["regions"]
    )
    return model.FollowUps(tuple(regions), content["why"], content["emergency"])


def _settings(defaults: Mapping[str, str], locales: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The site's own settings: the environment's, else those of the country in BACKTALK_COUNTRY, else the file's."""
    country = locales.get(os.environ.get(SETTING_PREFIX + "COUNTRY", "").upper(), {})
    return {
        name: os.environ.get(SETTING_PREFIX + name.upper()) or country.get(name, value)
        for name, value in defaults.items()
    }


def _check_in(content: Mapping[str, Any]) -> model.CheckIn:
    hours = os.environ.get(SETTING_PREFIX + "CHECK_IN_HOURS") or content["hours"]
    try:
        return model.CheckIn(float(hours), tuple(content["channels"]))
    except ValueError:
        raise KnowledgeError(f"{SETTING_PREFIX}CHECK_IN_HOURS must be a number of hours, not {hours!r}") from None


def _privacy(content: Mapping[str, Any]) -> model.Privacy:
    days = os.environ.get(SETTING_PREFIX + "KEEP_DAYS") or str(content["keep_days"])
    if not (days.isascii() and days.isdecimal() and 1 <= int(days) <= MOST_KEEP_DAYS):
        raise KnowledgeError(
            f"{SETTING_PREFIX}KEEP_DAYS must be a whole number of days from 1 to {MOST_KEEP_DAYS}, not {days!r}"
        )
    return model.Privacy(int(days))


def _check_ids(knowledge: model.Knowledge, files: Mapping[str, _File]) -> None:
    """Refuses ids that one file names and the other lacks."""
    flags, levels = knowledge.red_flags, knowledge.urgency
    facts = {*flags, *knowledge.onsets, *knowledge.signs}
    conditions = {*flags, *knowledge.cautions, *knowledge.signs, *knowledge.regions}
    regions = files["regions"]
    regions.check_references("muscles", knowledge.muscles, "the muscles of this file", only="regions")
    regions.check_references("warning_signs", flags, "red_flags.yml")
    files["onsets"].check_references("red_flag", flags, "red_flags.yml")
    files["red_flags"].check_references("level", levels, "urgency.yml")
    files["red_flags"].check_references("after", knowledge.onsets, "onsets.yml")
    history = {*flags, *knowledge.cautions}
    files["cautions"].check_references("medical_history", history, "red_flags.yml or cautions.yml")
    for name, kind, records, others in (
        ("red_flags", "signs", knowledge.signs, flags),
        ("cautions", "cautions", knowledge.cautions, {*flags, *knowledge.signs}),
    ):
        for index, entry in enumerate(records):
            if entry in others:
                files[name].refuse((kind, index), f"{entry!r} is the id of a red flag or sign already")
    relief = files["relief"]
    relief.check_references("never_with", conditions, "red_flags.yml, its signs, or cautions.yml")
    relief.check_references("caution_with", conditions, "red_flags.yml, its signs, cautions.yml or regions.yml")
    relief.check_references("only_regions", knowledge.regions, "regions.yml")
    for index, follow_up in enumerate(knowledge.follow_ups.regions):
        for region in follow_up.topics:
            if region not in knowledge.regions:
                place = ("follow_ups", "regions", index, region)
                files["follow_ups"].refuse(place, f"{region!r} is not in regions.yml")
    files["urgency"].check_references("level", levels, "the urgency of this file")
    for name in ("any_of", "with"):
        files["urgency"].check_references(name, facts, "red_flags.yml, its signs, or onsets.yml")


def _check_phrase_id(file: _File, kind: str, entry_id: str, knowledge: model.Knowledge) -> None:
    known = {
        "region": {*knowledge.regions, "everywhere"},
        "onset": knowledge.onsets,
        "red_flag": knowledge.red_flags,
        "caution": knowledge.cautions,
    }.get(kind)
    if known is not None and entry_id not in known:
        file.refuse(("phrases", entry_id), f"{entry_id!r} is no {kind.replace('_', ' ')} of the knowledge files")


def _add_vocabulary(vocabulary: dict[str, tuple[str, ...]], file: _File) -> None:
    for name, words in file.content.get(VOCABULARY, {}).items():
        if name in vocabulary:
            file.refuse((VOCABULARY, name), f"the word list {name!r} stands in another file already")
        vocabulary[name] = tuple(map(str, words))
