"""Words for the person who reads them. Pure functions; imports no Rasa.

Texts in `data/` hold `{emergency_number}` and other settings, and `[have you|has he]`: left what is said to the person
whose back it is, right what is said to somebody who writes for another. On the right "he", "him" and "his" stand for
whoever it is; they become "she" or "they" where that fits.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_CHOICE = re.compile(r"\[([^\[\]|]*)\|([^\[\]|]*)\]")
_WHOLE_NUMBER = re.compile(r"\+?[0-9][0-9 ]{0,13}[0-9]")
_NUMBER = re.compile(r"\+?\d[\d ]*\d")
_PRONOUN = re.compile(r"\b(he|him|his|himself)\b", re.I)
_FORMS = {
    "she": {"he": "she", "him": "her", "his": "her", "himself": "herself"},
    "they": {"he": "they", "him": "them", "his": "their", "himself": "themselves"},
}
# "Has he" is "have they"; so is the verb behind it ("he needs").
_SINGULAR = {
    "has": "have",
    "is": "are",
    "does": "do",
    "was": "were",
    "wants": "want",
    "needs": "need",
    "takes": "take",
    "bends": "bend",
    "matters": "matter",
}
_VERB_OF_THEM = re.compile(rf"\b({'|'.join(_SINGULAR)}) (?=they\b)|(?<=\bthey )({'|'.join(_SINGULAR)})\b", re.I)


@dataclass(frozen=True)
class Audience:
    """Whom a text is for.

    `pronoun` is you, or he, she or they where somebody writes for another; `settings` fill the gaps.
    """

    settings: Mapping[str, str]
    pronoun: str = "you"

    def text(self, text: str) -> str:
        """The text for this audience."""
        return fill(personal(text, self.pronoun), self.settings)


def personal(text: str, pronoun: str) -> str:
    """The text with one side of every `[have you|has he]`."""
    return _CHOICE.sub(lambda match: match[1] if pronoun == "you" else _of_another(match[2], pronoun), text)


def fill(text: str, settings: Mapping[str, str]) -> str:
    """The text with the settings in place of their names, such as `{emergency_number}`."""
    for name, value in settings.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def is_telephone_number(text: str) -> bool:
    """Whether a text is a telephone number: 2 to 15 digits and spaces, perhaps behind a plus."""
    return bool(_WHOLE_NUMBER.fullmatch(text))


def dialable(text: str) -> tuple[str, ...]:
    """The telephone numbers that a text names ("112 or 999", "Samaritans on 116 123")."""
    return tuple(_NUMBER.findall(text))


def listed(names: Iterable[str], conjunction: str = "and") -> str:
    """The names as one would say them: "a", "a and b", "a, b and c"."""
    *most, last = names
    return f"{', '.join(most)} {conjunction} {last}" if most else last


def upper(text: str) -> str:
    """The text with a capital first."""
    return text[:1].upper() + text[1:]


def lower(text: str) -> str:
    """The text with a small letter first, unless its first word is a name or in capitals."""
    return text[0].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def days_in_words(days: float | None) -> str:
    """How long something has been going on."""
    if days is None:
        return "not known"
    return "since today" if days < 1 else f"about {days:g} day{'' if days == 1 else 's'}"


def quoted(words: str | None) -> str:
    """Somebody's words in quotation marks."""
    return f"“{words or ''}”"


def _of_another(text: str, pronoun: str) -> str:
    forms = _FORMS.get(pronoun)
    if not forms:
        return text
    text = _PRONOUN.sub(lambda match: _as_spelt(forms[match[1].lower()], match[1]), text)
    return _VERB_OF_THEM.sub(_plural, text) if pronoun == "they" else text


def _plural(match: re.Match[str]) -> str:
    singular = match[1] or match[2]
    return _as_spelt(_SINGULAR[singular.lower()], singular) + (" " if match[1] else "")


def _as_spelt(word: str, like: str) -> str:
    return upper(word) if like[:1].isupper() else word
