"""The reader of messages: text in, a Reading out."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import spacy
from spacy.tokens import Span

from backtalk.knowledge import load_phrases
from backtalk.knowledge.model import Relative
from backtalk.knowledge.syntax import PhraseError
from backtalk.language import dating, quantities, weighing
from backtalk.language.assertion import (
    DENIED,
    HYPOTHETICAL,
    OTHER,
    PAST,
    PATIENT,
    PRESENT,
    UNCERTAIN,
    AssertionRules,
    Context,
)
from backtalk.language.findings import Finding
from backtalk.language.meaning import Meaning, Mention, load_meaning
from backtalk.language.people import People, read_people
from backtalk.language.phrases import PhraseMatcher
from backtalk.language.quantities import Duration
from backtalk.language.spelling import Spelling
from backtalk.language.weighing import Weights, load_weights, weigh

HINTS, ANSWERS = "hints", "answers"
ANSWER = "answer"
PROXY = "proxy"
CORRECTION, CHANGE = "correction", "change"
HARMLESS = "harmless"
# Of two findings of one of these kinds, one inside the other, the longer is meant.
EXCLUSIVE_KINDS = ("region", "onset", ANSWER)
# Kinds of findings that say where it is, not what.
PLACES = ("region", "complaint")
LONGEST_READ = 20_000
DURATION, PAIN = "duration", "pain"
# From here on the encoder's word for a duration counts, and below that, its silence.
SURELY, SURELY_NOT = 0.5, 0.1

# Characters that are changed before reading; each stands for exactly one, so that places in the text stay true.
_SAME_LENGTH = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u00b4": "'", "`": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " "}
)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_HYPHEN = re.compile(r"(?<=[A-Za-z])[-/\u2010-\u2015](?=[A-Za-z])")
# spaCy takes minutes over thousands of signs without a space.
_ENDLESS = re.compile(r"\S{80,}")
_SIGN = re.compile(r"[^\w']")
_WORD = re.compile(r"[^\W\d_]{3,}")
_TIGHT_STOP = re.compile(r"(?<=[a-z])\.(?=[A-Za-z]{2})")
_OWN_BODY = re.compile(
    r"\b(?:my (?:\w+ ){0,2}(?:back|neck|spine|shoulders?|shoulder blades?|legs?|arms?|hands?|feet|foot)"
    r"|mine|i (?:have|had|got|am|was|feel|felt|fell|woke|lifted|hurt|can't|cant|cannot|tripped|slipped|did|pulled)"
    r"|i'(?:m|ve) (?!asking|writing|worried|calling|here|his|her)|im (?!asking|writing|worried|calling|here)|ive)\b",
    re.I,
)

# The writer's own, set against somebody else's.
_MINE = re.compile(
    r"\b(?:with|of|got|had) mine\b"
    r"|\bmine(?:'?s| is| has| just| only| started| went| hurts| feels)\b(?! (?:ok|okay|fine)\b)"
    r"|\bmy own (?:back|neck)\b",
    re.I,
)
_THEIR_CHILD = re.compile(
    r"\b(?:my|our) (?:\w+ ){0,2}?(?:\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)[ -]?"
    r"(?:years?|yrs?|months?)[ -]old\b"
    r"|\b(?:my|our) \d{1,2} ?(?:yo|y/o)\b"
    r"|\b(?:my|our) (?:teenage|teen|little|young|small|baby) (?:son|daughter|boy|girl|one)\b",
    re.I,
)
_REFUTED = re.compile(
    r"\b(?:not|isn't|isnt|wasn't|wasnt|rather than|instead of) (?:since |for |from |just |only |about |the )*$", re.I
)
# The writer's own back, and nothing that a helper could say of himself.
_PLAINLY_OWN = re.compile(r"\bmy (?:\w+ ){0,2}(?:back|neck|spine)\b|\b(?:mine|myself)\b|\bfor me\b", re.I)

_NOBODY = People()


@dataclass(frozen=True)
class Reading:
    """What a message says.

    `patient` is "other" where it is about somebody else's back, "self" where it is plainly about the writer's, else
    None; `plainly`: the message says so of the writer's own. `people` are those of whom it speaks. `pain` is 0 to 10
    where the message states it. `choice`: it is little more than numbers; `question`: it asks something. `worded_as`:
    how each finding is worded at its strongest; `mentions`: what the encoder hears.
    """

    findings: tuple[Finding, ...] = ()
    durations: tuple[Duration, ...] = ()
    pain: float | None = None
    numbers: tuple[float, ...] = ()
    ordinals: tuple[int, ...] = ()
    patient: str | None = None
    plainly: bool = False
    people: People = _NOBODY
    question: bool = False
    choice: bool = False
    worded_as: Mapping[str, str] = field(default_factory=dict)
    mentions: Mapping[str, Mention] = field(default_factory=dict)

    def worded(self, finding: str) -> bool:
        """Whether a phrase names a finding, in whatever sense."""
        return finding in self.worded_as

    def asserted(self, finding: str) -> bool:
        """Whether a phrase names it and the words around it leave it asserted, or in doubt."""
        return self.worded_as.get(finding) in (weighing.SAID, weighing.HINTED)

    def meant(self, finding: str) -> bool:
        """Whether the tuned encoder finds it more likely asserted than not."""
        mention = self.mentions.get(finding)
        return mention is not None and mention.present >= 0.5

    @property
    def answer(self) -> str | None:
        """yes, no, unsure, all or skip, where the message answers so."""
        return next((finding.id for finding in self.findings if finding.kind == ANSWER), None)


class Reader:
    """Reads messages with the phrases of the knowledge files; building one takes about a second.

    `phrases` maps kind -> id -> {"phrases": [...], "hints": [...], "answers": [...]}; `vocabulary` maps the name of a
    word list to its words; `rules` are the assertion rules; `standing` are ids of conditions that count although they
    are history; `relatives` are the words for other people. With `meaning`, the tuned encoder, and `weights`, both are
    weighed against each other; without, the wording alone decides. Raises PhraseError for a phrase that cannot be
    compiled.
    """

    def __init__(
        self,
        phrases: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]],
        vocabulary: Mapping[str, Sequence[str]],
        rules: Mapping[str, Any],
        standing: Collection[str] = (),
        meaning: Meaning | None = None,
        weights: Mapping[str, Weights] | None = None,
        relatives: Mapping[str, Relative] = MappingProxyType({}),
    ):
        self._nlp = spacy.blank("en")
        self._meaning, self._weights = meaning, weights or {}
        self._standing = frozenset(standing)
        self._relatives = relatives
        self._matcher = PhraseMatcher(self._nlp, vocabulary)
        for kind, entries in phrases.items():
            for entry_id, wordings in entries.items():
                for strength in ("phrases", HINTS, ANSWERS):
                    try:
                        self._matcher.add(f"{kind}:{entry_id}:{strength}", wordings.get(strength, ()))
                    except PhraseError as error:
                        raise PhraseError(f"{kind} {entry_id}: {error}") from None
        self._assert = AssertionRules(self._nlp, vocabulary, rules)
        self._spelling = Spelling(self._matcher.words | self._assert.words)

    def has_words(self, text: str) -> bool:
        """Whether at least one word of a text can be understood.

        Of a text with a single word, or only short ones, nobody can say that none can.
        """
        words = _WORD.findall(_clean(_plain_signs(text[:LONGEST_READ])).lower())
        return len(words) < 2 or any(self._spelling.knows(word) for word in words)

    def read(self, text: str) -> Reading:
        """Everything the message mentions; of text beyond 20,000 characters only the first part is read."""
        text = _plain_signs(text[:LONGEST_READ])
        mentions = self._meaning.read(text) if self._meaning else {}
        reach = self._meaning.reach(text) if self._meaning else 0
        text = _clean(text)
        doc = self._nlp.make_doc(text)
        for token in doc:
            token.norm_ = self._spelling.repair(token.norm_)
        matched = self._matcher(doc)
        spans = _meaningful(matched)
        mentions = self._without_harmless(mentions, matched, text)
        proxies = any(span.label_.startswith(PROXY) for span in spans)
        spans = [span for span in spans if not span.label_.startswith(PROXY)]
        context = self._assert(doc)
        findings = [self._finding(span, context, text) for span in spans]
        patient = self._patient(findings, proxies, text)
        if patient == OTHER:
            findings = [replace(finding, experiencer=PATIENT) for finding in findings]
        worded_as = _worded_as(findings)
        if self._meaning:
            weighed = weigh(findings, worded_as, mentions, self._weights, text, reach)
            findings = _as_corrected(weighed, findings)
        spans_of_time = quantities.read_durations(text)
        in_report = any(f.kind in PLACES and f.status == PRESENT and not f.weak for f in findings)
        timeless = _blank(text, _places(spans_of_time))
        pain, pain_span = quantities.read_pain(timeless, in_report)
        dated = [d for d in spans_of_time if not _rates_today(d, pain_span, text)]
        durations = dating.of_the_trouble(dated, findings, text, self._standing)
        if self._meaning:
            durations = _meant(durations, dated, mentions.get(DURATION), worded_as.get("sleep") == weighing.SAID)
        if any(finding.id == CHANGE for finding in findings):
            durations = _corrected_durations(durations, dated, text)
        if durations or patient:
            findings = _own_places(findings)
        choice = quantities.is_choice(text)
        level = _meant_pain(pain, mentions.get(PAIN), timeless) if self._meaning and not choice else pain
        rest = timeless if level is None else _blank(timeless, [pain_span])
        return Reading(
            findings=tuple(findings),
            durations=tuple(durations),
            pain=level,
            numbers=tuple(quantities.read_numbers(rest)),
            ordinals=tuple(quantities.read_ordinals(rest)),
            patient=patient,
            plainly=patient == "self" and bool(_PLAINLY_OWN.search(text)),
            people=read_people(text, self._relatives, patient == OTHER),
            choice=choice,
            question="?" in text or context.opens_with_question(),
            worded_as=worded_as,
            mentions=mentions,
        )

    def _without_harmless(
        self, mentions: Mapping[str, Mention], spans: Sequence[Span], text: str
    ) -> Mapping[str, Mention]:
        """What the encoder hears; a finding with a harmless wording of its own, as heard without those words."""
        harmless = [span for span in spans if _kind(span) == HARMLESS and _id(span) in mentions]
        if self._meaning is None or not harmless:
            return mentions
        heard = self._meaning.read(_blank(text, [(span.start_char, span.end_char) for span in harmless]))
        names = {_id(span) for span in harmless}
        return {
            name: heard[name] if name in names else mention
            for name, mention in mentions.items()
            if name not in names or name in heard
        }

    def _finding(self, span: Span, context: Context, text: str) -> Finding:
        kind, entry_id, strength = span.label_.split(":")
        judged = context.judge_place(span) if kind in PLACES else context.judge(span)
        status = judged.status
        if status == PAST and entry_id in self._standing:
            status = PRESENT
        if status == PRESENT and strength == HINTS:
            status = UNCERTAIN
        return Finding(
            kind,
            entry_id,
            text[span.start_char : span.end_char],
            span.start_char,
            span.end_char,
            status,
            judged.experiencer,
            strength == ANSWERS,
        )

    def _patient(self, findings: Sequence[Finding], proxies: bool, text: str) -> str | None:
        """Whose back the message is about, as far as it tells."""
        speaks_of_self = bool(_OWN_BODY.search(text))
        others = any(
            finding.experiencer == OTHER
            and finding.id not in self._standing
            and finding.kind not in (ANSWER, "caution")
            for finding in findings
        )
        proxies = proxies or bool(_THEIR_CHILD.search(text) and not _PLAINLY_OWN.search(text))
        if (proxies or (others and not speaks_of_self)) and not _MINE.search(text):
            return OTHER
        return "self" if speaks_of_self else None


def _meant(
    durations: Sequence[Duration], dated: Sequence[Duration], mention: Mention | None, woke_with_it: bool
) -> list[Duration]:
    """The durations that the encoder too takes for how long the trouble has been going on.

    Those that it alone sees so come in. The day of waking up with it is one whatever the encoder hears.
    """
    if mention is None or mention.mentioned < SURELY_NOT:
        return [d if woke_with_it and d.days <= 1 else replace(d, sure=False) for d in durations]
    if mention.present < SURELY:
        return list(durations)
    touched = [d for d in dated if d.start < mention.end and mention.start < d.end]
    return [replace(duration, sure=True) for duration in touched] or list(durations)


def _corrected_durations(durations: Sequence[Duration], dated: Sequence[Duration], text: str) -> list[Duration]:
    """What a correction dates: "two months, not since yesterday" is two months."""
    named = [d for d in dated if not _REFUTED.search(text[: d.start])]
    return [replace(d, sure=True) for d in named] if len(named) < len(dated) else list(durations)


def _meant_pain(pain: float | None, mention: Mention | None, text: str) -> float | None:
    """The pain level, where the encoder agrees that a number is one; of two ("5 sitting, 8 rising") the worse."""
    if mention is None or mention.mentioned < SURELY_NOT:
        return None
    if mention.present < SURELY:
        return pain
    return max(quantities.read_levels(text, mention.start, mention.end), default=pain)


def _as_corrected(weighed: Sequence[Finding], worded: Sequence[Finding]) -> list[Finding]:
    """The findings, as the words have them where a message corrects something: the encoder knows few of these.

    What is denied in words is denied ("actually I don't take ..."), and of two places one of which is denied ("my
    neck, not my back") the words decide on both.
    """
    places = {finding.status for finding in worded if finding.kind == "region"}
    if {DENIED, PRESENT} <= places:
        weighed = [*(f for f in weighed if f.kind != "region"), *(f for f in worded if f.kind == "region")]
    elif not any(finding.kind == CORRECTION for finding in worded):
        return list(weighed)
    denied = {(finding.id, finding.start) for finding in worded if finding.status == DENIED}
    return [
        replace(f, status=DENIED) if (f.id, f.start) in denied else f for f in sorted(weighed, key=lambda f: f.start)
    ]


def _worded_as(findings: Sequence[Finding]) -> dict[str, str]:
    """How each finding is worded, at its strongest: said, hinted or mentioned without being said."""
    strength = {weighing.NOT_SAID: 0, weighing.HINTED: 1, weighing.SAID: 2}
    worded: dict[str, str] = {}
    for finding in findings:
        if not finding.weak:
            own = {PRESENT: weighing.SAID, UNCERTAIN: weighing.HINTED} if finding.experiencer == PATIENT else {}
            said = own.get(finding.status, weighing.NOT_SAID)
            worded[finding.id] = max(worded.get(finding.id, said), said, key=strength.__getitem__)
    return worded


def _plain_signs(text: str) -> str:
    """The text with typographic variants made plain, every character still in its place."""
    return _CONTROL.sub(" ", text.translate(_SAME_LENGTH))


def _clean(text: str) -> str:
    """The text as the matchers want it, every character still in its place."""
    text = _ENDLESS.sub(lambda match: _SIGN.sub(" ", match.group()), text)
    return _TIGHT_STOP.sub("\n", _HYPHEN.sub(" ", text))


def _blank(text: str, places: Sequence[tuple[int, int]]) -> str:
    for start, end in places:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _meaningful(spans: Sequence[Span]) -> list[Span]:
    """The spans that mean something.

    Left out are the harmless wordings, what these hide, what a longer span of the same kind covers, and one-word
    answers that do not stand at the beginning.
    """

    def is_out_of_place(span: Span) -> bool:
        return _kind(span) == ANSWER and len(span) == 1 and span.start > 1

    rivals: dict[int, list[Span]] = {}
    for span in spans:
        if _kind(span) in (HARMLESS, *EXCLUSIVE_KINDS):
            for position in range(span.start, span.end):
                rivals.setdefault(position, []).append(span)
    return [
        span
        for span in spans
        if _kind(span) != HARMLESS
        and not is_out_of_place(span)
        and not any(
            _hides(other, span) or _outdoes(other, span)
            for position in range(span.start, span.end)
            for other in rivals.get(position, ())
        )
    ]


def _kind(span: Span) -> str:
    return span.label_.split(":")[0]


def _id(span: Span) -> str:
    return span.label_.split(":")[1]


def _hides(harmless: Span, span: Span) -> bool:
    """Whether a harmless wording holds a span, or meets one of the kind that it is about."""
    kind, entry_id, _ = harmless.label_.split(":")
    if kind != HARMLESS:
        return False
    if entry_id == _kind(span):
        return harmless.start < span.end and span.start < harmless.end
    return entry_id == HARMLESS and harmless.start <= span.start and span.end <= harmless.end


def _outdoes(other: Span, span: Span) -> bool:
    """Whether a longer span of the same exclusive kind covers a span."""
    return (
        _kind(other) == _kind(span) in EXCLUSIVE_KINDS
        and len(other) > len(span)
        and other.start <= span.start
        and span.end <= other.end
    )


def _places(durations: Sequence[Duration]) -> list[tuple[int, int]]:
    return [(duration.start, duration.end) for duration in durations]


def _own_places(findings: Sequence[Finding]) -> list[Finding]:
    """The findings of somebody who tells of trouble: places that are only asked about are where it is, if none else."""
    tells = any(f.kind in ("complaint", "onset", "red_flag") for f in findings)
    if not tells or any(f.kind == "region" and f.status == PRESENT for f in findings):
        return list(findings)
    return [
        replace(f, status=PRESENT) if f.kind == "region" and f.status in (HYPOTHETICAL, UNCERTAIN) else f
        for f in findings
    ]


def _rates_today(duration: Duration, pain_span: tuple[int, int], text: str) -> bool:
    """Whether a day only says when the pain is as bad as stated ("8 out of 10 today")."""
    end = pain_span[1]
    return duration.days == 0 and 0 < end <= duration.start and not text[end : duration.start].strip()


@lru_cache(maxsize=1)
def load_reader() -> Reader:
    """The reader of the project's own phrases and tuned encoder, built once.

    Raises ModelFileError, KnowledgeError, PhraseError.
    """
    phrases = load_phrases()
    return Reader(
        phrases.kinds,
        phrases.vocabulary,
        phrases.assertion,
        phrases.standing,
        load_meaning(),
        load_weights(),
        phrases.relatives,
    )


@lru_cache(maxsize=1)
def load_wording_reader() -> Reader:
    """The reader of the project's own phrases alone, built once. Raises KnowledgeError, PhraseError."""
    phrases = load_phrases()
    return Reader(phrases.kinds, phrases.vocabulary, phrases.assertion, phrases.standing)
