"""Measures how messages are read: `python scripts/evaluate.py FILE [--errors]`.

FILE is a list of messages with the findings they assert (see docs/trainers.md). Prints, for each kind of finding,
precision and recall with counts, and with --errors every message that was read otherwise than labelled.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from backtalk.interview import Interview, hear  # noqa: E402
from backtalk.knowledge import load_knowledge  # noqa: E402
from backtalk.language import load_reader  # noqa: E402
from backtalk.language.entities import to_entities  # noqa: E402

KINDS = ("regions", "onset", "red_flags", "cautions", "duration_days", "pain_level", "numb_limb", "urgency")


def read(text: str) -> Interview:
    """What is known after a message that opens a conversation."""
    entities = to_entities(load_reader().read(text), "ClinicalFindings")
    return hear(Interview(), entities, None, None, load_knowledge()).interview


def expected(label: dict[str, Any]) -> dict[str, set]:
    """The facts of a label, by kind; `asked` are the flags that the writer is unsure of."""
    interview = Interview(
        regions=tuple(label.get("regions") or ()), onset=label.get("onset"), red_flags=tuple(label.get("red_flags") or ()),
        cautions=tuple(label.get("cautions") or ()), signs=("numb_limb",) if label.get("numb_limb") is True else (),
        duration_days=label.get("duration_days"), pain_level=label.get("pain_level"),
    )
    return facts(interview)


def facts(interview: Interview) -> dict[str, set]:
    """The facts of an interview as sets, by kind."""
    outcome = interview.outcome(load_knowledge())

    def one(value: Any) -> set:
        return set() if value is None else {value}

    return {
        "regions": set(interview.regions or ()),
        "onset": one(interview.onset),
        "red_flags": set(outcome.facts.red_flags),
        "cautions": set(interview.cautions),
        "duration_days": one(interview.duration_days),
        "pain_level": one(interview.pain_level),
        "numb_limb": {"yes"} & ({"yes"} if interview.signs else set()),
        "urgency": {outcome.urgency},
    }


def evaluate(messages: list[dict[str, Any]]) -> tuple[dict[str, Counter], list[str]]:
    """Counts of hits, misses and false alarms by kind, and a line for each message read otherwise than labelled."""
    counts: dict[str, Counter] = {kind: Counter() for kind in (*KINDS, "flags found or asked")}
    errors = []
    for message in messages:
        interview = read(message["text"])
        wanted, found = expected(message), facts(interview)
        vague = {"duration_days"} if message.get("duration") else set()
        vague |= {"numb_limb"} if message.get("numb_limb") == "uncertain" else set()
        for kind in (kind for kind in KINDS if kind not in vague):
            counts[kind] += Counter(
                hits=len(wanted[kind] & found[kind]), misses=len(wanted[kind] - found[kind]),
                false_alarms=len(found[kind] - wanted[kind]),
            )
            if kind != "urgency" and wanted[kind] != found[kind]:
                asked = f", asks {list(interview.flags_to_confirm)}" if interview.flags_to_confirm else ""
                errors.append(f"{kind}: wanted {sorted(wanted[kind])}, read {sorted(found[kind])}{asked}: {message['text']}")
        dealt_with = found["red_flags"] | set(interview.flags_to_confirm)
        flags = wanted["red_flags"] | set(message.get("confirm") or ())
        counts["flags found or asked"] += Counter(
            hits=len(flags & dealt_with), misses=len(flags - dealt_with), false_alarms=len(dealt_with - flags)
        )
    return counts, errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--errors", action="store_true", help="list every message read otherwise than labelled")
    arguments = parser.parse_args()
    messages = YAML(typ="safe").load(arguments.file)
    counts, errors = evaluate(messages)
    print(f"{len(messages)} messages of {arguments.file}")
    print(f"{'':22}{'precision':>10}{'recall':>8}{'hits':>7}{'missed':>8}{'false':>7}")
    for kind, count in counts.items():
        hits, misses, false = count["hits"], count["misses"], count["false_alarms"]
        precision, recall = hits / max(hits + false, 1), hits / max(hits + misses, 1)
        print(f"{kind:22}{precision:10.1%}{recall:8.1%}{hits:7}{misses:8}{false:7}")
    if arguments.errors:
        print("\n".join(errors))


if __name__ == "__main__":
    main()
