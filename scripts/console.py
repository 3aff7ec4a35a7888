"""What the scripts say while they work. Standard library only: the set-up runs on whatever Python 3 a machine has."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Callable, Dict, Optional, Sequence

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "var" / "log"
TICK_SECONDS = 0.5
QUIET_TICK_SECONDS = 15


class Failure(Exception):
    """Something went wrong; the message is one sentence that names the cause and the mend."""


def say(text: str) -> None:
    """Prints a line at once."""
    print(text, flush=True)


def run(
    label: str,
    command: Sequence[str],
    log: str,
    failure: str,
    about: str = "",
    stage: Optional[str] = None,
    env: Optional[Dict[str, str]] = None,
) -> None:
    """Runs a command, its output going to a log file, and shows how long it has been at work.

    `about` is how long it usually takes; `stage` is a pattern whose first group, in the log, names what is being done.
    Raises Failure with the sentence `failure` and the log's last words.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / log
    with path.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            list(command), cwd=str(ROOT), stdout=stream, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}
        )
    progress = _Progress(label, about, path, stage)
    try:
        code = process.wait()
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        progress.stop()
    if code:
        progress.finish("failed")
        raise Failure(f"{failure} The last words of {path.relative_to(ROOT)}:\n{tail(path)}")
    progress.finish("done")


def tail(path: Path, lines: int = 8) -> str:
    """The last lines of a log that are not progress bars or warnings of libraries, indented."""
    noise = re.compile(r"it/s|Warning|warnings\.warn|^\s*$")
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    kept = [line[:300] for line in re.split(r"[\r\n]+", text) if not noise.search(line)]
    return "\n".join(f"    {line}" for line in kept[-lines:])


def main(work: Callable[[], Optional[int]]) -> None:
    """Runs a script's work, and ends with what it returns as the exit code.

    A Failure becomes one message and exit code 1, Ctrl-C exit code 130, and a signal to end cleans up too.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    try:
        sys.exit(work() or 0)
    except Failure as failure:
        print(f"\n{failure}", file=sys.stderr, flush=True)
        sys.exit(1)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        sys.exit(130)


class _Progress:
    """The line that says what is going on: rewritten on a terminal, repeated now and then elsewhere."""

    def __init__(self, label: str, about: str, log: Path, stage: Optional[str]):
        self._label, self._log = label, log
        self._stage = re.compile(stage) if stage else None
        self._began = time.monotonic()
        self._terminal = sys.stdout.isatty()
        self._stopped = threading.Event()
        self._hint = f" (about {about})" if about else ""
        if not self._terminal:
            say(f"{label}{self._hint} ...")
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def finish(self, result: str) -> None:
        clear = "\r\033[K" if self._terminal else ""
        say(f"{clear}{self._label}: {result} in {self._seconds()} s")

    def _seconds(self) -> int:
        return round(time.monotonic() - self._began)

    def _tick(self) -> None:
        while not self._stopped.wait(TICK_SECONDS if self._terminal else QUIET_TICK_SECONDS):
            line = f"{self._label}{self._hint}: {self._seconds()} s{self._doing()}"
            if self._terminal:
                print(f"\r\033[K{line[:118]}", end="", flush=True)
            else:
                say(f"  {line}")

    def _doing(self) -> str:
        found = self._stage.findall(self._log.read_text(encoding="utf-8", errors="replace")) if self._stage else []
        return f", {found[-1]}" if found else ""
