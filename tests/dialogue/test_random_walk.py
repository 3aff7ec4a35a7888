"""A random walk through conversations.

No crash, no dead end, no forbidden relief, no level lowered without a correction, and payloads that agree with the
slots.
"""

import pytest
from random_walk import known_names, walk
from visitors import Visitor

TURNS, SEED = 2000, 20
COVERED = 0.8


def test_whatever_is_said(bot_url: str, capsys: pytest.CaptureFixture) -> None:
    seen = walk(lambda: Visitor(bot_url), TURNS, SEED)
    with capsys.disabled():
        print("\n" + seen.report())
    assert not seen.violations
    for known, met in zip(known_names(), (seen.intents, seen.actions, seen.responses), strict=True):
        assert len(known & set(met)) >= COVERED * len(known)
