"""Graph component that reads the clinical findings of a message into its entities."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.nlu.constants import ENTITIES, FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from backtalk.knowledge import load_knowledge
from backtalk.language import Reader, load_reader
from backtalk.language.entities import KINDS, to_entities

_RECIPE_TYPES = [DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER]


@DefaultV1Recipe.register(_RECIPE_TYPES, is_trainable=False)
class ClinicalFindings(DenseFeaturizer, GraphComponent, EntityExtractorMixin):
    """Regions, onsets, red flags, cautions, durations, pain and short answers, each with its assertion.

    Which kinds and which regions a message has are dense sentence features too: they tell a message about a back from
    others, and the muscles of the neck from those of the low back.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`weight`: the value of the feature of something that was found; 0 for no features."""
        return {**DenseFeaturizer.get_default_config(), "weight": 1.5}

    def __init__(self, config: dict[str, Any], name: str, reader: Reader) -> None:
        super().__init__(name, config)
        self._reader = reader
        self._regions = tuple(load_knowledge().regions)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ClinicalFindings:
        """Loads the reader; the phrases are in `data/knowledge/phrases/`."""
        return cls(config, execution_context.node_name, load_reader())

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Raises ValueError for settings that cannot work."""
        if config["weight"] < 0:
            raise ValueError("ClinicalFindings: weight must not be below 0.")

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the findings to each message's entities and features."""
        for message in messages:
            found = self._read(message)
            message.set(ENTITIES, message.get(ENTITIES, []) + found, add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Adds the features to the training examples, with a thread for every processor.

        Their annotated entities are left alone.
        """
        with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
            list(threads.map(self._read, [example for example in training_data.training_examples if example.get(TEXT)]))
        return training_data

    def _read(self, message: Message) -> list[dict[str, Any]]:
        """The entities of a message; what they are becomes its features, shape (1, kinds + regions)."""
        found = to_entities(self._reader.read(message.get(TEXT) or ""), type(self).__name__)
        if not self._config["weight"]:
            return found
        kinds = {entity["entity"] for entity in found}
        regions = {entity["value"] for entity in found if entity["entity"] == "region"}
        present = [kind in kinds for kind in KINDS] + [region in regions for region in self._regions]
        vector = np.array([present], dtype=np.float32) * self._config["weight"]
        message.add_features(Features(vector, FEATURE_TYPE_SENTENCE, TEXT, self._identifier))
        return found
