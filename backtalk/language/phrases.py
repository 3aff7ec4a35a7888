"""Compiles the phrases that trainers write and finds them in spaCy Docs.

    can't (hold|control) [my] {urine}        alternatives, an optional word, a word list
    lost ... {feeling} ... {saddle_area}     `...` is a gap of up to four words in the same clause

spaCy's own Matcher reads such patterns too, but takes 24 ms a message for ours, because it tests every pattern at every
token; here only those are tried that can begin with a token's word and whose other words the message has, which takes
about one.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc, Span, Token

from backtalk.knowledge import syntax
from backtalk.knowledge.syntax import PhraseError

GAP_LENGTH = 4
# A gap never runs over these: what follows them is another statement.
GAP_STOPS = frozenset({".", "!", "?", ";", ":", "(", ")", "\n", "not", "no", "never", "without", "nor", "but", "if"})

# spaCy reads "didn't" as "do not", but "did" as "did".
_SAME_NORM = {"did": "do"}

Words = tuple[str, ...]


def norm(token: Token) -> str:
    """The form under which phrases know a token."""
    return _SAME_NORM.get(token.norm_, token.norm_)


@dataclass(frozen=True)
class _Element:
    """One step of a phrase: single words, sequences of words, or a gap."""

    words: frozenset[str] = frozenset()
    sequences: tuple[Words, ...] = ()
    optional: bool = False
    gap: bool = False

    def ends(self, norms: Words, start: int) -> Iterable[int]:
        """The positions behind every way to match this element at `start`."""
        if self.gap:
            yield start
            for end in range(start + 1, min(start + GAP_LENGTH, len(norms)) + 1):
                if norms[end - 1] in GAP_STOPS:
                    return
                yield end
            return
        if self.optional:
            yield start
        if start < len(norms) and norms[start] in self.words:
            yield start + 1
        for sequence in self.sequences:
            if norms[start : start + len(sequence)] == sequence:
                yield start + len(sequence)


@dataclass(frozen=True)
class _Pattern:
    """A phrase. `needs` are the sets of words of which a text must have one each."""

    label: str
    elements: tuple[_Element, ...]
    needs: tuple[frozenset[str], ...]

    def is_possible(self, words: frozenset[str]) -> bool:
        """Whether a text of these words may hold the phrase."""
        return all(not words.isdisjoint(need) for need in self.needs)

    def end(self, norms: Words, start: int) -> int | None:
        """The position behind the longest match at `start`, if there is one."""
        positions = {start}
        for element in self.elements:
            positions = {end for position in positions for end in element.ends(norms, position)}
            if not positions:
                return None
        return max(positions)


class PhraseMatcher:
    """Finds labelled phrases in a Doc by the tokens' NORM, so that contractions and repaired spellings match."""

    def __init__(self, nlp: Language, vocabulary: Mapping[str, Iterable[str]]):
        self._nlp = nlp
        self._vocabulary = vocabulary
        self._patterns: dict[str, list[_Pattern]] = {}
        self._expanded: dict[str, tuple[Words, ...]] = {}
        self.words: set[str] = set()

    def add(self, label: str, phrases: Iterable[str]) -> None:
        """Adds phrases under a label. Raises PhraseError for one that cannot be compiled."""
        for phrase in phrases:
            elements = self._compile(phrase)
            pattern = _Pattern(label, elements, _needs(elements))
            for word in _first_words(pattern.elements):
                self._patterns.setdefault(word, []).append(pattern)

    def __call__(self, doc: Doc) -> list[Span]:
        """The longest matches of each label, in the order of the text; matches of one label never overlap."""
        norms = tuple(norm(token) for token in doc)
        words = frozenset(norms)
        candidates = {
            word: [pattern for pattern in self._patterns.get(word, ()) if pattern.is_possible(words)] for word in words
        }
        found = {
            (pattern.label, start, end)
            for start, word in enumerate(norms)
            for pattern in candidates[word]
            if (end := pattern.end(norms, start))
        }
        taken: dict[str, set[int]] = {}
        spans = []
        for label, start, end in sorted(found, key=lambda match: (match[1] - match[2], match[1])):
            places = taken.setdefault(label, set())
            if places.isdisjoint(range(start, end)):
                places.update(range(start, end))
                spans.append(Span(doc, start, end, label))
        return sorted(spans, key=lambda span: (span.start, span.end, span.label_))

    def _compile(self, phrase: str) -> tuple[_Element, ...]:
        return tuple(self._element(match, phrase) for match in syntax.elements(phrase))

    def _element(self, match: re.Match[str], phrase: str) -> _Element:
        gap, optional, group, word = match.groups()
        if gap:
            return _Element(gap=True)
        alternatives = (optional or group or word).split("|") if not word else [word]
        sequences = {words for text in alternatives for words in self._expand(text.strip(), phrase)}
        self.words.update(word for words in sequences for word in words)
        return _Element(
            words=frozenset(words[0] for words in sequences if len(words) == 1),
            sequences=tuple(sorted(words for words in sequences if len(words) > 1)),
            optional=optional is not None,
        )

    def _expand(self, text: str, phrase: str) -> tuple[Words, ...]:
        """The word sequences of one alternative, its word lists filled in."""
        if text not in self._expanded:
            self._expanded[text] = tuple(self._fill(text, phrase))
        return self._expanded[text]

    def _fill(self, text: str, phrase: str) -> Iterable[Words]:
        found = syntax.WORD_LIST.search(text)
        if not found:
            words = tuple(norm(token) for token in self._nlp.make_doc(text.replace("-", " ")))
            if not words:
                raise PhraseError(f"{phrase!r}: an empty alternative; write [word] for an optional one")
            yield words
            return
        if found[1] not in self._vocabulary:
            raise PhraseError(f"{phrase!r}: there is no word list {{{found[1]}}}")
        for entry in self._vocabulary[found[1]]:
            yield from self._expand(text[: found.start()] + str(entry) + text[found.end() :], phrase)


def _first_words(elements: Iterable[_Element]) -> set[str]:
    """The words with which a match can begin."""
    words: set[str] = set()
    for element in elements:
        words |= element.words | {sequence[0] for sequence in element.sequences}
        if not element.optional:
            break
    return words


def _needs(elements: tuple[_Element, ...]) -> tuple[frozenset[str], ...]:
    """For every word that must be there, the words that it, or the first of it, can be; the most telling first."""
    needs = {
        element.words | {sequence[0] for sequence in element.sequences}
        for element in elements
        if not element.gap and not element.optional
    }
    return tuple(sorted(needs, key=len))
