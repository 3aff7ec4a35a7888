"""Graph component that reads the clinical findings of a message into its entities."""

from __future__ import annotations

from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from backtalk.language import Reader, load_reader
from backtalk.language.entities import to_entities


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class ClinicalFindings(GraphComponent, EntityExtractorMixin):
    """Regions, onsets, red flags, cautions, durations, pain and short answers, each with its assertion."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @classmethod
    def create(
        cls, config: Dict[Text, Any], model_storage: ModelStorage, resource: Resource, context: ExecutionContext
    ) -> ClinicalFindings:
        """Takes no settings: the phrases are in `data/knowledge/phrases/`."""
        return cls(load_reader())

    def process(self, messages: List[Message]) -> List[Message]:
        """Adds the findings to each message's entities."""
        for message in messages:
            found = to_entities(self._reader.read(message.get(TEXT) or ""), type(self).__name__)
            message.set(ENTITIES, message.get(ENTITIES, []) + found, add_to_output=True)
        return messages
