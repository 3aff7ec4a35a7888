"""The entities that a Reading becomes, so that whoever reads the tracker later finds them under one name."""

from typing import Any

from backtalk.language.reader import Reading

# The names of all entities.
KINDS = (
    "region", "onset", "red_flag", "caution", "sign", "complaint", "severity", "duration", "pain_level", "number",
    "ordinal", "answer", "correction", "patient", "pronoun", "age", "question",
)  # fmt: skip


def to_entities(reading: Reading, extractor: str) -> list[dict[str, Any]]:
    """Rasa entities for a reading.

    Besides Rasa's own keys a finding carries `said` (the visitor's words), `status` and `experiencer`
    (see `backtalk.language.assertion`), `weak` where it counts only as an answer, and `worded` where a phrase names it.
    """
    entities: list[dict[str, Any]] = [
        {
            "entity": finding.kind,
            "value": finding.id,
            "start": finding.start,
            "end": finding.end,
            "said": finding.said,
            "status": finding.status,
            "experiencer": finding.experiencer,
            "weak": finding.weak,
            "worded": reading.worded(finding.id) or finding.weak,
            "extractor": extractor,
        }
        for finding in reading.findings
    ]
    entities += [
        {
            "entity": "duration",
            "value": duration.days,
            "start": duration.start,
            "end": duration.end,
            "said": duration.said,
            "weak": not duration.sure,
            "extractor": extractor,
        }
        for duration in reading.durations
    ]
    if reading.pain is not None:
        entities.append({"entity": "pain_level", "value": reading.pain, "extractor": extractor})
    for name, values in (("number", reading.numbers), ("ordinal", reading.ordinals)):
        entities += [
            {"entity": name, "value": value, "weak": not reading.choice, "extractor": extractor} for value in values
        ]
    people = reading.people
    if reading.patient == "other":
        entities.append(
            {
                "entity": "patient",
                "value": "other",
                "relation": people.relation,
                "pronoun": people.relative.pronoun,
                "child": people.relative.child,
                "extractor": extractor,
            }
        )
    elif reading.patient:
        own = {"entity": "patient", "value": reading.patient, "plain": reading.plainly, "extractor": extractor}
        entities.append(own)
    if people.pronoun:
        entities.append({"entity": "pronoun", "value": people.pronoun, "extractor": extractor})
    if people.age is not None:
        of = "self" if people.age_is_own else "other"
        entities.append({"entity": "age", "value": people.age, "of": of, "extractor": extractor})
    if reading.question:
        entities.append({"entity": "question", "value": True, "extractor": extractor})
    return entities
