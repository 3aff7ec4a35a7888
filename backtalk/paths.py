"""Where the project's files are, whatever the working directory."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "backtalk"
KNOWLEDGE = ROOT / "data" / "knowledge"
CORPUS = ROOT / "data" / "corpus"
FINDINGS_MODEL = ROOT / "models" / "findings.onnx"
WEIGHING = ROOT / "models" / "weighing.yml"
WIDGET = ROOT / "widget"
