"""Looks for known weaknesses in the locked packages: `python scripts/audit.py`, with the tool of `make audit`.

What is known of them and how it is judged stands in docs/dependencies.md; weaknesses named there are shown and do not
fail. Where the database of advisories cannot be reached, this says so and fails: an audit that did not happen is none.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from console import ROOT, Failure, main, say

LOCKS = ("lock.txt", "dev.txt")
JUDGED = re.compile(r"\b(?:PYSEC-\d{4}-\d+|CVE-\d{4}-\d+|GHSA(?:-[0-9a-z]{4}){3})\b")
_UNREACHABLE = re.compile(
    r"ConnectionError|NameResolution|Max retries|Connection refused|timed out|Temporary failure|ServiceError", re.I
)


def audit() -> None:
    """Asks for each lock file. Raises Failure for a weakness that is not judged, and where nothing could be asked."""
    judged = sorted(set(JUDGED.findall((ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8"))))
    for name in LOCKS:
        with tempfile.TemporaryDirectory() as folder:
            # Markers and hashes are of no use to the audit, and it would try to install what is for other machines.
            plain = Path(folder) / name
            locked = (ROOT / "requirements" / name).read_text()
            pins = re.findall(r"^([A-Za-z0-9_.\-\[\]]+==[^ ;\\]+)", locked, re.M)
            plain.write_text("\n".join(pins) + "\n")
            command = [sys.executable, "-m", "pip_audit", "--requirement", str(plain), "--no-deps", "--disable-pip"]
            command += [option for weakness in judged for option in ("--ignore-vuln", weakness)]
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode and _UNREACHABLE.search(done.stdout):
            raise Failure(
                "The database of advisories cannot be reached from here, so nothing was audited. "
                "The judgements that are known stand in docs/dependencies.md."
            )
        if done.returncode:
            raise Failure(f"{name} has weaknesses that nobody judged yet:\n{done.stdout.rstrip()}")
        say(f"{name}: {len(pins)} packages, no weakness that is not judged in docs/dependencies.md")


if __name__ == "__main__":
    main(audit)
