"""Messages as the interview and the actions get them: entities as the reader makes them, or as a button does."""

from backtalk.language.entities import to_entities
from backtalk.language.quantities import Duration
from backtalk.language.reader import Finding, Reading

READER = "ClinicalFindings"
BUTTON = "RegexMessageHandler"


def found(kind, entry_id, words=None, **judged):
    """Something that a message mentions; `judged` may hold status, experiencer and weak."""
    words = words or f"my {entry_id}"
    return Finding(kind, entry_id, words, 0, len(words), **judged)


def lasting(days, words="a while", sure=True):
    """A duration that a message mentions."""
    return Duration(days, words, 0, len(words), sure)


def typed(*findings, **quantities):
    """The entities of a typed message; `quantities` are the other fields of a Reading."""
    return to_entities(Reading(findings=findings, **{"choice": True, **quantities}), READER)


def tapped(**values):
    """The entities of a button's payload."""
    return [
        {"entity": name, "value": value, "start": 7, "end": 40, "extractor": BUTTON} for name, value in values.items()
    ]


def as_sent(payload):
    """A payload as Rasa sends it: braces of responses are doubled where they hold no slot."""
    return payload.replace("{{", "{").replace("}}", "}")
