"""Graph component that classifies a message: what the visitor wants, and which question is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.constants import (
    RESPONSE_SELECTOR_PREDICTION_KEY,
    RESPONSE_SELECTOR_PROPERTY_NAME,
    RESPONSE_SELECTOR_RANKING_KEY,
    RESPONSE_SELECTOR_RETRIEVAL_INTENTS,
    RESPONSE_SELECTOR_UTTER_ACTION_KEY,
)
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import (
    INTENT,
    INTENT_NAME_KEY,
    INTENT_RANKING_KEY,
    INTENT_RESPONSE_KEY,
    PREDICTED_CONFIDENCE_KEY,
    RESPONSE_IDENTIFIER_DELIMITER,
    TEXT,
)
from rasa.shared.nlu.training_data import util
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.special import softmax

WEIGHTS_FILE = "weights.npz"
# Every tracker event of a message holds its rankings: short ones keep the tracker store fast.
ANSWERS_RANKED = 3


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class QuestionClassifier(GraphComponent, IntentClassifier):
    """Logistic regression on sentence features, over questions instead of intents.

    Each question of a retrieval intent ("faq/causes") is a class of its own. An intent's probability is the sum of
    those of its questions, and the questions within an intent make the standard `response_selector` output, so that
    this one model does the work of an intent classifier and of a ResponseSelector, and gets more messages right than
    two models do: neighbours in meaning, such as "out_of_scope" and one question of "faq", are told apart directly.
    """

    @classmethod
    def required_components(cls) -> list[Any]:
        """Sentence features must come from somewhere."""
        return [Featurizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`C`, `tol` and `max_iter` are scikit-learn's; `ranking_length` is how many intents are listed (0 for all)."""
        return {"C": 1.0, "tol": 1.5e-5, "max_iter": 200, "ranking_length": 5}

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        weights: npt.NDArray[np.float32] | None = None,
        biases: npt.NDArray[np.float32] | None = None,
        questions: list[str] | None = None,
    ) -> None:
        """`weights` has shape (questions, features), `biases` (questions,); None before training."""
        self._config = config
        self._model_storage, self._resource = model_storage, resource
        self._weights, self._biases, self._questions = weights, biases, questions or []

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> QuestionClassifier:
        """An untrained component."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> QuestionClassifier:
        """A trained component. scikit-learn is not needed from here on, and not imported."""
        with model_storage.read_from(resource) as folder:
            saved = np.load(folder / WEIGHTS_FILE)
            return cls(config, model_storage, resource, saved["weights"], saved["biases"], saved["questions"].tolist())

    def train(self, training_data: TrainingData) -> Resource:
        """Fits the model to all training examples and saves it."""
        from sklearn.linear_model import LogisticRegression

        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        labels = [example.get(INTENT_RESPONSE_KEY) or example.get(INTENT) for example in examples]
        model = LogisticRegression(C=self._config["C"], tol=self._config["tol"], max_iter=self._config["max_iter"])
        model.fit(np.stack([_features(example) for example in examples]), labels)
        self._weights, self._biases, self._questions = model.coef_, model.intercept_, model.classes_.tolist()
        with self._model_storage.write_to(self._resource) as folder:
            np.savez(
                folder / WEIGHTS_FILE, weights=self._weights, biases=self._biases, questions=np.array(self._questions)
            )
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets intent, ranking of intents and `response_selector` of each message."""
        for message in messages:
            likely = softmax(self._scores(message).astype(np.float64)).tolist()
            probabilities = dict(zip(self._questions, likely, strict=True))
            intents = _ranking(INTENT_NAME_KEY, _by_intent(probabilities))[: self._config["ranking_length"] or None]
            message.set(INTENT, intents[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, intents, add_to_output=True)
            message.set(RESPONSE_SELECTOR_PROPERTY_NAME, _answers(probabilities), add_to_output=True)
        return messages

    def _scores(self, message: Message) -> npt.NDArray[np.floating[Any]]:
        if self._weights is None or self._biases is None:
            raise RuntimeError("QuestionClassifier: nothing was trained yet.")
        return self._weights @ _features(message) + self._biases


def _features(message: Message) -> npt.NDArray[np.float32]:
    """The sentence features of a message, shape (features,)."""
    sparse, dense = message.get_sparse_features(TEXT)[1], message.get_dense_features(TEXT)[1]
    parts = [sparse.features.toarray()[0]] if sparse else []
    parts += [dense.features[0]] if dense else []
    return np.concatenate(parts).astype(np.float32)


def _by_intent(probabilities: dict[str, float]) -> dict[str, float]:
    """The probability of each intent, from those of its questions."""
    intents: dict[str, float] = {}
    for question, probability in probabilities.items():
        intent = question.split(RESPONSE_IDENTIFIER_DELIMITER)[0]
        intents[intent] = intents.get(intent, 0.0) + probability
    return intents


def _answers(probabilities: dict[str, float]) -> dict[str, Any]:
    """Rasa's `response_selector` output: the best answer of each retrieval intent, and how sure it is within it."""
    by_intent: dict[str, dict[str, float]] = {}
    for question, probability in probabilities.items():
        intent, delimiter, _ = question.partition(RESPONSE_IDENTIFIER_DELIMITER)
        if delimiter:
            by_intent.setdefault(intent, {})[question] = probability
    output: dict[str, Any] = {RESPONSE_SELECTOR_RETRIEVAL_INTENTS: sorted(by_intent)}
    for intent, questions in by_intent.items():
        total = sum(questions.values()) or 1.0
        shares = {name: value / total for name, value in questions.items()}
        ranking = _ranking(INTENT_RESPONSE_KEY, shares)[:ANSWERS_RANKED]
        action = util.intent_response_key_to_template_key(ranking[0][INTENT_RESPONSE_KEY])
        output[intent] = {
            RESPONSE_SELECTOR_PREDICTION_KEY: {**ranking[0], RESPONSE_SELECTOR_UTTER_ACTION_KEY: action},
            RESPONSE_SELECTOR_RANKING_KEY: ranking,
        }
    return output


def _ranking(key: str, probabilities: dict[str, float]) -> list[dict[str, Any]]:
    """Names with their probabilities, the likeliest first."""
    ranked = sorted(probabilities.items(), key=lambda pair: -pair[1])
    return [{key: name, PREDICTED_CONFIDENCE_KEY: probability} for name, probability in ranked]
