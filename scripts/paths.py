"""How often a model's policies choose the right next action on stories that they were not trained on.

`python scripts/paths.py [--tensorflow] MODEL FILE` prints JSON:

    {"turns": ..., "right": ..., "stories": ..., "stories_right": ...}
"""

import argparse
import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from console import ROOT, main

LISTEN, UNLIKELY = "action_listen", "action_unlikely_intent"
# Actions that choose what to say or do.
CHOOSING = ("action_default_fallback", "action_after_result")
ASSESSMENT = "action_assessment"
MOST_PREDICTIONS = 3


class Player:
    """Walks through stories and asks the policies at each step what comes next."""

    def __init__(self, model: Path) -> None:
        """Loads the model and the actions."""
        from rasa.core.agent import Agent
        from rasa.utils.log_utils import configure_structlog

        from backtalk.engine.actions import load_actions

        configure_structlog(logging.WARNING)
        self._agent = Agent.load(str(model))
        self._executor = load_actions("actions")

    def play(self, file: Path) -> dict[str, int]:
        """Counts of all steps but listening, and of stories without a wrong one."""
        wrong = [[not right for right in self._story(story)] for story in self._stories(file)]
        return {
            "turns": sum(map(len, wrong)),
            "right": sum(len(steps) - sum(steps) for steps in wrong),
            "stories": len(wrong),
            "stories_right": sum(not any(steps) for steps in wrong),
        }

    def _stories(self, file: Path) -> list[Any]:
        from rasa.shared.core.generator import TrainingDataGenerator
        from rasa.shared.core.training_data.loading import load_data_from_files
        from rasa.shared.core.training_data.structures import StoryGraph

        domain = self._agent.domain
        graph = StoryGraph(load_data_from_files([str(file)], domain))
        generator = TrainingDataGenerator(
            graph, domain, use_story_concatenation=False, augmentation_factor=0, remove_duplicates=False
        )
        return generator.generate_story_trackers()

    def _story(self, story: Any) -> list[bool]:
        """For each step but listening, whether the policies choose it behind all steps before it.

        Of what the actions do, their responses count, and that a result was told.
        """
        from rasa.shared.core.events import ActionExecuted, ActionExecutionRejected, BotUttered, SlotSet
        from rasa.shared.core.trackers import DialogueStateTracker

        tracker = DialogueStateTracker(story.sender_id, self._agent.domain.slots)
        results = []
        for event in story.applied_events():
            action = event.action_name if isinstance(event, ActionExecuted) else None
            if action and action != LISTEN:
                form = tracker.active_loop_name
                choices = self._choices(tracker)
                if choices == [form] != [action]:
                    # Nothing in the message answered the form, so it rejects to run; the others choose then.
                    tracker.update(ActionExecutionRejected(form))
                    choices = self._choices(tracker)
                results.append(action in choices)
            tracker.update(event)
            for response in self._responses(action, tracker):
                tracker.update(BotUttered("...", metadata={"utter_action": response}))
            if action == ASSESSMENT:
                tracker.update(SlotSet("assessed", {"relief": []}))
        return results

    def _choices(self, tracker: Any) -> list[str]:
        """The next action, and where that one only chooses, what it does: says a response or leads to an action."""
        from rasa.shared.core.events import ActionExecuted

        tracker = tracker.copy()
        action: str | None = None
        for _ in range(MOST_PREDICTIONS):
            scores = self._agent.processor.predict_next_with_tracker(tracker)["scores"]
            action = max(scores, key=lambda entry: entry["score"])["action"]
            if action != UNLIKELY:
                break
            # This one says nothing: it only tells the other policies that the intent surprised it.
            tracker.update(ActionExecuted(action))
        return [str(action), *self._done_by(str(action), tracker)] if action in CHOOSING else [str(action)]

    def _done_by(self, action: str, tracker: Any) -> list[str]:
        done = self._run(action, tracker)
        return [event["name"] for event in done["events"]] + [reply["response"] for reply in done["responses"]]

    def _responses(self, action: str | None, tracker: Any) -> list[str]:
        """The names of the responses that an action gives."""
        if action is None:
            return []
        if action in self._executor.actions and action != ASSESSMENT:
            return [reply["response"] for reply in self._run(action, tracker)["responses"] if reply.get("response")]
        return [action] if action.startswith("utter_") else []

    def _run(self, action: str, tracker: Any) -> dict[str, Any]:
        from rasa.shared.core.trackers import EventVerbosity

        call = {"next_action": action, "tracker": tracker.current_state(EventVerbosity.ALL), "domain": {}}
        return asyncio.run(self._executor.run(call))


def work() -> None:
    """Prints the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--tensorflow", action="store_true", help="for models that need it")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    os.environ.update(RASA_TELEMETRY_ENABLED="false", TF_CPP_MIN_LOG_LEVEL="3", SQLALCHEMY_SILENCE_UBER_WARNING="1")
    if not arguments.tensorflow:
        from backtalk.engine import prepare_rasa

        prepare_rasa()
    print(json.dumps(Player(arguments.model).play(arguments.file)))


if __name__ == "__main__":
    main(work)
