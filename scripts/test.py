"""Runs all tests, with how much of the code they reach: `python scripts/test.py [pytest's options]`.

What needs no running bot goes first, then dialogues and the page, file by file. Both rounds have a process for every
processor, each with a bot of its own; the bots are measured too.
"""

import os
import shutil
import subprocess
import sys

from console import ROOT, Failure, main, say
from train import ENVIRONMENT

DATA = ROOT / "var" / "coverage"
# The folders of each round, and how their tests are shared out.
ROUNDS = ((("tests/unit", "tests/understanding"), "worksteal"), (("tests/dialogue", "tests/web"), "loadfile"))


def test(options: list[str]) -> None:
    """Runs both rounds and prints the coverage. Raises Failure when a test failed."""
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(parents=True)
    environment = {**os.environ, **ENVIRONMENT, "COVERAGE_PROCESS_START": str(ROOT / "pyproject.toml")}
    failed = False
    for folders, share in ROUNDS:
        command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q", *folders, *options]
        command += ["-n", str(os.cpu_count() or 1), "--dist", share]
        failed |= bool(subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode)
    for command in (["combine", "--quiet"], ["report", "--skip-covered", "--sort=cover", "--show-missing"]):
        subprocess.run([sys.executable, "-m", "coverage", *command], cwd=ROOT, check=False)
    if failed:
        raise Failure("Tests failed: see above.")
    say("All tests passed.")


if __name__ == "__main__":
    main(lambda: test(sys.argv[1:]))
