"""Tells which of the time spans in a message say how long the trouble has been going on.

A message dates other things too: an illness of long ago, a medicine, the operation of a relative.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from backtalk.language.findings import Finding
from backtalk.language.quantities import Duration

_CLAUSE_END = re.compile(r"[,.!?;:\n()]|\b(?:but|though|although|now|then)\b")
_SENTENCE_END = re.compile(r"[.!?;\n](?!\d)")
_BEGINS = re.compile(
    r"\b(?:start(?:ed|s)?|began|begun|came on|come on|happened|ongoing|going on|comes? and goes?|on and off)\b"
)
_THEN = re.compile(r"\W*(?:ago|back|before)\b|last year\b|last month\b")
# How many characters away the rest of a sentence is looked for.
_WINDOW = 400
_LONG = 365
_NEAR = 25
_TROUBLE = ("region", "complaint", "onset")


def of_the_trouble(
    durations: Sequence[Duration], findings: Sequence[Finding], text: str, standing: Collection[str]
) -> list[Duration]:
    """The durations that date the trouble.

    One amount without "for" or "since" counts where it can date nothing else.
    """
    kept = [d for d in durations if not _dates_another(d, findings, text.lower(), standing)]
    if len(kept) == 1 and kept[0].days > 0 and _may_date_the_trouble(findings):
        return [replace(kept[0], sure=True)]
    return kept


def _may_date_the_trouble(findings: Sequence[Finding]) -> bool:
    """Whether a message tells of trouble, and of no pregnancy, whose weeks are counted the same way."""
    return any(f.kind in ("region", "complaint") and f.status != "denied" for f in findings) and not any(
        f.id == "pregnancy" for f in findings
    )


def _dates_another(duration: Duration, findings: Sequence[Finding], text: str, standing: Collection[str]) -> bool:
    if duration.days and any(
        f.kind == "red_flag" and f.start < duration.start and duration.end < f.end for f in findings
    ):
        return True
    over = [f for f in findings if (f.status == "past" or f.experiencer == "other") and f.kind not in _TROUBLE[:2]]
    if any(abs(f.end - duration.start) < _NEAR or abs(duration.end - f.start) < _NEAR for f in over):
        return True
    start, end = _bounds(duration, text, _CLAUSE_END)
    clause = [f for f in findings if start <= f.start and f.end <= end]
    if any(f.kind in _TROUBLE for f in clause) or _BEGINS.search(text[start:end]):
        return False
    if any(_lasts(f, standing) for f in clause):
        return True
    if _THEN.match(text, duration.end) or _THEN.match(text, duration.start):
        return duration.days >= _LONG and any(f.kind in _TROUBLE for f in findings)
    return duration.days >= _LONG and _continues_another(duration, findings, text, standing)


def _continues_another(duration: Duration, findings: Sequence[Finding], text: str, standing: Collection[str]) -> bool:
    """Whether only a lasting condition stands before the duration in its sentence ("takes steroids, has for years")."""
    start, _ = _bounds(duration, text, _SENTENCE_END)
    before = [f for f in findings if start <= f.start and f.end <= duration.start]
    return any(_lasts(f, standing) for f in before) and not any(f.kind in _TROUBLE for f in before)


def _lasts(finding: Finding, standing: Collection[str]) -> bool:
    return finding.kind == "caution" or finding.id in standing


def _bounds(duration: Duration, text: str, ends: re.Pattern[str]) -> tuple[int, int]:
    """The part of the text around a duration up to the nearest ends on both sides."""
    first, last = max(0, duration.start - _WINDOW), min(len(text), duration.end + _WINDOW)
    start = max((match.end() for match in ends.finditer(text, first, duration.start)), default=first)
    following = ends.search(text, duration.end, last)
    return start, following.start() if following else last
