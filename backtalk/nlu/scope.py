"""Graph component that decides whether a message is about something else."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.nlu.constants import (
    ENTITIES,
    INTENT,
    INTENT_NAME_KEY,
    INTENT_RANKING_KEY,
    PREDICTED_CONFIDENCE_KEY,
)
from rasa.shared.nlu.training_data.message import Message

from backtalk.knowledge import load_knowledge

OUT_OF_SCOPE = "out_of_scope"
# Kinds of findings that are about a body; so is an onset that raises a red flag.
ABOUT_A_BODY = ("complaint", "red_flag", "sign")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class ScopeDecision(GraphComponent, IntentClassifier):
    """Says "something else", "not understood", or leaves the intent as it is; in this order.

    A message is about something else when `out_of_scope` is at least as probable as `out_of_scope_threshold`, however
    the rest is shared out among the other intents, and it is not understood when the likeliest of these is less
    probable than `threshold`. One that tells of pain or of a warning sign is never about something else: at worst it
    is not understood. Both numbers are set by `make calibrate`, on messages that the model has not seen.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Both thresholds are probabilities."""
        return {"out_of_scope_threshold": 0.5, "threshold": 0.3}

    def __init__(self, config: dict[str, Any]) -> None:
        self.validate_config(config)
        self._config = config

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ScopeDecision:
        """Creates the component from its settings."""
        return cls(config)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Raises ValueError for settings that cannot work."""
        if not all(0 <= config[name] <= 1 for name in cls.get_default_config()):
            raise ValueError("ScopeDecision: the thresholds must be from 0 to 1.")

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets the intent of each message."""
        for message in messages:
            ranking = message.get(INTENT_RANKING_KEY) or []
            if ranking:
                decided = self._decide(ranking, message.get(ENTITIES) or [])
                others = [entry for entry in ranking if entry[INTENT_NAME_KEY] != decided[INTENT_NAME_KEY]]
                message.set(INTENT, decided, add_to_output=True)
                message.set(INTENT_RANKING_KEY, [decided, *others], add_to_output=True)
        return messages

    def _decide(self, ranking: list[dict[str, Any]], entities: list[dict[str, Any]]) -> dict[str, Any]:
        elsewhere = next((entry for entry in ranking if entry[INTENT_NAME_KEY] == OUT_OF_SCOPE), None)
        probability = elsewhere[PREDICTED_CONFIDENCE_KEY] if elsewhere else 0.0
        if elsewhere and probability >= self._config["out_of_scope_threshold"] and not about_a_body(entities):
            return elsewhere
        best = next((entry for entry in ranking if entry[INTENT_NAME_KEY] != OUT_OF_SCOPE), None)
        if best and best[PREDICTED_CONFIDENCE_KEY] >= self._config["threshold"]:
            return best
        return {INTENT_NAME_KEY: DEFAULT_NLU_FALLBACK_INTENT_NAME, PREDICTED_CONFIDENCE_KEY: self._config["threshold"]}


def about_a_body(entities: list[dict[str, Any]]) -> bool:
    """Whether a message with these entities talks about a body, whatever else it says."""
    onsets = load_knowledge().onsets
    alarming = {onset.id for onset in onsets.values() if onset.red_flag}
    return any(e["entity"] in ABOUT_A_BODY or (e["entity"] == "onset" and e["value"] in alarming) for e in entities)
