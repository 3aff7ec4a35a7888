"""The syntax of phrases: what `data/knowledge/phrases/` may contain, before any language work."""

import re
from collections.abc import Collection, Iterator

# A gap, [optional words], (alternatives), or one word or {word list}.
ELEMENT = re.compile(r"(\.\.\.)|\[([^\]]*)\]|\(([^)]*)\)|(\{\w+\}|[^\s\[\](){}]+)")
WORD_LIST = re.compile(r"\{(\w+)\}")


class PhraseError(ValueError):
    """A phrase that cannot be compiled; the message quotes it and says why."""


def elements(phrase: str) -> list[re.Match[str]]:
    """The elements of a phrase. Raises PhraseError for one that cannot be read."""
    found = list(ELEMENT.finditer(phrase))
    for rest in _between(phrase, found):
        if rest.strip():
            raise PhraseError(f"{phrase!r}: cannot read {rest.strip()!r}")
    if not found or found[0][1] or all(match[1] or match[2] is not None for match in found):
        raise PhraseError(f"{phrase!r}: begins with a gap or has no word that must be there")
    return found


def check(phrase: str, word_lists: Collection[str]) -> None:
    """Raises PhraseError for a phrase that cannot be read or names a word list that does not exist."""
    elements(phrase)
    for name in WORD_LIST.findall(phrase):
        if name not in word_lists:
            raise PhraseError(f"{phrase!r}: there is no word list {{{name}}}")


def _between(phrase: str, found: list[re.Match[str]]) -> Iterator[str]:
    position = 0
    for match in found:
        yield phrase[position : match.start()]
        position = match.end()
    yield phrase[position:]
