"""The corpus: visitors' messages in which every finding is marked, `data/corpus/`. Imports no Rasa.

    my [low back](lumbar) went when I [fell off a roof](fall), no [fever](fever denied), [two days](duration 2) now

docs/corpus.md says what each label means. Marks look like those of Rasa's training data, so that a trainer knows them.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from backtalk import paths
from backtalk.knowledge import Knowledge, load_knowledge

SPLITS = ("train", "development", "test")
PRESENT, DENIED, OTHER, ASKED, PAST, UNSURE = STATUSES = ("present", "denied", "other", "asked", "past", "unsure")
DURATION, PAIN, ANSWER, ITEM = "duration", "pain", "answer", "item"
ANSWERS = ("yes", "no", "none", "all", "unsure", "skip")
CONFIRM = "flags_to_confirm"
QUESTIONS = ("regions", "onset", "warning_signs", "medical_history", "duration", "pain_level", CONFIRM)
LONGEST = 2000

_WHEN = re.compile(
    r"\d+(?:\.\d+)?|(?:mon|tues|wednes|thurs|fri|satur|sun)day|weekend"
    r"|january|february|march|april|may|june|july|august|september|october|november|december|(?:19|20)\d\d"
)
_PAIN_VALUE = re.compile(r"10|\d(?:\.\d)?")
_MARK = re.compile(r"\[([^\[\]]+)\]\(([^()\[\]]+)\)")
_QUESTION = re.compile(r"@(\w+)(?:/(\w+))? ")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class CorpusError(ValueError):
    """A corpus file that cannot be used; the message names file, line and reason."""


@dataclass(frozen=True)
class Mention:
    """One finding that a message mentions: its id, its assertion (one of STATUSES), and its place in the text.

    `value` is what a duration (days, a weekday, a month, a year), a pain level, an answer or a list item says.
    """

    id: str
    status: str
    start: int
    end: int
    value: str | None = None


@dataclass(frozen=True)
class Message:
    """A visitor's message. `question` is the slot that was asked for, and `flag` the sign in question where one was."""

    text: str
    mentions: tuple[Mention, ...] = ()
    question: str | None = None
    flag: str | None = None
    line: int = 0

    def ids(self, status: str = PRESENT) -> set[str]:
        """The ids of the findings that have a status."""
        return {mention.id for mention in self.mentions if mention.status == status}

    def value(self, name: str) -> str | None:
        """The value of a duration, pain level, answer or item, where the message has one."""
        return next((m.value for m in self.mentions if m.id == name and m.status == PRESENT), None)

    def said(self, mention: Mention) -> str:
        """The words of a mention."""
        return self.text[mention.start : mention.end]


@dataclass(frozen=True)
class CorpusFile:
    """The messages of one author: who writes (`brief`), which part they belong to, and the file."""

    path: Path
    brief: str
    split: str
    messages: tuple[Message, ...]


def load_corpus(folder: Path = paths.CORPUS, split: str | None = None) -> list[CorpusFile]:
    """All files of a folder, or those of one part. Raises CorpusError."""
    files = [load_file(path) for path in sorted(folder.glob("*.yml"))]
    return [file for file in files if split in (None, file.split)]


def load_file(path: Path) -> CorpusFile:
    """One file of the corpus. Raises CorpusError for the first fault."""
    file, faults = read_file(path)
    if faults:
        raise CorpusError(faults[0])
    return file


def read_file(path: Path) -> tuple[CorpusFile, list[str]]:
    """One file of the corpus and all its faults, each with file, line and reason.

    Raises CorpusError if it is no such file.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = YAML(typ="safe").load(text)
    except UnicodeDecodeError:
        raise CorpusError(f"{path}: not UTF-8, save it as UTF-8") from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise CorpusError(f"{path}, line {mark.line + 1 if mark else 1}: not valid YAML") from None
    if (
        not isinstance(content, dict)
        or not {"brief", "split", "messages"} <= content.keys()
        or content["split"] not in SPLITS
    ):
        raise CorpusError(f"{path}: needs `brief`, `split` ({', '.join(SPLITS)}) and `messages: |`")
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines, 2) if line.startswith("messages:"))
    messages, faults = [], []
    seen: dict[tuple[str | None, str | None, str], int] = {}
    for number, line in enumerate(str(content["messages"]).splitlines(), first):
        if not line.strip():
            continue
        try:
            message = parse(line, number)
        except CorpusError as error:
            faults.append(f"{path}, line {number}: {error}")
            continue
        key = (message.question, message.flag, plain(message.text))
        if key in seen:
            faults.append(f"{path}, line {number}: the same message stands in line {seen[key]}")
        seen.setdefault(key, number)
        messages.append(message)
    return CorpusFile(path, content["brief"], content["split"], tuple(messages)), faults


def plain(text: str) -> str:
    """The words of a text alone, to see whether two messages are the same."""
    return " ".join(re.findall(r"\w+", text.lower()))


def parse(line: str, number: int = 0) -> Message:
    """One line of a file. Raises CorpusError with the reason."""
    if not line.startswith("- "):
        raise CorpusError("a message begins with `- `")
    marked = line[2:].strip()
    question, flag = None, None
    if marked.startswith("@"):
        opening = _QUESTION.match(marked)
        question, flag = opening.groups() if opening else (None, None)
        fits = flag in load_knowledge().red_flags if question == CONFIRM else flag is None
        if opening is None or question not in QUESTIONS or not fits:
            raise CorpusError(
                f"{marked.split()[0]} is no question: it is one of @{', @'.join(QUESTIONS)}; "
                f"the last with /sign, as in @{CONFIRM}/fever"
            )
        marked = marked[opening.end() :]
    text, mentions = "", []
    end = 0
    for mark in _MARK.finditer(marked):
        text += marked[end : mark.start()]
        start, end = len(text), mark.end()
        text += mark[1]
        mentions += [_mention(label.split(), start, len(text)) for label in mark[2].split(";")]
    text += marked[end:]
    if "[" in text or "](" in text:
        raise CorpusError(
            "a mark is not complete: it is [words](id) or [words](id status), and never stands in another"
        )
    if not text.strip() or _CONTROL.search(text) or len(text) > LONGEST:
        raise CorpusError(f"a message has 1 to {LONGEST} characters in one line")
    return Message(text, tuple(mentions), question, flag, number)


def _mention(words: list[str], start: int, end: int) -> Mention:
    if not words:
        raise CorpusError("a mark without a label")
    name, rest = words[0], words[1:]
    if name in _VALUES:
        check, says = _VALUES[name]
        if not rest or not check(rest[0]) or len(rest) > 2:
            raise CorpusError(f"`{' '.join(words)}`: {name} needs {says}")
        value, rest = rest[0], rest[1:]
    else:
        value = None
        if name not in labels():
            raise CorpusError(f"`{name}` is no label: it is one of {', '.join(sorted(labels()))}")
    status = rest[0] if rest else PRESENT
    if len(rest) > 1 or status not in STATUSES:
        raise CorpusError(f"`{' '.join(words)}`: the status is one of {', '.join(STATUSES)}")
    return Mention(name, status, start, end, value)


@lru_cache(maxsize=1)
def labels() -> Mapping[str, str]:
    """The ids that can be marked, each with its kind; `accident` and `fall` are onsets, which raise red flags."""
    knowledge: Knowledge = load_knowledge()
    kinds = {
        "region": knowledge.regions,
        "red_flag": knowledge.red_flags,
        "caution": knowledge.cautions,
        "sign": knowledge.signs,
        "onset": knowledge.onsets,
    }
    return {entry: kind for kind, entries in kinds.items() for entry in entries}


def all_messages(files: Iterable[CorpusFile]) -> Iterator[Message]:
    """The messages of all files."""
    for file in files:
        yield from file.messages


def digest(files: Iterable[CorpusFile], others: Sequence[Path] = ()) -> str:
    """SHA-256 over files of the corpus and others, to tell whether what a model was made from has changed."""
    made_from = hashlib.sha256()
    for path in sorted([*(file.path for file in files), *others]):
        made_from.update(path.read_bytes())
    return made_from.hexdigest()


_VALUES: dict[str, tuple[Callable[[str], bool], str]] = {
    DURATION: (lambda word: bool(_WHEN.fullmatch(word)), "days, a weekday, weekend, a month or a year: (duration 14)"),
    PAIN: (lambda word: bool(_PAIN_VALUE.fullmatch(word)), "a number from 0 to 10: (pain 7)"),
    ANSWER: (lambda word: word in ANSWERS, f"one of {', '.join(ANSWERS)}"),
    ITEM: (lambda word: word == "last" or (word.isdigit() and int(word) > 0), "the place in the list, or last"),
}
