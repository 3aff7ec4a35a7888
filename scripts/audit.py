"""Looks for known weaknesses in the locked packages: `python scripts/audit.py`, with the tool of `make audit`.

What is known of them and how it is judged stands in docs/dependencies.md; weaknesses named there are shown and do not
fail. Where the database of advisories cannot be reached, this says so and fails: an audit that did not happen is none.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from console import ROOT, Failure, main, say

LOCKS = ("lock.txt", "dev.txt")
JUDGED = re.compile(r"\b(?:PYSEC-\d{4}-\d+|CVE-\d{4}-\d+|GHSA(?:-[0-9a-z]{4}){3})\b")
STILL_THERE = "### Still there"
_PIN = r"^([A-Za-z0-9_.\-\[\]]+==[^ ;\\]+)"


def audit() -> None:
    """Asks for each lock file. Raises Failure for a weakness that is not judged, and where nothing could be asked."""
    judgements = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    judged = set(JUDGED.findall(judgements.partition(STILL_THERE)[2].partition("\n#")[0]))
    for name in LOCKS:
        found = _ask(re.findall(_PIN, (ROOT / "requirements" / name).read_text(), re.M))
        unasked = [package["name"] for package in found if "skip_reason" in package]
        if unasked:
            raise Failure(
                f"The database of advisories cannot be reached from here for {len(unasked)} of {len(found)} packages "
                f"of {name} ({', '.join(unasked[:5])} ...), so this was no audit. What is known of them stands in "
                "docs/dependencies.md."
            )
        weak = [
            f"{package['name']} {package['version']}: {weakness['id']}, mended in {', '.join(weakness['fix_versions'])}"
            for package in found
            for weakness in package["vulns"]
            if not judged & {weakness["id"], *weakness["aliases"]}
        ]
        if weak:
            raise Failure(f"{name} has weaknesses that nobody judged yet:\n" + "\n".join(weak))
        say(f"{name}: {len(found)} packages, no weakness that is not judged in docs/dependencies.md")


def _ask(pins: list[str]) -> list[dict[str, Any]]:
    """What is known of packages at their versions. Raises Failure."""
    with tempfile.TemporaryDirectory() as folder:
        # Markers and hashes are of no use to the audit, and it would try to install what is for other machines.
        plain = Path(folder) / "pins.txt"
        plain.write_text("\n".join(pins) + "\n")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(plain), "--no-deps", "--disable-pip"]
        done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Failure(
            f"The database of advisories cannot be reached from here ({' '.join(words)[:99]}): nothing was audited. "
            "What is known stands in docs/dependencies.md."
        ) from None
    return found


if __name__ == "__main__":
    main(audit)
