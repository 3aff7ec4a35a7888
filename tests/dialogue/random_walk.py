"""Visitors who say anything at any time.

What they say is drawn by a seed, and what must always hold is checked after every turn. `make walk` plays more turns
than the tests do (TURNS=20000 SEED=7).
"""

import argparse
import json
import random
import re
import sys
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from backtalk.interview import Interview  # noqa: E402
from backtalk.knowledge import Knowledge, load_knowledge  # noqa: E402

SAYINGS = YAML(typ="safe").load(Path(__file__).with_name("walk.yml"))
LONGEST_TALK = 25
FIELDS = tuple(Interview.__dataclass_fields__)
SORRY = "something went wrong"
MOST_ALIKE = 2


@dataclass
class Walk:
    """What a walk has seen: turns, conversations, intents, actions and responses by their counts, every violation."""

    turns: int = 0
    talks: int = 0
    intents: Counter = field(default_factory=Counter)
    actions: Counter = field(default_factory=Counter)
    responses: Counter = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def report(self) -> str:
        """The figures for people."""
        intents, actions, responses = known_names()
        lines = [
            f"{self.turns} turns in {self.talks} conversations",
            _coverage("intents", self.intents, intents),
            _coverage("actions", self.actions, actions),
            _coverage("responses", self.responses, responses),
            f"{len(self.violations)} violations",
        ]
        return "\n".join([*lines, *self.violations])


def _coverage(name: str, seen: Counter, known: set[str]) -> str:
    missing = sorted(known - set(seen))
    return f"{len(known & set(seen))} of {len(known)} {name}" + (f"; not seen: {', '.join(missing)}" if missing else "")


def walk(new_visitor, turns: int, seed: int) -> Walk:
    """Plays conversations with visitors from `new_visitor` until so many turns are done."""
    draw, seen = random.Random(seed), Walk()
    while seen.turns < turns:
        _talk(new_visitor(), draw, seen)
    return seen


def known_names() -> tuple[set[str], set[str], set[str]]:
    """What a visitor can reach over REST within an hour.

    These are the intents, the custom actions, and the responses around the questionnaire.
    """
    domain = YAML(typ="safe").load(ROOT / "domain.yml")
    intents = {intent if isinstance(intent, str) else next(iter(intent)) for intent in domain["intents"]}
    # Those that the form runs itself leave no event.
    actions = {
        name for name in domain["actions"] if not name.startswith(("action_ask_", "validate_", "action_validate_"))
    }
    responses = {
        name
        for file in ("questions", "turns", "conversation")
        for name in YAML(typ="safe").load(ROOT / "data" / "responses" / f"{file}.yml")["responses"]
    }
    later = re.compile(r"welcome_back|check_in|flags_kept|going_on_or_afresh|better_same_or_worse")
    return (
        intents - {"EXTERNAL_check_in", "message_too_long"},
        {name for name in actions if not later.search(name)},
        {name for name in responses if not later.search(name)} - {"utter_too_long"},
    )


def _talk(visitor, draw: random.Random, seen: Walk) -> None:
    knowledge = load_knowledge()
    before: dict[str, Any] = {}
    asked: list[str] = []
    seen.talks += 1
    for _ in range(draw.randint(4, LONGEST_TALK)):
        kind, message = _next(visitor, before, draw)
        visitor.say(message)
        seen.turns += 1
        slots = visitor.slots
        asked = _asked(asked, visitor, before, slots)
        for violation in _violations(kind, visitor, before, slots, asked, knowledge):
            seen.violations.append(
                f"{violation}: {message!r} ({kind}) in {visitor.sender}\n    bot: {visitor.text[:300]!r}"
            )
        before = slots
    visitor.say("check my back")
    if visitor.slots["requested_slot"] is None and not visitor.slots["assessed"]:
        seen.violations.append(f"a dead end in {visitor.sender}: {visitor.text[:300]!r}")
    for event in _events(visitor):
        if event["event"] == "user":
            seen.intents[(event.get("parse_data") or {}).get("intent", {}).get("name")] += 1
        elif event["event"] == "action":
            seen.actions[event["name"]] += 1
        elif event["event"] == "bot":
            seen.responses[(event.get("metadata") or {}).get("utter_action")] += 1


def _next(visitor, slots: dict[str, Any], draw: random.Random) -> tuple[str, str]:
    """The kind of the next message, and the message."""
    if not slots:
        return "opening", draw.choice(SAYINGS["openings"])
    question, chance = slots["requested_slot"], draw.random()
    if visitor.buttons and chance < 0.15:
        return "tap", draw.choice(visitor.buttons)["payload"]
    if question in SAYINGS["answers"] and chance < 0.6:
        return "answer", str(draw.choice(SAYINGS["answers"][question]))
    if chance < 0.75:
        return "correction", draw.choice(SAYINGS["corrections"])
    kind = draw.choice(sorted(SAYINGS["anytime"]))
    return kind, str(draw.choice(SAYINGS["anytime"][kind]))


def _asked(asked: list[str], visitor, before: dict[str, Any], slots: dict[str, Any]) -> list[str]:
    """How the open question was put, turn by turn, since it is open."""
    question = slots["requested_slot"]
    if any(slots[name] != before.get(name) for name in ("requested_slot", "flags_to_confirm")):
        asked = []
    replies = [reply.get("text", "") for reply in visitor.replies]
    # A list stands behind its opening.
    put = "\n".join(replies[-2:] if replies and replies[-1].startswith("1. ") else replies[-1:])
    return [*asked, put] if question else []


def _violations(
    kind: str, visitor, before: dict[str, Any], slots: dict[str, Any], asked: list[str], knowledge: Knowledge
) -> list[str]:
    found = []
    if not visitor.replies or not all((reply.get("text") or "").strip() for reply in visitor.replies):
        found.append("no reply, or an empty one")
    if SORRY in visitor.text:
        found.append("an error")
    if len(asked) > MOST_ALIKE and len(set(asked[-MOST_ALIKE - 1 :])) == 1:
        found.append("the same question three times in the same words")
    may_lower = kind == "correction" or _answers_a_doubt(before) or before.get("reopened") or _starts_over(visitor)
    levels = list(knowledge.urgency)
    told, now = before.get("urgency"), slots["urgency"]
    if told and not may_lower and (not now or levels.index(now) > levels.index(told)):
        found.append(f"lowered from {told} to {now}")
    lost = set(before.get("red_flags") or ()) - set(slots["red_flags"] or ())
    if lost and not may_lower:
        found.append(f"lost {sorted(lost)}")
    return [*found, *_wrong_relief(visitor, slots, knowledge), *_wrong_payload(visitor, slots, knowledge)]


def _starts_over(visitor) -> bool:
    return "start afresh" in visitor.text


def _answers_a_doubt(slots: dict[str, Any]) -> bool:
    """Whether a sign that was told was in doubt, and a plain yes or no about it was asked for."""
    return bool(set(slots.get("red_flags") or ()) & set(slots.get("flags_to_confirm") or ()))


def _wrong_relief(visitor, slots: dict[str, Any], knowledge: Knowledge) -> list[str]:
    outcome = _interview(slots).outcome(knowledge)
    if knowledge.urgency[outcome.urgency].relief:
        return []
    named = [
        option.name
        for option in knowledge.relief.values()
        if re.search(rf"\b{re.escape(option.name)}\b", visitor.text.lower())
    ]
    return [f"names {', '.join(named)} at {outcome.urgency}"] if named else []


def _wrong_payload(visitor, slots: dict[str, Any], knowledge: Knowledge) -> list[str]:
    payload = visitor.assessment
    if not payload:
        return []
    outcome = _interview(slots).outcome(knowledge)
    wrong = [
        name
        for name in ("urgency", "regions", "onset", "red_flags", "cautions", "duration_days", "pain_level")
        if (slots[name] or None) != (payload[name] or None)
    ]
    if payload["urgency"] != outcome.urgency:
        wrong.append("the decision")
    if [option["id"] for option in payload["relief"]] != [suggestion.id for suggestion in outcome.relief]:
        wrong.append("relief")
    return [f"payload and slots differ in {', '.join(wrong)}"] if wrong else []


def _interview(slots: dict[str, Any]) -> Interview:
    filled = {name: slots[name] for name in FIELDS if slots.get(name) is not None}
    return Interview(**{name: tuple(value) if isinstance(value, list) else value for name, value in filled.items()})


def _events(visitor) -> list[dict[str, Any]]:
    address = f"{visitor.url}/conversations/{visitor.conversation}/tracker?include_events=ALL"
    with urllib.request.urlopen(address, timeout=30) as reply:
        return json.load(reply)["events"]


def main(arguments: list[str] | None = None) -> int:
    """Starts a bot and walks."""
    import tempfile

    from visitors import Visitor, quick_bot

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bot", help="address of a running bot, started with --enable-api; default: start one")
    options = parser.parse_args(arguments)
    if options.bot:
        seen = walk(lambda: Visitor(options.bot), options.turns, options.seed)
    else:
        folder = Path(tempfile.mkdtemp())
        with quick_bot(folder, "--enable-api") as bot:
            bot.start()
            seen = walk(lambda: Visitor(bot.url), options.turns, options.seed)
    print(seen.report())
    return 1 if seen.violations else 0


if __name__ == "__main__":
    sys.exit(main())
