"""Checks the data and trains the model, when data, code or configuration changed since the last one.

`python scripts/train.py [--force | --check]`; --check validates and trains nothing.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from console import ROOT, Failure, main, run, say

sys.path.insert(0, str(ROOT))

MODEL = ROOT / "models" / "backtalk.tar.gz"
RECORD = MODEL.with_name("backtalk.json")
# What a model is made from.
SOURCES = (
    "config.yml",
    "domain.yml",
    "requirements/lock.txt",
    "data",
    "backtalk/knowledge",
    "backtalk/language",
    "backtalk/nlu",
    "backtalk/policies",
    "models/findings.yml",
    "models/weighing.yml",
)
MAX_HISTORY = "4"
# What every Rasa process of ours runs with.
ENVIRONMENT = {
    # Starts take twice as long where Python may not keep what it compiled.
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPATH": str(ROOT),
}


def train(force: bool = False) -> None:
    """Trains a model unless the last one is up to date. Raises Failure."""
    wanted = fingerprint()
    if (
        not force
        and MODEL.is_file()
        and RECORD.is_file()
        and json.loads(RECORD.read_text()).get("fingerprint") == wanted
    ):
        return
    check_knowledge()
    RECORD.unlink(missing_ok=True)
    run(
        "Checking the data and training the model",
        [
            sys.executable,
            "-m",
            "backtalk.engine",
            "train",
            "--force",
            "--fixed-model-name",
            MODEL.name.split(".")[0],
            "--out",
            str(MODEL.parent),
            "--fail-on-validation-warnings",
            "--validation-max-history",
            MAX_HISTORY,
        ],
        "train.log",
        "Training failed: mend what the log names and run this again.",
        about="two minutes",
        stage=r"Starting to train component '(\w+)'",
        env=ENVIRONMENT,
    )
    RECORD.write_text(json.dumps({"fingerprint": wanted}))


def check() -> None:
    """Validates knowledge, training data, domain and stories; warnings count as failures. Raises Failure."""
    check_knowledge()
    rasa = [
        sys.executable,
        "-m",
        "backtalk.engine",
        "data",
        "validate",
        "--fail-on-warnings",
        "--max-history",
        MAX_HISTORY,
    ]
    run(
        "Checking the training data",
        rasa,
        "validate.log",
        "The training data has faults: mend what the log names.",
        about="half a minute",
        env=ENVIRONMENT,
    )


def check_knowledge() -> None:
    """Loads data/knowledge/ and compiles its phrases. Raises Failure with file, line and reason."""
    from backtalk.knowledge import KnowledgeError
    from backtalk.knowledge.syntax import PhraseError
    from backtalk.language import load_reader

    try:
        load_reader()
    except (KnowledgeError, PhraseError) as error:
        raise Failure(f"The clinical knowledge has a fault, mend it and run this again: {error}") from None


def fingerprint() -> str:
    """A digest of everything that a model is made from."""
    digest = hashlib.sha256()
    for path in sorted(_files()):
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    for name in SOURCES:
        path = ROOT / name
        found = path.rglob("*") if path.is_dir() else [path]
        yield from (file for file in found if file.is_file() and "__pycache__" not in file.parts)


def _work() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="train although nothing changed")
    parser.add_argument("--check", action="store_true", help="check only")
    arguments = parser.parse_args()
    if arguments.check:
        check()
        say("Everything fits together.")
        return
    train(arguments.force)
    say("The model is up to date.")


if __name__ == "__main__":
    main(_work)
