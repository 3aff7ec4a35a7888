"""What a trained model makes of labelled messages: shared by the scripts that calibrate and compare.

`python scripts/understanding.py [--tensorflow] MODEL FILE...` prints it as JSON, one list for each file.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from console import ROOT, main

UNDERSTANDING = ROOT / "tests" / "understanding"
DEVELOPMENT = UNDERSTANDING / "intents_development.yml"
HELD_OUT = UNDERSTANDING / "intents.yml"
OUT_OF_SCOPE = "out_of_scope"
FALLBACK = "nlu_fallback"


@dataclass(frozen=True)
class Message:
    """A message and what it means: an intent, or for a retrieval intent the question ("faq/causes")."""

    text: str
    label: str

    @property
    def in_scope(self) -> bool:
        """Whether it is about what the bot knows."""
        return self.label != OUT_OF_SCOPE


@dataclass(frozen=True)
class Understood:
    """How a model understood a message: the final intent or question, its confidence, and the scores behind it.

    `best` and `confidence` are the likeliest intent or question that is in scope, and its intent's probability;
    `out_of_scope` is the probability of something else; None for models that do not tell.
    """

    decided: str
    best: str
    confidence: float
    out_of_scope: float | None
    about_a_body: bool


def load(path: Path) -> list[Message]:
    """The messages of a YAML list of `text` and `intent`, or of a text file of out-of-scope messages, one in a line."""
    if path.suffix in (".yml", ".yaml"):
        from ruamel.yaml import YAML

        return [Message(str(entry["text"]), entry["intent"]) for entry in YAML(typ="safe").load(path)]
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [Message(line, OUT_OF_SCOPE) for line in lines if line]


def understand(model: Path, messages: Iterable[Message]) -> list[Understood]:
    """What a model makes of messages. TensorFlow is used where the model needs it."""
    sys.path.insert(0, str(ROOT))
    # No action runs and no conversation is kept here, but Rasa wants these named.
    os.environ.update(RASA_TELEMETRY_ENABLED="false", TF_CPP_MIN_LOG_LEVEL="3", SQLALCHEMY_SILENCE_UBER_WARNING="1")
    from rasa.core.agent import Agent
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.WARNING)
    agent = Agent.load(str(model))

    async def parse() -> list[Understood]:
        return [_understood(await agent.parse_message(message.text)) for message in messages]

    return asyncio.run(parse())


def _understood(parsed: dict[str, Any]) -> Understood:
    from backtalk.nlu.scope import about_a_body

    ranking = {entry["name"]: entry["confidence"] for entry in parsed.get("intent_ranking") or ()}
    best = next((name for name in ranking if name not in (OUT_OF_SCOPE, FALLBACK)), FALLBACK)
    return Understood(
        _with_question(parsed["intent"]["name"], parsed),
        _with_question(best, parsed),
        ranking.get(best, 0.0),
        ranking.get(OUT_OF_SCOPE, 0.0) if ranking else None,
        about_a_body(parsed["entities"]),
    )


def _with_question(intent: str | None, parsed: dict[str, Any]) -> str:
    """The question that the response selector chose for an intent, where it is a retrieval intent."""
    selected = parsed.get("response_selector") or {}
    found = selected.get(intent) or selected.get("default") or {}
    question = (found.get("response") or {}).get("intent_response_key") or ""
    return question if question.startswith(f"{intent}/") else intent or FALLBACK


def work() -> None:
    """Prints what a model makes of files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--tensorflow", action="store_true", help="for models that need it")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if not arguments.tensorflow:
        from backtalk.engine import prepare_rasa

        prepare_rasa()
    files = [load(path) for path in arguments.files]
    understood = iter(understand(arguments.model, [message for messages in files for message in messages]))
    print(json.dumps([[{**asdict(message), **asdict(next(understood))} for message in messages] for messages in files]))


if __name__ == "__main__":
    main(work)
