"""What a message means beyond the phrases that anybody wrote down: a sentence encoder tuned to the corpus.

`scripts/tune.py` makes it. For each token it tells which findings the token speaks of, and whether they are asserted.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ruamel.yaml import YAML

from backtalk import corpus, paths
from backtalk.language.model_files import checked_file, open_session, open_tokenizer

# Tokens that belong to a mention at least half as surely as its surest token are part of it.
PART_OF_IT = 0.5
# A mention less likely than this is none.
FAINT = 0.02
# Of several mentions one that is so surely asserted counts; else the clearest.
ASSERTED = 0.5
# A finding so faint in every token is heard in the message as a whole and has no words of its own.
WORDLESS = 0.2
# No message is read beyond this many windows of the model.
MOST_WINDOWS = 90
# So many tokens further on the next window begins.
STEP = 64
_PART_OF_WORD = re.compile(r"[^\W_]|'(?=\w)|(?<=\d)\.(?=\d)")

_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Mention:
    """What the model makes of one finding in a message.

    Probabilities from 0 to 1: `mentioned` in any way; `present` with the patient, as the tokens tell and as the
    message as a whole does (`whole`); `unsure`. `status` is the likeliest assertion (one of
    `backtalk.corpus.STATUSES`), `start` and `end` the place of the words in the text.
    """

    id: str
    mentioned: float
    present: float
    whole: float
    unsure: float
    status: str
    start: int
    end: int


class Meaning:
    """The tuned encoder: a text in, the mentions of findings out."""

    def __init__(self, path: Path = paths.FINDINGS_MODEL, threads: int = 1) -> None:
        """Loads the model in about half a second. Raises ModelFileError if it is missing or not the one on record."""
        record = path.with_suffix(".yml")
        sha256 = YAML(typ="safe").load(record)["sha256"] if record.is_file() else ""
        self._session = open_session(
            checked_file(path, sha256, f"The model {path.name}", "Restore it from the repository or run `make tune`."),
            threads,
            alike=True,
        )
        self._tokenizer = open_tokenizer()
        about = self._session.get_modelmeta().custom_metadata_map
        self.labels: tuple[str, ...] = tuple(about["labels"].split())
        self._statuses = about["statuses"].split()
        self._window = int(about["window"])

    def read(self, text: str) -> Mapping[str, Mention]:
        """The findings that a text may mention, by their ids; what lies beyond `reach` is not read."""
        encoding = self._tokenizer.encode(text)
        ids, offsets = encoding.ids, encoding.offsets
        if len(ids) <= 2:
            return {}
        marks, statuses, whole = self._run(ids)
        asserted, unsure = (
            marks * statuses[:, [self._statuses.index(status)]] for status in (corpus.PRESENT, corpus.UNSURE)
        )
        windows = 1 + max(0, -(-(len(ids) - self._window) // STEP))
        found = {}
        for number in np.flatnonzero((marks.max(axis=0) >= FAINT) | (whole.max(axis=0) >= FAINT)):
            track = marks[:, number]
            best = int((asserted if asserted[:, number].max() >= ASSERTED else marks)[:, number].argmax())
            # Two levels of pain in a message are one mention, with all between them.
            first, last = _all_of(track, best) if self.labels[number] == corpus.PAIN else _around(track, best)
            mean = statuses[first : last + 1].mean(axis=0)
            start, end = _whole_words(text, offsets[first][0], offsets[last][1])
            name = self.labels[number]
            found[name] = Mention(
                name,
                float(track.max()),
                _less_likely(asserted[:, number].max(), sqrt(windows)),
                float(whole[best, number]),
                float(unsure[:, number].max()),
                self._statuses[int(mean.argmax())],
                start,
                end if track.max() >= WORDLESS else start,
            )
        return found

    def reach(self, text: str) -> int:
        """How many characters of a text are read."""
        most = STEP * (MOST_WINDOWS - 1) + self._window - 2
        offsets = self._tokenizer.encode(text).offsets[1:-1] if len(text) > most else ()
        return offsets[most][0] if len(offsets) > most else len(text)

    def _run(self, ids: Sequence[int]) -> tuple[_Floats, _Floats, _Floats]:
        """What the model says of each token, and of its window as a whole.

        Shapes: marks (tokens, labels), statuses (tokens, statuses), of the whole (tokens, labels). A long text is read
        window by window; a token stands in two, whose word is averaged, because one that begins in the middle of a
        sentence may mislead.
        """
        inner, room = list(ids[1:-1]), self._window - 2
        starts = list(range(0, max(len(inner) - room, 0) + STEP, STEP))[:MOST_WINDOWS] if len(inner) > room else [0]
        sums: list[_Floats] = []
        times = np.zeros((len(ids), 1), np.float32)
        for start in starts:
            part = inner[start : start + room]
            row = np.array([[ids[0], *part, ids[-1]]], dtype=np.int32)
            marks, statuses, whole = self._session.run(
                ("marks", "statuses", "whole"), {"input_ids": row, "attention_mask": np.ones_like(row)}
            )
            if not sums:
                sums = [np.zeros((len(ids), values.shape[-1]), np.float32) for values in (marks, statuses, whole)]
            here = slice(start + 1, start + 1 + len(part))
            for total, values in zip(sums, (marks[0, 1:-1], statuses[0, 1:-1], whole), strict=True):
                total[here] += values
            times[here] += 1
        for total in sums:
            total /= np.maximum(times, 1)
        marks, statuses, whole = sums
        return marks, statuses, whole


def _less_likely(probability: "np.floating[Any]", times: float) -> float:
    """A probability with its odds divided: of many windows, one is more easily wrong."""
    return float(probability / (probability + times * (1 - probability)))


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """A place in a text, widened to the words that it touches."""
    while start > 0 and _PART_OF_WORD.match(text, start - 1) and _PART_OF_WORD.match(text, start):
        start -= 1
    while 0 < end < len(text) and _PART_OF_WORD.match(text, end - 1) and _PART_OF_WORD.match(text, end):
        end += 1
    return start, end


def _all_of(track: _Floats, best: int) -> tuple[int, int]:
    """The first and last token that are nearly as surely marked as the surest."""
    marked = np.flatnonzero(track >= PART_OF_IT * track[best])
    return int(marked[0]), int(marked[-1])


def _around(track: _Floats, best: int) -> tuple[int, int]:
    """The first and last token of the mention around its surest token."""
    least = PART_OF_IT * track[best]
    first = last = best
    while first > 1 and track[first - 1] >= least:
        first -= 1
    while last < len(track) - 2 and track[last + 1] >= least:
        last += 1
    return first, last


@lru_cache(maxsize=1)
def load_meaning() -> Meaning:
    """The project's model, loaded once. Raises ModelFileError."""
    return Meaning()
