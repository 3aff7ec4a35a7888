"""Runs `rasa test core` on test_stories.yml: the policies must predict every action."""

import os
import subprocess
import sys
from pathlib import Path

from conftest import ROOT
from train import ENVIRONMENT, MODEL, train

STORIES = Path(__file__).with_name("test_stories.yml")


def test_policies_predict_every_action(tmp_path: Path) -> None:
    train()
    environment = {**os.environ, **ENVIRONMENT, "BACKTALK_ACTIONS_URL": "http://127.0.0.1:1/webhook", "BACKTALK_TRACKER_DB": str(tmp_path / "db")}
    result = subprocess.run(
        [sys.executable, "-m", "rasa", "test", "core", "--model", str(MODEL), "--stories", str(STORIES), "--out", str(tmp_path),
         "--fail-on-prediction-errors", "--no-plot"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300,
    )
    failed = tmp_path / "failed_test_stories.yml"
    assert result.returncode == 0, (failed.read_text() if failed.exists() else "") + result.stdout[-2000:] + result.stderr[-2000:]
