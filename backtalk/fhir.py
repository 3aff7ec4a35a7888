"""The summary as a FHIR R4 QuestionnaireResponse, built and checked by fhir.resources. Imports no Rasa.

FHIR R4B, which the library names here, left QuestionnaireResponse as it was in R4.
"""

import json
from datetime import timezone
from typing import Any

from backtalk.interview import AGE, Interview, entry
from backtalk.knowledge import Knowledge
from backtalk.summary import Summary

QUESTIONNAIRE = "urn:backtalk:spasm_assessment"
SYSTEM = "urn:backtalk"
UNITS = "http://unitsofmeasure.org"


def questionnaire_response(
    summary: Summary, interview: Interview, knowledge: Knowledge, is_complete: bool
) -> dict[str, Any]:
    """The resource as JSON values. Raises ValueError (pydantic) where it is not valid FHIR."""
    # Imported here because it takes half a second and few conversations ask for it.
    from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

    items = [*_answers(summary, interview, knowledge), *_conditions(summary, interview, knowledge)]
    if summary.urgency:
        outcome = interview.outcome(knowledge)
        items.append(_item("urgency", "Urgency advised", _coding("urgency", outcome.urgency, summary.urgency)))
    if summary.advice:
        items.append(_item("advice", "What the chatbot advised", *({"valueString": text} for text in summary.advice)))
    resource = QuestionnaireResponse.model_validate(
        {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": QUESTIONNAIRE,
            "status": "completed" if is_complete else "in-progress",
            "authored": summary.written.astimezone(timezone.utc).isoformat(timespec="seconds"),
            "source": {"display": summary.patient},
            **({"item": items} if items else {}),
        }
    )
    content: dict[str, Any] = json.loads(resource.model_dump_json())
    return content


def _answers(summary: Summary, interview: Interview, knowledge: Knowledge) -> list[dict[str, Any]]:
    lines = {line.id: line for line in summary.answers}
    items = []
    if "regions" in lines:
        codes = [_coding("regions", region, knowledge.regions[region].name) for region in interview.regions or ()]
        items.append(_item("regions", lines["regions"].what, *codes, said=lines["regions"].said))
    if "onset" in lines:
        code = _coding("onset", str(interview.onset), lines["onset"].value)
        items.append(_item("onset", lines["onset"].what, code, said=lines["onset"].said))
    if "duration" in lines:
        days = {"valueQuantity": {"value": interview.duration_days, "unit": "days", "system": UNITS, "code": "d"}}
        items.append(_item("duration", lines["duration"].what, days, said=lines["duration"].said))
    if "pain_level" in lines:
        items.append(_item("pain_level", lines["pain_level"].what, {"valueDecimal": interview.pain_level}))
    if AGE in lines:
        years = {"valueQuantity": {"value": interview.age, "unit": "years", "system": UNITS, "code": "a"}}
        items.append(_item(AGE, lines[AGE].what, years))
    return items


def _conditions(summary: Summary, interview: Interview, knowledge: Knowledge) -> list[dict[str, Any]]:
    """One yes or no for each sign and condition that was told or ruled out."""
    told = [*((line, True) for line in summary.present), *((line, False) for line in summary.ruled_out)]
    return [
        _item(line.id, entry(line.id, knowledge).name, {"valueBoolean": answer}, said=line.said)
        for line, answer in told
    ]


def _item(link_id: str, text: str, *answers: dict[str, Any], said: str | None = None) -> dict[str, Any]:
    answers = tuple({**answer} for answer in answers)
    # FHIR takes no control characters in a string.
    said = " ".join("".join(sign if sign.isprintable() else " " for sign in said or "").split())
    if said:
        words = {"linkId": f"{link_id}.said", "text": "In their words", "answer": [{"valueString": said}]}
        answers[0]["item"] = [words]
    return {"linkId": link_id, "text": text, "answer": list(answers)}


def _coding(kind: str, code: str, display: str) -> dict[str, Any]:
    return {"valueCoding": {"system": f"{SYSTEM}:{kind}", "code": code, "display": display}}
