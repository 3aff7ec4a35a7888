"""Graph component that gives messages which cannot be classified an intent of their own."""

from __future__ import annotations

import re
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from backtalk.language import Reader, load_reader

TOO_LONG, UNREADABLE = "message_too_long", "message_unreadable"
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_LATIN = re.compile(r"[A-Za-z]")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class MessageGuard(GraphComponent, IntentClassifier):
    """Overrules the classifiers for messages over `max_characters` and for those without a readable word.

    A message that is too long is still read for findings by the components before this one.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`max_characters`: the longest message that is answered; `max_digits`: the most digits in one."""
        return {"max_characters": 2000, "max_digits": 40}

    def __init__(self, config: dict[str, Any], reader: Reader) -> None:
        self._config = config
        self._reader = reader

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> MessageGuard:
        """Creates the component from its settings."""
        return cls(config, load_reader())

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets the intent of messages that are too long or unreadable."""
        for message in messages:
            intent = self._intent(message.get(TEXT) or "")
            if intent:
                message.set(INTENT, {INTENT_NAME_KEY: intent, PREDICTED_CONFIDENCE_KEY: 1.0}, add_to_output=True)
        return messages

    def _intent(self, text: str) -> str | None:
        if len(text) > self._config["max_characters"]:
            return TOO_LONG
        readable = _LETTER_OR_DIGIT.search(text) and (text.isascii() or _LATIN.search(text))
        if not readable or sum(character.isdigit() for character in text) > self._config["max_digits"]:
            return UNREADABLE
        return None if self._reader.has_words(text) else UNREADABLE
