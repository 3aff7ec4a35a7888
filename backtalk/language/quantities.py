"""Reads how long it has been going on, and numbers, from a message."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

_COUNTING = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_NUMBERS = (
    {word: number for number, word in enumerate(_COUNTING)}
    | _TENS
    | {f"{ten} {_COUNTING[one]}": number + one for ten, number in _TENS.items() for one in range(1, 10)}
    | {"a": 1, "an": 1, "couple": 2, "few": 3, "several": 5, "half": 0.5, "nought": 0, "dozen": 12}
)
_ORDINALS = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "fifth": 5, "5th": 5,
    "sixth": 6, "6th": 6, "seventh": 7, "7th": 7, "eighth": 8, "8th": 8, "ninth": 9, "9th": 9, "last": -1,
    "top one": 1, "bottom one": -1,
}  # fmt: skip
_UNITS: dict[str, float] = {
    "second": 0, "sec": 0, "minute": 0, "min": 0, "hour": 1 / 24, "hr": 1 / 24, "day": 1, "night": 1, "morning": 1,
    "week": 7, "wk": 7, "fortnight": 14, "month": 30, "mth": 30, "mnth": 30, "year": 365, "yr": 365, "decade": 3650,
    # frequent slips of the finger
    "dya": 1, "dasy": 1, "wek": 7, "weke": 7, "weeek": 7, "motnh": 30, "mont": 30, "monht": 30, "yaer": 365,
}  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
# How many characters around an amount tell what it is of.
_NEARBY = 60
# What "for months" may mean at the least, in days.
_VAGUE = {
    "hours": 0, "days": 3, "weeks": 21, "months": 90, "years": 730, "decades": 3650, "ages": 90, "yonks": 365,
    "forever": 730,
}  # fmt: skip
_NAMED: dict[str, float | str] = {
    r"(?:earlier )?today|tonight|just now|(?:this|since) (?:very )?(?:morning|afternoon|evening|lunchtime)"
    r"|an hour or (?:so|two)|lunchtime"
    r"|since (?:breakfast|elevenses|lunch|dinner|tea|supper|tea ?time|noon|midday|midnight|dawn|sunrise)": 0,
    r"last nite|lastnight|yesterday|yest|yday|yesturday|yestaday|yesterdy|ystrday|yersterday|last night"
    r"|(?:the )?night before last|overnight": 1,
    r"(?:the )?day before yesterday": 2,
    r"the other day": 3,
    r"(?:since |last |the )+weekend": "weekend",
    r"(?:last|past) week|(?:all|the whole|this whole|whole) week": 7,
    r"(?:last|past) fortnight": 14,
    r"(?:last|past) month|(?:all|whole) month": 30,
    r"last year": 365,
    r"(?:best|better|most|greater) (?:part )?of (?:a|the|this) year": 300,
    r"(?:best|better|most|greater) (?:part )?of (?:a|the|this) month": 25,
    r"(?:best|better|most|greater) (?:part )?of (?:a|the|this) week": 5,
    r"since (?:about |around |just |before |after )*(?:xmas|christmas)(?: eve| day)?|since boxing day": "christmas",
    r"since (?:about |around |just |before |after )*(?:the )?new year(?:'?s)?(?: eve| day)?": "new year",
    r"since (?:about |around |just |before |after )*easter": "easter",
    r"since (?:about |around |just |before |after )*halloween": "halloween",
    r"since (?:about |around |just |before |after )*(?:bonfire|guy fawkes) night": "bonfire night",
    r"since (?:about |around |just |before |after )*thanksgiving": "thanksgiving",
}
# Month and day; the moveable ones near enough for how long a back has hurt.
_FEASTS = {
    "christmas": (12, 25),
    "new year": (1, 1),
    "easter": (4, 10),
    "halloween": (10, 31),
    "bonfire night": (11, 5),
    "thanksgiving": (11, 25),
}

_number = "|".join(sorted(_NUMBERS, key=len, reverse=True))
_unit = "|".join(sorted(_UNITS, key=len, reverse=True))
_AMOUNT = re.compile(
    rf"\b(?:(?P<digits>\d+(?:\.\d+)?)|(?P<word>{_number}))(?P<half> and a half)?(?: of)?"
    rf"(?: (?:or|to) (?:\d+|{_number}))?"
    rf"(?:\s?-\s?\d+)?(?: (?:whole|full|long|solid|good|odd|or so|more))?\s?(?P<unit>{_unit})s?(?:\b|(?=ish))"
    r"(?P<more> and a half)?"
)
_PAIR = re.compile(rf"\ba (?P<word>couple|few)(?: of)? (?P<unit>{_unit})s?\b")
_PLURAL = re.compile(
    r"\b(?:for|in|been|since|it s been|its been) (?:many |so many |some |absolute )?(?P<vague>"
    + "|".join(_VAGUE)
    + r")\b"
)
_NAMED_DAY = re.compile("|".join(rf"\b(?P<n{i}>{pattern})\b" for i, pattern in enumerate(_NAMED)))
# Frequent slips of the finger and of the ear.
_SLIPS = {
    "mondy": "monday", "munday": "monday", "modnay": "monday", "tuseday": "tuesday", "tusday": "tuesday",
    "teusday": "tuesday", "wensday": "wednesday", "wendsday": "wednesday", "wedensday": "wednesday",
    "wednsday": "wednesday", "thrusday": "thursday", "thusday": "thursday", "thurday": "thursday",
    "tursday": "thursday", "firday": "friday", "fridy": "friday", "firdy": "friday", "satruday": "saturday",
    "saterday": "saturday", "satday": "saturday", "saturdy": "saturday", "sudnay": "sunday", "sundy": "sunday",
    "sunady": "sunday",
}  # fmt: skip
_WEEKDAY = re.compile(
    r"\b(?:since|on|last|this|from)? ?"
    r"(?:(?P<day>mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?|(?P<slip>"
    + "|".join(_SLIPS)
    + r"))(?: (?:night|morning|afternoon|evening))?\b"
)
_NTH = {
    "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "fifth": 5, "5th": 5, "sixth": 6, "6th": 6,
    "seventh": 7,
}  # fmt: skip
_DAY_OF_IT = re.compile(
    rf"\bday (?P<digits>\d{{1,2}}|{_number})\b"
    rf"|\b(?P<nth>{'|'.join(_NTH)}) (?P<unit>day|night|week|month) (?:now|of (?:it|this)|in a row|running)\b"
)
_MONTH = re.compile(
    r"\b(?P<how>since|in|from) (?:last |early |late |mid |about |around )?(?P<month>"
    + "|".join(f"{m[:3]}(?:{m[3:]})?" if m != "may" else m for m in _MONTHS)
    + r")\b"
)
_YEAR = re.compile(r"\bsince (?:about |around |early |late )?(?P<year>(?:19|20)\d\d)\b")
# An amount of time that is an age, a rhythm, a journey or a pregnancy says nothing of the spasm.
_NOT_A_DURATION = re.compile(
    r"^(?:\W*(?:old|pregnant|along|gone|drive|flight|shift|commute|journey|at a time|at my desk|at a desk"
    r"|of driving|of sitting|of gaming|in the car|gestation|of sleep|apart|on my feet|run|ride|walk|time\b)"
    r"|\W*into (?:the|my) (?:pregnancy|second|third))"
)
_RHYTHM = re.compile(
    r"\b(?:every|per|each|times an?|once an?|twice an?|times|once|twice|hours|hrs|days|nights|lasts?|lasting|in|within"
    r"|due in|aged?)\s(?:about |the |like )?$"
)
_STRONG = re.compile(
    r"(?:for|since|past|last|over|about|around|roughly|been|now|almost|nearly|on and off)\s"
    r"(?:the |about |like |maybe |a |past |last )*$"
)
_SINCE_THEN = re.compile(
    r"\W*(?:ago|back|now|already|since|so far|running|straight|on the trot|in a row|and counting"
    r"|(?:of|with) (?:this|it|pain))\b"
)
# "fourteen days exactly today": the day is no date of its own.
_UP_TO_NOW = re.compile(r"(?: (?:exactly |now |already |ago )?today\b)?")
_TEN = re.compile(
    rf"\b(?P<level>10|\d(?:\.\d)?|{_number})(?:\s?(?:-|to|or)\s?(?P<upper>10|\d|{_number}))?(?:\s?ish)?"
    rf"\s?(?:/|out ?of|outta|outof|of|from|on|over)\s?(?:a |a possible )?(?:10|ten)\b(?! (?:{_unit}))"
)
# The ends of the scale are no levels.
_SCALE = re.compile(
    r"(?<=\d)\s?/\s?10\b|\bout ?(?:of|t?a) (?:a |a possible )?(?:10|ten)\b"
    r"|\b(?:0|1|zero|one|nought)\s?(?:to|-)\s?(?:10|ten)\b"
)
_level = rf"(?P<level>10|\d(?:\.\d)?|{'|'.join(_COUNTING[:11])}|nought)(?:ish)?"
_roughly = (
    r"(?:is |at |of |as |to |it |like |about |around |roughly |maybe |probably |a |an |solid |good |steady |say |only "
    r"|just )*"
)
# Not "6 weeks", "5 a side", "4 kids": what is rated stands alone.
_RATED_END = (
    r"(?=\s*(?:[.,;:!?)\n]|$)"
    r"|\s(?:on|at|when|most|now|today|right|and|or|but|maybe|if|out|for me|with|while|i|it|all|by)\b)"
)
_PAIN = re.compile(
    rf"\b(?:pain|hurts?|hurting|scale|level|score)(?: \w+){{0,3}}?\s?[:=]?\s?{_roughly}"
    rf"(?<!\d )(?<!\d/){_level}(?!\s?(?:{_unit}|%|\d|year))\b"
    r"|\b(?P<none>0|zero) pain\b"
)
_RATING = re.compile(
    r"\b(?:rat(?:e|es|ed|ing)|puts?|call|calls|calling|scores?|scored|giv(?:e|es|ing)|says?|said|reckons?|at|about"
    r"|around|roughly|maybe|probably|(?:it|that)(?: i|')?s|is) (?:this |that |them |his |her |my |back |neck )*"
    rf"{_roughly}{_level}{_RATED_END}"
    r"|\b(?:a|an) (?:solid |good |steady |strong |constant |low |high |firm )?"
    rf"{_level.replace('level', 'noun')}{_RATED_END}"
)
_ALONE = re.compile(
    rf"(?:^|(?<!\d)[.,;:!?\n(]|\s-)\s*(?:and |so |about |around |maybe |roughly |probably |say |a |an |solid )*{_level}"
    r"(?=\s*(?:[.,;!?\n)]|$))"
)
_PLAIN_NUMBER = re.compile(
    rf"(?<![\w.])(?P<digits>\d+(?:\.\d+)?)(?:ish)?(?![\w%]|\.\d)|\b(?P<word>{_number})(?:ish)?\b"
)
_ORDINAL = re.compile(r"\b(" + "|".join(_ORDINALS) + r")\b(?! (?:week|month|year|night|day|time|trimester|few))")
# What a message may have besides numbers and is still little more than these.
_AROUND_A_CHOICE = {
    "the", "one", "ones", "and", "number", "numbers", "nr", "just", "only", "both", "also", "plus", "i", "have",
    "got", "had", "yes", "yeah", "it", "is", "its", "that", "would", "be", "option", "item", "on", "of", "list", "a",
    "an", "or", "st", "nd", "rd", "th", "please", "ish", "about", "around", "maybe", "say", "unfortunately", "sadly",
    "sorry", "afraid", "thing",
}  # fmt: skip


@dataclass(frozen=True)
class Duration:
    """How long ago it began: `days` (0 is today), the words, and whether they can hardly mean anything else."""

    days: float
    said: str
    start: int
    end: int
    sure: bool


def read_durations(text: str, today: date | None = None) -> list[Duration]:
    """Every statement of a time span in a message, in the order of the text."""
    today = today or date.today()
    lowered = text.lower()
    found = list(_amounts(lowered)) + list(_named(lowered, today))
    kept: list[Duration] = []
    taken: set[int] = set()
    for duration in sorted(found, key=lambda d: d.start - d.end):
        if taken.isdisjoint(range(duration.start, duration.end)):
            taken.update(range(duration.start, duration.end))
            kept.append(duration)
    return [
        Duration(d.days, text[d.start : d.end].strip(), d.start, d.end, d.sure)
        for d in sorted(kept, key=lambda d: d.start)
    ]


def days_since(when: str, today: date) -> float:
    """The days since a moment as the corpus writes it.

    That is a number of days, a weekday, "weekend", a feast, a month or a year.
    """
    if when == "weekend":
        return float((today.weekday() - 5) % 7 or 7)
    if when in _WEEKDAYS:
        return float((today.weekday() - _WEEKDAYS.index(when)) % 7 or 7)
    if when in _FEASTS:
        month, day = _FEASTS[when]
        return float((today - date(today.year - ((month, day) > (today.month, today.day)), month, day)).days)
    if when in _MONTHS:
        month = _MONTHS.index(when) + 1
        return float((today - date(today.year - (month > today.month), month, 1)).days)
    if re.fullmatch(r"(?:19|20)\d\d", when):
        return float((today - date(int(when), 1, 1)).days)
    return float(when)


def _amounts(text: str) -> Iterator[Duration]:
    for pattern in (_AMOUNT, _PAIR):
        for match in pattern.finditer(text):
            before = text[max(0, match.start() - _NEARBY) : match.start()]
            after = text[match.end() : match.end() + _NEARBY]
            if _NOT_A_DURATION.match(after) or _RHYTHM.search(before):
                continue
            groups = match.groupdict()
            amount = float(groups["digits"]) if groups.get("digits") else _NUMBERS[groups["word"]]
            amount += 0.5 if groups.get("half") or groups.get("more") else 0
            days = round(amount * _UNITS[groups["unit"]], 2)
            up_to_now = _UP_TO_NOW.match(after)
            end = match.end() + (up_to_now.end() if up_to_now else 0)
            sure = end > match.end() or bool(_STRONG.search(before)) or bool(_SINCE_THEN.match(after))
            yield Duration(float(int(days)) if days < 1 else days, "", match.start(), end, sure)
    for match in _PLURAL.finditer(text):
        yield Duration(_VAGUE[match["vague"]], "", match.start(), match.end(), True)


def _named(text: str, today: date) -> Iterator[Duration]:
    for match in _DAY_OF_IT.finditer(text):
        days = _value(match["digits"]) if match["digits"] else _NTH[match["nth"]] * _UNITS[match["unit"]]
        yield Duration(float(days), "", match.start(), match.end(), True)
    for match in _NAMED_DAY.finditer(text):
        when = list(_NAMED.values())[next(i for i in range(len(_NAMED)) if match[f"n{i}"])]
        days = days_since(when, today) if isinstance(when, str) else when
        yield Duration(float(days), "", match.start(), match.end(), True)
    for match in _WEEKDAY.finditer(text):
        word = match.group().strip()
        if word in ("sat", "sun", "fri", "mon", "wed", "thu"):
            continue
        weekday = _SLIPS.get(match["slip"]) or next(name for name in _WEEKDAYS if name.startswith(match["day"][:3]))
        yield Duration(days_since(weekday, today), "", match.start(), match.end(), True)
    for match in _MONTH.finditer(text):
        month = next(name for name in _MONTHS if name.startswith(match["month"][:3]))
        yield Duration(days_since(month, today), "", match.start(), match.end(), match["how"] == "since")
    for match in _YEAR.finditer(text):
        if int(match["year"]) <= today.year:
            yield Duration(days_since(match["year"], today), "", match.start(), match.end(), True)


def read_pain(text: str, in_report: bool = False) -> tuple[float | None, tuple[int, int]]:
    """A pain level from 0 to 10 said as such ("7/10", "pain is about six"), with its place in the text.

    `in_report`: the message tells of the trouble, so that a rating ("she says a six") and a number that stands alone
    ("lower back, eight.") are levels too.
    """
    lowered = text.lower()
    match = _TEN.search(lowered) or _PAIN.search(lowered)
    if not match and in_report:
        match = _RATING.search(lowered) or _only(list(_ALONE.finditer(lowered)))
    if not match:
        return None, (0, 0)
    said = next(value for name, value in match.groupdict().items() if value and name != "upper")
    return (_value(said), match.span()) if 0 <= _value(said) <= 10 else (None, (0, 0))


def _only(matches: list[re.Match[str]]) -> re.Match[str] | None:
    return matches[0] if len(matches) == 1 else None


def read_levels(text: str, start: int, end: int) -> list[float]:
    """The pain levels, 0 to 10, of a place that speaks of nothing else: "5 sitting, 8/10 standing" has 5 and 8."""
    without_scale = _SCALE.sub(lambda match: " " * len(match.group()), text.lower())
    return [number for number in read_numbers(without_scale[start:end]) if number <= 10]


def read_numbers(text: str) -> list[float]:
    """The plain numbers of a message, in its order: answers such as "7", "about a six", "1 and 4"."""
    # "The second one", "the left one": a word for a thing, not the number.
    lowered = re.sub(r"(?<=\w )one\b(?! and| or|,)|^one (?=leg|of)", "", text.lower())
    articles = ("a", "an", "couple", "few", "several", "half", "dozen")
    numbers = [_value(m["digits"] or m["word"]) for m in _PLAIN_NUMBER.finditer(lowered) if m.group() not in articles]
    return [number for number in numbers if number <= 100]


def read_ordinals(text: str) -> list[int]:
    """Places in a list that a message names: "the second one" is [2], "last" is [-1]."""
    return [_ORDINALS[word] for word in _ORDINAL.findall(text.lower())]


def is_choice(text: str) -> bool:
    """Whether a message is little more than numbers or places in a list: "1 and 4", "just the second one"."""
    rest = _ORDINAL.sub(" ", _PLAIN_NUMBER.sub(" ", text.lower()))
    return not set(re.findall(r"[a-z]+", rest)) - _AROUND_A_CHOICE


def _value(text: str) -> float:
    return float(_NUMBERS[text]) if text in _NUMBERS else float(text)
