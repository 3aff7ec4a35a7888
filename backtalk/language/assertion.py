"""Decides for each finding whether it is asserted, and of whom, from the words around it.

The idea is ConText's (Harkema et al. 2009): a modifier such as "no" or "my mum" has a direction and a scope that ends
at a terminator. medspaCy has it too, but importing it costs four seconds and 80 MB a process. Rules are data:
`data/knowledge/phrases/assertion.yml`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span

from backtalk.language.phrases import PhraseMatcher

PRESENT, DENIED, HYPOTHETICAL, PAST, UNCERTAIN = "present", "denied", "hypothetical", "past", "uncertain"
PATIENT, OTHER = "patient", "other"

_SENTENCE_ENDS = {".", "!", "?", ";", "\n", "\n\n"}
_FILLERS = {
    "hi", "hello", "hey", "ok", "okay", "so", "and", "but", "well", "please", "also", "just", "then", ",", "or", "oh",
    "now", "anyway",
}  # fmt: skip
_NEUTRAL, _TERMINATOR, _QUESTION, _FIRST_PERSON = "neutral", "terminator", "question", "first_person"
# Words with which a finding can deny by itself ("no feeling in the foot"). A "no" earlier in the same list belongs to
# another entry then, unless it is a whole "I don't have".
_OWN_NEGATIONS = {"no", "not", "nothing", "never", "can", "cannot", "lost", "without"}
_RELATIVES = {"who", "which", "when", "where"}
_LIST_MARKS = {",", "and", "&", "plus", "also", "then"}
_WHOLE_DENIALS = {"have", "has", "had", "get", "got", "getting", "having", "deny", "denies", "denied", "denying", "out"}
# How many tokens away words still matter; keeps endless sentences quick.
_LONGEST_REACH = 60
# How far a denial reaches a place of the body: "not my neck", but not "no numbness and so on with my low back".
_NEAR = 4


@dataclass(frozen=True)
class Assertion:
    """`status` is present, denied, hypothetical, past or uncertain; `experiencer` is patient or other."""

    status: str = PRESENT
    experiencer: str = PATIENT


@dataclass(frozen=True)
class _Modifier:
    category: str
    direction: str
    span: Span


class AssertionRules:
    """Compiled assertion rules; call it with a Doc and the spans to judge."""

    def __init__(self, nlp: Language, vocabulary: Mapping[str, Sequence[str]], rules: Mapping[str, Any]):
        self._matcher = PhraseMatcher(nlp, vocabulary)
        self._directions: dict[str, str] = {}
        for number, rule in enumerate(rules["modifiers"]):
            label = f"{rule['category']}:{number}"
            self._directions[label] = rule["direction"]
            self._matcher.add(label, rule["phrases"])
        self._passes: dict[str, frozenset[str]] = {}
        for number, rule in enumerate(rules["terminators"]):
            label = f"{_TERMINATOR}:{number}"
            self._passes[label] = frozenset(rule.get("not_for", ()))
            self._matcher.add(label, rule["phrases"])
        for label in (_NEUTRAL, _QUESTION, _FIRST_PERSON):
            self._matcher.add(label, rules[label])

    @property
    def words(self) -> set[str]:
        """Every word that the rules mention."""
        return self._matcher.words

    def __call__(self, doc: Doc) -> "Context":
        """The context in which the findings of a message are to be judged."""
        return Context(doc, self._matcher(doc), self._directions, self._passes)


class Context:
    """The modifiers, terminators and questions of one message."""

    def __init__(
        self,
        doc: Doc,
        matches: Sequence[Span],
        directions: Mapping[str, str],
        passes: Mapping[str, Collection[str]],
    ):
        self._doc = doc
        self._ends = [token.i for token in doc if token.text in _SENTENCE_ENDS]
        neutral = _Nearby([span for span in matches if span.label_ == _NEUTRAL])
        self._modifiers = _Nearby(
            [
                span
                for span in matches
                if span.label_ in directions
                and not any(_overlap(span, other) and len(other) > len(span) for other in neutral.to(span))
            ]
        )
        self._directions = directions
        self._terminators = _Nearby([span for span in matches if span.label_ in passes])
        self._passes = passes
        self._questions = [span for span in matches if span.label_ == _QUESTION and not _tells(span)]
        self._nearby_questions = _Nearby(self._questions)
        self._first_person = {token.i for span in matches if span.label_ == _FIRST_PERSON for token in span}

    def opens_with_question(self) -> bool:
        """Whether a question opens the message or one of its sentences."""
        return any(
            question.start == 0 or self._doc[question.start - 1].text in _SENTENCE_ENDS for question in self._questions
        )

    def judge(self, span: Span) -> Assertion:
        """Whether what a finding's span says is asserted."""
        return self._judge(span, {m.category for m in self._reaching(span)})

    def judge_place(self, span: Span) -> Assertion:
        """The same for a place of the body, which lists and guesses around it do not touch.

        A modifier ends at a comma, only a near one denies, and where it may be is where it is.
        """
        categories = {m.category for m in self._reaching(span) if self._touches(m, span)}
        return self._judge(span, categories - {UNCERTAIN})

    def _reaching(self, span: Span) -> list[_Modifier]:
        """The modifiers in whose scope a span stands."""
        modifiers = (
            _Modifier(near.label_.split(":")[0], self._directions[near.label_], near)
            for near in self._modifiers.to(span)
        )
        return [modifier for modifier in modifiers if self._reaches(modifier, span)]

    def _judge(self, span: Span, categories: set[str]) -> Assertion:
        experiencer = OTHER if OTHER in categories else PATIENT
        status = next((c for c in (DENIED, HYPOTHETICAL, PAST, UNCERTAIN) if c in categories), None)
        if status == HYPOTHETICAL and self._is_personal(span):
            status = UNCERTAIN
        return Assertion(status or self._asked_about(span) or PRESENT, experiencer)

    def _reaches(self, modifier: _Modifier, span: Span) -> bool:
        if modifier.span.start < span.start:
            return (
                modifier.direction in ("forward", "both")
                and not (modifier.category == DENIED and self._denies_another(modifier, span))
                and self._open_between(modifier.span.end, span.start, modifier, span)
            )
        return (
            modifier.span.start >= span.end
            and modifier.direction in ("backward", "both")
            and self._open_between(span.end, modifier.span.start, modifier, span)
        )

    def _touches(self, modifier: _Modifier, span: Span) -> bool:
        """Whether a modifier and a place of the body stand in the same part of a sentence, near if it is a denial."""
        start, end = sorted((modifier.span, span), key=lambda s: s.start)
        between = self._doc[min(start.end, end.start) : end.start]
        if modifier.category == DENIED and len(between) > _NEAR:
            return False
        return modifier.category == OTHER or not any(token.text == "," for token in between)

    def _denies_another(self, modifier: _Modifier, span: Span) -> bool:
        """Whether a denial belongs to an earlier entry of a list in which the finding brings its own."""
        between = self._doc[modifier.span.end : max(span.start, modifier.span.end)]
        return (
            span[0].norm_ in _OWN_NEGATIONS
            and modifier.span[-1].norm_ not in _WHOLE_DENIALS
            and any(token.norm_ in _LIST_MARKS for token in between)
        )

    def _open_between(self, start: int, end: int, modifier: _Modifier, target: Span) -> bool:
        """Whether no sentence end and no terminator of the modifier's category stands between two token positions."""
        if self._sentence_end(start) < end:
            return False
        return not any(
            modifier.category not in self._passes[span.label_]
            and start <= span.start < end
            and not _overlap(span, target)
            and not _overlap(span, modifier.span)
            for span in self._terminators.to(target)
        )

    def _asked_about(self, span: Span) -> str | None:
        """HYPOTHETICAL inside a question, UNCERTAIN inside one about the visitor's own body, else None."""
        start, end = self._clause(span)
        sentence_end = self._sentence_end(span.end)
        questions = self._nearby_questions.to(span)
        opened = any(self._opens(question, start) and question.start < span.start for question in questions)
        ends_in_mark = (
            end >= sentence_end < len(self._doc)
            and self._doc[sentence_end].text == "?"
            and not any(end <= question.start < sentence_end for question in questions)
        )
        if not opened and not ends_in_mark:
            return None
        return UNCERTAIN if self._is_personal(span) else HYPOTHETICAL

    def _opens(self, question: Span, start: int) -> bool:
        """Whether nothing but filler words stands before a question in its clause."""
        return start <= question.start and all(token.norm_ in _FILLERS for token in self._doc[start : question.start])

    def _is_personal(self, span: Span) -> bool:
        start, end = self._clause(span)
        return any(token.i in self._first_person for token in self._doc[start:end])

    def _sentence_end(self, position: int) -> int:
        """The position of the next sentence end, or behind the last token."""
        following = bisect_left(self._ends, position)
        return self._ends[following] if following < len(self._ends) else len(self._doc)

    def _clause(self, span: Span) -> tuple[int, int]:
        """Token positions of the clause around a span.

        It stands between sentence ends and terminators, of which a mere "my" or "I" is none.
        """
        before = bisect_left(self._ends, span.start)
        cuts = [
            cut.start
            for cut in self._terminators.to(span)
            if not _overlap(cut, span) and not all(token.i in self._first_person for token in cut)
        ]
        start = max((cut for cut in cuts if cut <= span.start), default=0)
        end = min((cut for cut in cuts if cut >= span.end), default=len(self._doc))
        return max(start, self._ends[before - 1] + 1 if before else 0), min(end, self._sentence_end(span.end))


class _Nearby:
    """Spans, of which those are asked for that stand near another."""

    def __init__(self, spans: Sequence[Span]):
        self._spans = sorted(spans, key=lambda span: span.start)
        self._starts = [span.start for span in self._spans]

    def to(self, span: Span) -> list[Span]:
        """The spans that begin within reach of a span."""
        first = bisect_left(self._starts, span.start - _LONGEST_REACH)
        return self._spans[first : bisect_right(self._starts, span.end + _LONGEST_REACH)]


def _tells(question: Span) -> bool:
    """Whether what looks like a question is none: "did a spin class", or a clause as in "my mother, who is 71"."""
    before = question.doc[max(0, question.start - 2) : question.start]
    is_relative = len(before) == 2 and before[1].text == "," and before[0].norm_ not in _FILLERS
    return question[0].lower_ == "did" or (is_relative and question[0].norm_ in _RELATIVES)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
