"""How much room and time the bot takes from a fresh clone: `make footprint`, with AGAINST=<commit> beside another.

Each version is cloned into an empty folder, where `make run` is started as a reader of the README would. Measured are
the seconds until its first answer, the size of what was installed, the seconds of a second start until it answers, and
the memory of its processes after some conversations. The package index and the disk are as warm as they are.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from console import ROOT, Failure, main, say
from servers import free_port

SECONDS = 1800
MESSAGES = ("threw my lower back out lifting a box yesterday", "no", "is heat any good?", "none", "about a 6")
TALKS = 20
ROWS = {
    "first": "`make run` to the first answer, s",
    "installed": "installed, MB",
    "ready": "a later start until it answers, s",
    "memory": "resident memory, MB",
    "python": "CPython",
}


def measure(commit: str, folder: Path) -> dict[str, Any]:
    """The figures of one version. Raises Failure."""
    _git("clone", "--quiet", str(ROOT), str(folder))
    _git("-C", str(folder), "checkout", "--quiet", commit)
    found: dict[str, Any] = {"first": _run(folder, lambda pid, port: None)}
    python = folder / ".venv" / "bin" / "python"
    told = subprocess.run([python, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    found["python"] = told.split()[1]
    files = (file for file in (folder / ".venv").rglob("*") if file.is_file() and not file.is_symlink())
    found["installed"] = sum(file.stat().st_size for file in files) / 1e6

    def talk(pid: int, port: int) -> None:
        for _ in range(TALKS):
            sender = uuid.uuid4().hex
            for message in MESSAGES:
                _say(port, sender, message)
        found["memory"] = _memory(pid)

    found["ready"] = _run(folder, talk)
    return found


def _run(folder: Path, work: Callable[[int, int], None]) -> float:
    """Starts `make run`, waits for its first answer, does some work and ends it; the seconds until the answer."""
    port = free_port()
    environment = {**os.environ, "BACKTALK_PORT": str(port), "BACKTALK_ACTIONS_PORT": str(free_port())}
    with (folder / "footprint.log").open("a") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            ["make", "run"], cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        while True:
            if process.poll() is not None or time.monotonic() - began > SECONDS:
                raise Failure(
                    f"`make run` did not come up in {folder}: {(folder / 'footprint.log').read_text()[-800:]}"
                )
            try:
                _say(port, uuid.uuid4().hex, MESSAGES[0])
                break
            except OSError:
                time.sleep(0.1)
        seconds = time.monotonic() - began
        work(process.pid, port)
        return seconds
    finally:
        # Ends `make` and the script that it runs; that ends the bot.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
        time.sleep(2)


def _say(port: int, sender: str, message: str) -> None:
    body = json.dumps({"sender": sender, "message": message}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/webhooks/rest/webhook", body, headers)
    with urllib.request.urlopen(request, timeout=60) as reply:
        if not json.load(reply):
            raise Failure("The bot answered nothing.")


def _memory(pid: int) -> float:
    """Resident memory of the bot that a `make run` started, in MB."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,rss=,args="], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    rows = [
        (int(m[1]), int(m[2]), int(m[3]), m[4]) for m in re.finditer(r"^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$", listed, re.M)
    ]
    family = {pid}
    for _ in rows:
        family |= {child for child, parent, *_ in rows if parent in family}
    return (
        sum(size for child, _, size, command in rows if child in family and "backtalk.engine serve" in command) / 1024
    )


def _git(*arguments: str) -> None:
    if subprocess.run(["git", *arguments], check=False).returncode:
        raise Failure(f"git {' '.join(arguments)} failed.")


def work() -> None:
    """Prints the table. Raises Failure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--against", metavar="COMMIT", help="measure this version too, first")
    arguments = parser.parse_args()
    versions = [*([arguments.against] if arguments.against else []), "HEAD"]
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, version in enumerate(versions):
            say(f"Measuring {version} ...")
            figures[version] = measure(version, Path(folder) / str(number))
    say(f"\n{'':40}" + "".join(f"{version[:12]:>14}" for version in versions))
    for row, title in ROWS.items():
        cells = (figures[version][row] for version in versions)
        say(f"{title:40}" + "".join(f"{cell if isinstance(cell, str) else format(cell, '.0f'):>14}" for cell in cells))


if __name__ == "__main__":
    main(work)
