"""Checks format, style and types: `python scripts/lint.py`; with --fix, puts everything into the right format first.

Python and YAML are checked with what `make dev` installed. The widget is checked where npm is there, with the packages
of package-lock.json; nobody needs Node.js to run the bot.
"""

import shutil
import subprocess
import sys

from console import LOGS, ROOT, Failure, main, run, say

BIN = ROOT / ".venv" / "bin"
CHECKS = {
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "style": ["ruff", "check", "--quiet", "."],
    "types": ["mypy"],
    "YAML": ["yamllint", "--strict", "."],
}
FIXES = (["ruff", "check", "--quiet", "--fix-only", "."], ["ruff", "format", "--quiet", "."])
MODULES = ROOT / "node_modules" / ".package-lock.json"


def lint(fix: bool = False) -> None:
    """Runs all checks and shows what each found. Raises Failure when any found something."""
    for command in FIXES if fix else ():
        subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, check=False)
    failed = [name for name, command in CHECKS.items() if not _passes(name, [str(BIN / command[0]), *command[1:]])]
    npm = shutil.which("npm")
    if npm is None:
        say("widget: skipped, as npm is not there")
    else:
        _install(npm)
        if fix:
            subprocess.run([npm, "run", "--silent", "format"], cwd=ROOT, check=False)
        if not _passes("widget", [npm, "run", "--silent", "lint"]):
            failed.append("widget")
    if failed:
        raise Failure(f"Mend what was found above ({', '.join(failed)}); `make format` does a part of it.")


def _passes(name: str, command: list[str]) -> bool:
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    say(f"{name}: {'clean' if not done.returncode else done.stdout.rstrip()}")
    return not done.returncode


def _install(npm: str) -> None:
    """Brings the widget's tools in step with their lock file. Raises Failure."""
    lock = ROOT / "package-lock.json"
    if not MODULES.is_file() or MODULES.stat().st_mtime < lock.stat().st_mtime:
        LOGS.mkdir(parents=True, exist_ok=True)
        run(
            "Installing the widget's tools",
            [npm, "ci", "--no-audit", "--no-fund"],
            "npm.log",
            "The widget's tools could not be installed: check the network, or take npm off the PATH to skip them.",
        )


if __name__ == "__main__":
    main(lambda: lint("--fix" in sys.argv[1:]))
