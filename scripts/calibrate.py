"""Chooses the thresholds in config.yml by messages that the model has not seen, and writes them there.

`python scripts/calibrate.py [FILE]`; FILE is like tests/understanding/intents_development.yml, which it is by default.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from console import ROOT, Failure, main, say
from train import MODEL, train
from understanding import DEVELOPMENT, Message, Understood, load, understand

sys.path.insert(0, str(ROOT))

CONFIG = ROOT / "config.yml"
# Of the messages in scope, so many must not be turned away: that is worse than to misunderstand one that is not.
KEPT = 0.995
STEPS = [step / 100 for step in range(1, 100)]
# Of the answers that are right, so many may be given up for "I did not get that".
GIVEN_UP = 0.01
# How often an intent must be right where the policy relies on it against what else the message could mean.
SURE_RIGHT = 0.98


def calibrate(messages: Sequence[Message], understood: Sequence[Understood]) -> dict[str, float]:
    """The thresholds by their names in config.yml, each a probability."""
    pairs = list(zip(messages, understood, strict=True))
    ours = [u for m, u in pairs if m.in_scope]
    scope = next((s for s in STEPS if _share(_elsewhere(u, s) for u in ours) <= 1 - KEPT), STEPS[-1])
    right = [u for m, u in pairs if m.in_scope and u.best == m.label and not _elsewhere(u, scope)]
    understood_from = max((s for s in STEPS if _share(u.confidence < s for u in right) <= GIVEN_UP), default=STEPS[0])
    intents = [(m.label.split("/")[0] == u.best.split("/")[0], u) for m, u in pairs if m.in_scope]
    sure = next((s for s in STEPS if _share(r for r, u in intents if u.confidence >= s) >= SURE_RIGHT), STEPS[-1])
    return {"out_of_scope_threshold": scope, "threshold": understood_from, "sure": sure}


def report(messages: Sequence[Message], understood: Sequence[Understood], chosen: dict[str, float]) -> None:
    """Prints what the thresholds do to the messages."""
    pairs = list(zip(messages, understood, strict=True))
    ours = [(m, u) for m, u in pairs if m.in_scope]
    others = [u for m, u in pairs if not m.in_scope]
    say(f"{len(ours)} messages in scope, {len(others)} out of scope")
    say("\nout_of_scope_threshold   in scope kept   out of scope turned away")
    for step in sorted({*STEPS[9::10], chosen["out_of_scope_threshold"]}):
        kept = 1 - _share(_elsewhere(u, step) for _, u in ours)
        turned_away = _share(_elsewhere(u, step) for u in others)
        mark = "  <- chosen" if step == chosen["out_of_scope_threshold"] else ""
        say(f"{step:22.2f}{kept:16.1%}{turned_away:27.1%}{mark}")
    kept_pairs = [(m, u) for m, u in ours if not _elsewhere(u, chosen["out_of_scope_threshold"])]
    say("\nthreshold   right answers given   wrong answers given   (of the in-scope messages that are kept)")
    for step in sorted({*STEPS[9::10], chosen["threshold"]}):
        given = [(m, u) for m, u in kept_pairs if u.confidence >= step]
        right = sum(u.best == m.label for m, u in given) / len(kept_pairs)
        wrong = sum(u.best != m.label for m, u in given) / len(kept_pairs)
        say(f"{step:9.2f}{right:22.1%}{wrong:22.1%}{'  <- chosen' if step == chosen['threshold'] else ''}")
    say(f"\nsure: from a confidence of {chosen['sure']:.2f} on, {SURE_RIGHT:.0%} of the intents are right")


def write(chosen: dict[str, float]) -> bool:
    """Sets the thresholds in config.yml; whether one changed. Raises Failure when one is missing there."""
    text = before = CONFIG.read_text(encoding="utf-8")
    for name, value in chosen.items():
        text, found = re.subn(rf"^(\s+{name}:) [\d.]+$", rf"\g<1> {value:.2f}", text, flags=re.M)
        if found != 1:
            raise Failure(f"config.yml must have one line '{name}: ...' to write to, and has {found}.")
    CONFIG.write_text(text, encoding="utf-8")
    return text != before


def _elsewhere(understood: Understood, threshold: float) -> bool:
    """Whether the message is taken to be about something else, as `backtalk.nlu.scope` decides it."""
    if understood.out_of_scope is None:
        raise Failure("This model does not tell how probable it is that a message is about something else.")
    return understood.out_of_scope >= threshold and not understood.about_a_body


def _share(which: Iterable[bool]) -> float:
    """Of how many it is true, as a share."""
    known = list(which)
    return sum(known) / max(len(known), 1)


def work() -> None:
    """Calibrates. Raises Failure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", default=DEVELOPMENT)
    messages = load(parser.parse_args().file)
    train()
    from backtalk.engine import prepare_rasa

    prepare_rasa()
    understood = understand(MODEL, messages)
    chosen = calibrate(messages, understood)
    report(messages, understood, chosen)
    say("\nconfig.yml is changed: train again." if write(chosen) else "\nconfig.yml has these numbers already.")


if __name__ == "__main__":
    main(work)
