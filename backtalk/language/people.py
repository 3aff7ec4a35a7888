"""Reads of whom a message speaks: the relative, he or she, and how old."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from backtalk.knowledge.model import Relative
from backtalk.language.quantities import read_numbers

_ANYONE = Relative("they")
_SHE = re.compile(r"\b(?:she|her|hers|herself)\b", re.I)
_HE = re.compile(r"\b(?:he|him|his|himself)\b", re.I)
_COUNT = (
    r"(?P<age>\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen"
    r"|seventeen|eighteen)"
)
_OLD = r"\s?-?\s?(?:years?|yrs?|yr|y)[\s-]?(?:old|olds|o|/o)\b|\s?-?yo\b|\s?y/o\b"
_AGE = re.compile(rf"\b{_COUNT}(?:{_OLD})", re.I)
_MONTHS = re.compile(r"\b\d{1,2}\s?-?\s?(?:months?|mths?|weeks?|wks?)[\s-]?old\b|\b(?:newborn|new-born)\b", re.I)
_AGED = re.compile(rf"\b(?:aged?|age is|age:)\s?{_COUNT}\b(?! (?:weeks|days|months|hours))", re.I)
# "He is 12.", "my son's 9 and ...": a number that nothing else follows which it could count.
_IS = re.compile(
    rf"\b(?:is|'s|s|turned|turning|turns|only|just) (?:only |just |about |nearly |almost )?{_COUNT}"
    r"(?=\s*(?:$|[,.;!?)]|and\b|but\b|so\b|who\b|now\b|next\b|years\b))",
    re.I,
)
_OWN = re.compile(
    rf"\b(?:i am|i'm|im|as an?) (?:only |just |a |an )?{_COUNT}"
    r"(?=\s*(?:$|[,.;!?)]|and\b|but\b|so\b|years\b|yrs?\b|yo\b|y/o\b|-year|year))",
    re.I,
)
_SCHOOL = re.compile(
    r"\b(?:primary school|kindergarten|nursery|preschool|pre-school|elementary school|year [1-6]|grade [1-6]"
    r"|reception class)\b",
    re.I,
)
_GROWN = re.compile(r"\b(?:an adult|grown[- ]?up|a grown (?:man|woman)|over 18|over eighteen)\b", re.I)
_SCHOOL_AGE, _GROWN_AGE = 8.0, 18.0


@dataclass(frozen=True)
class People:
    """Of whom a message speaks.

    `relation`: the word for the other person ("mum"), and what it tells; `pronoun`: he or she, where the text says only
    one; `age`: in years, of the writer where `age_is_own`.
    """

    relation: str | None = None
    relative: Relative = _ANYONE
    pronoun: str | None = None
    age: float | None = None
    age_is_own: bool = False


def read_people(text: str, relatives: Mapping[str, Relative], about_another: bool) -> People:
    """The people of a message. `about_another`: the back that it is about is somebody else's."""
    pronoun = _pronoun(text)
    if not about_another:
        own = _own_age(text)
        age = read_age(text) if own is None and pronoun else own
        return People(pronoun=pronoun, age=age, age_is_own=own is not None)
    word = _relation(text, relatives)
    relative = relatives[word] if word else _ANYONE
    if relative.pronoun == "they" and pronoun:
        relative = Relative(pronoun, relative.child)
    return People(word, relative, pronoun, read_age(text))


def read_age(text: str) -> float | None:
    """The age that a message states, in years; below one for months."""
    if _MONTHS.search(text):
        return 0.0
    match = _AGE.search(text) or _AGED.search(text) or _IS.search(text)
    if match:
        return read_numbers(match["age"])[0]
    if _SCHOOL.search(text):
        return _SCHOOL_AGE
    return _GROWN_AGE if _GROWN.search(text) else None


def _own_age(text: str) -> float | None:
    match = _OWN.search(text)
    return read_numbers(match["age"])[0] if match else None


def _relation(text: str, relatives: Mapping[str, Relative]) -> str | None:
    """The first relative whom the text names, "my", "our" or "for a" before it if any has that."""
    words = "|".join(sorted(map(re.escape, relatives), key=len, reverse=True))
    owned = re.search(rf"\b(?:my|our|for a|for the|for her|for his)\W+(?:[\w-]+\W+){{0,4}}?({words})s?\b", text, re.I)
    found = owned or re.search(rf"\b({words})s?\b", text, re.I)
    return found[1].lower() if found else None


def _pronoun(text: str) -> str | None:
    she, he = len(_SHE.findall(text)), len(_HE.findall(text))
    return "she" if she and not he else "he" if he and not she else None
