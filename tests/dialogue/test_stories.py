"""Runs `rasa test core` on test_stories.yml: the policies must predict every action."""

import json
import os
import subprocess
import sys
from pathlib import Path

from train import ENVIRONMENT, MODEL, train
from visitors import ROOT

STORIES = Path(__file__).with_name("test_stories.yml")


def test_policies_predict_every_action(tmp_path: Path) -> None:
    train()
    environment = {
        **os.environ,
        **ENVIRONMENT,
        "BACKTALK_ACTIONS_URL": "http://127.0.0.1:1/webhook",
        "BACKTALK_TRACKER_DB": str(tmp_path / "db"),
    }
    command = [sys.executable, "-m", "backtalk.engine", "test", "core", "--model", str(MODEL)]
    command += ["--stories", str(STORIES), "--out", str(tmp_path), "--fail-on-prediction-errors", "--no-plot"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    failed, report = tmp_path / "failed_test_stories.yml", tmp_path / "story_report.json"
    told = failed.read_text() if failed.exists() else ""
    # Rasa ends with an error of scikit-learn where no policy extracts entities, after it has written its report.
    assert report.exists(), told + result.stdout[-2000:] + result.stderr[-2000:]
    figures = json.loads(report.read_text())
    assert figures["accuracy"] == figures["conversation_accuracy"]["accuracy"] == 1, told
