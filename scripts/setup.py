"""Installs what Backtalk needs into .venv: `python3 scripts/setup.py`. Does nothing when all is there already.

With --tune, what tuning the encoder needs, into .tune; with --lock, writes the lock files anew.
Runs on any Python from 3.8 on. uv, in a small environment of its own, finds or fetches CPython 3.10 and installs the
locked, hashed requirements.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List

from console import ROOT, Failure, main, run, say

PYTHON = "3.10"
LOCK = ROOT / "requirements" / "lock.txt"
UV_LOCK = ROOT / "requirements" / "uv.txt"
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"
TUNE_LOCK = ROOT / "requirements" / "tune.txt"
TUNE = ROOT / ".tune"
STAMP = "backtalk.lock"


def setup(venv: Path = VENV, lock_file: Path = LOCK) -> None:
    """Brings an environment in step with its lock file. Raises Failure."""
    if sys.version_info < (3, 8):
        raise Failure("Backtalk's set-up needs Python 3.8 or newer to start: install a newer python3 and run this again.")
    wanted = hashlib.sha256(lock_file.read_bytes() + UV_LOCK.read_bytes()).hexdigest()
    stamp, python = venv / STAMP, venv_python(venv)
    if stamp.is_file() and stamp.read_text() == wanted and python.exists():
        return
    say("Setting up Backtalk; the first time this takes a minute or two and about 2.5 GB of disk.")
    uv = find_uv()
    if not python.exists():
        shutil.rmtree(venv, ignore_errors=True)
        run(
            f"Finding or fetching Python {PYTHON}", [*uv, "venv", "--python", PYTHON, str(venv)], "python.log",
            f"Python {PYTHON} was not found and could not be fetched: install CPython {PYTHON} (for example with pyenv) and "
            "run this again.",
        )
    stamp.unlink(missing_ok=True)
    run(
        "Installing packages", [*uv, "pip", "sync", "--python", str(python), "--require-hashes", str(lock_file)],
        "install.log",
        "The packages could not be installed: check the network connection and the free disk space (2.5 GB), then run this again.",
        about="a minute",
    )
    stamp.write_text(wanted)


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
        "Installing uv", [str(TOOLS / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(UV_LOCK)],
        "uv.log", "uv, the installer, could not be fetched: check the network connection and run this again.",
    )
    stamp.write_text(wanted)
    return [str(uv)]


def venv_python(venv: Path = VENV) -> Path:
    """The interpreter of an environment."""
    return venv / "bin" / "python"


def lock() -> None:
    """Writes the lock files anew from pyproject.toml."""
    compile_ = [*find_uv(), "pip", "compile", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate", "--upgrade", "--quiet"]
    run("Locking uv", [*compile_, "--python-version", "3.8", "requirements/uv.in", "-o", str(UV_LOCK)], "lock-uv.log", "uv could not be locked.")
    run("Locking packages", [*compile_, "pyproject.toml", "--extra", "test", "-o", str(LOCK)], "lock.log", "The packages could not be locked: see what conflicts.")
    run(
        "Locking packages for tuning", [*compile_, "--python-version", PYTHON, "requirements/tune.in", "-o", str(TUNE_LOCK)], "lock-tune.log",
        "The packages for tuning could not be locked: see what conflicts.",
    )


def tune() -> None:
    """Brings the environment for tuning in step with its lock file. Raises Failure."""
    setup(TUNE, TUNE_LOCK)


if __name__ == "__main__":
    os.chdir(str(ROOT))
    main(lock if "--lock" in sys.argv[1:] else tune if "--tune" in sys.argv[1:] else setup)
