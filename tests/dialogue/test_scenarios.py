"""Plays the scenarios of `scenarios/*.yml` over HTTP and checks every turn.

Also holds for every turn of every scenario: no reply is empty or told twice, buttons keep the limits of messaging
platforms, an assessment's payload agrees with the slots, and no relief is named where somebody must be examined first.
"""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from backtalk.knowledge import load_knowledge

FOLDER = Path(__file__).parent / "scenarios"
TURN_KEYS = {
    "user", "tap", "after_minutes", "asks", "slots", "assessment", "relief", "never_relief", "says", "never_says",
    "summary",
}  # fmt: skip


def _scenarios() -> list[Any]:
    return [
        pytest.param(scenario, id=f"{path.stem}: {scenario['scenario']}")
        for path in sorted(FOLDER.rglob("*.yml"))
        for scenario in YAML(typ="safe").load(path)
    ]


@pytest.mark.parametrize("scenario", _scenarios())
def test_scenario(scenario: dict[str, Any], visitor) -> None:
    visitor.metadata = {"locale": scenario["locale"]} if "locale" in scenario else None
    for number, turn in enumerate(scenario["turns"], 1):
        where = f"turn {number}, {turn.get('user', turn.get('tap'))!r}"
        assert set(turn) <= TURN_KEYS, f"{where}: unknown keys {set(turn) - TURN_KEYS}"
        if "after_minutes" in turn:
            visitor.wait(turn["after_minutes"])
        if "tap" in turn:
            visitor.tap(turn["tap"])
        else:
            visitor.say(str(turn["user"]))
        where += f"\nbot: {visitor.text}"
        slots = visitor.slots
        _check_always(visitor, slots, where)
        _check_turn(turn, visitor, slots, where)


def _check_turn(turn: dict[str, Any], visitor, slots: dict[str, Any], where: str) -> None:
    text = visitor.text.lower()
    if "asks" in turn:
        assert slots["requested_slot"] == turn["asks"], f"open question {slots['requested_slot']}, {where}"
    for name, value in (turn.get("slots") or {}).items():
        assert _plain(slots[name]) == _plain(value), f"slot {name} is {slots[name]}, {where}"
    for words in turn.get("says") or ():
        assert str(words).lower() in text, f"does not say {words!r}: {where}"
    for words in turn.get("never_says") or ():
        assert str(words).lower() not in text, f"says {words!r}: {where}"
    if "summary" in turn:
        _check_summary(turn["summary"], visitor, where)
    if "assessment" in turn and turn["assessment"] is None:
        assert visitor.assessment is None, where
    elif {"assessment", "relief", "never_relief"} & set(turn):
        _check_assessment(turn, visitor.assessment, where)


def _check_assessment(turn: dict[str, Any], payload: dict[str, Any] | None, where: str) -> None:
    assert payload, f"no assessment: {where}"
    for name, value in (turn.get("assessment") or {}).items():
        assert _plain(payload[name]) == _plain(value), f"assessment's {name} is {payload[name]}, {where}"
    relief = {option["id"] for option in payload["relief"]}
    if turn.get("relief") == []:
        assert not relief, where
    assert relief.issuperset(turn.get("relief") or ()), f"relief is {relief}, {where}"
    assert relief.isdisjoint(turn.get("never_relief") or ()), f"relief is {relief}, {where}"


def _check_summary(wanted: dict[str, Any], visitor, where: str) -> None:
    """The summary as a page and as FHIR; the library reads what it wrote."""
    from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

    (summary,) = [reply["custom"] for reply in visitor.replies if reply.get("custom", {}).get("type") == "summary"]
    resource = QuestionnaireResponse.model_validate(summary["fhir"])
    assert {name: getattr(resource, name) for name in wanted} == wanted, where
    assert resource.item, where
    assert summary["document"]["content"].startswith("<!doctype html>"), where


def _check_always(visitor, slots: dict[str, Any], where: str) -> None:
    assert visitor.replies, f"no reply: {where}"
    told = [reply["text"] for reply in visitor.replies if reply.get("text")]
    assert len(told) == len(set(told)), f"says the same twice: {where}"
    for reply in visitor.replies:
        assert (reply.get("text") or "").strip(), f"an empty reply: {where}"
        assert "{" not in reply["text"] and "None" not in reply["text"].split(), f"a gap in the text: {where}"
        assert len(reply.get("buttons", ())) <= 10, where
        for button in reply.get("buttons", ()):
            assert len(button["title"]) <= 20 and len(button["payload"].encode()) <= 64, f"{button}: {where}"
    if slots["urgency"] in ("emergency", "urgent"):
        named = [option.name for option in load_knowledge().relief.values() if option.name in visitor.text.lower()]
        assert not named, f"names {named}: {where}"
    payload = visitor.assessment
    if payload:
        for name in ("urgency", "regions", "onset", "red_flags", "cautions", "duration_days", "pain_level"):
            differ = f"{name}: slot {slots[name]}, payload {payload[name]}, {where}"
            assert _plain(slots[name] or None) == _plain(payload[name] or None), differ
        assert [reason["flag"] for reason in payload["reasons"]] == payload["red_flags"], where
        assert all(reason["said"] and reason["source"] for reason in payload["reasons"]), where
        assert not payload["relief"] or payload["urgency"] not in ("emergency", "urgent"), where


def _plain(value: Any) -> Any:
    """Lists without their order; an empty one is as good as none."""
    return sorted(value) or None if isinstance(value, list) else value
