"""Graph component that picks the answer for a retrieval intent."""

from __future__ import annotations

from typing import Any, Dict, List, Text, Tuple

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.classifiers.logistic_regression_classifier import LogisticRegressionClassifier
from rasa.nlu.constants import (
    RESPONSE_SELECTOR_PREDICTION_KEY,
    RESPONSE_SELECTOR_PROPERTY_NAME,
    RESPONSE_SELECTOR_RANKING_KEY,
    RESPONSE_SELECTOR_RETRIEVAL_INTENTS,
    RESPONSE_SELECTOR_UTTER_ACTION_KEY,
)
from rasa.shared.nlu.constants import INTENT_RESPONSE_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data import util
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class AnswerSelector(LogisticRegressionClassifier):
    """Does what Rasa's ResponseSelector does, by logistic regression on the features that the intents use too.

    Writes the standard `response_selector` output for every retrieval intent, so that retrieval intents work as usual.
    """

    def _create_training_matrix(self, training_data: TrainingData) -> Tuple[csr_matrix, List[str]]:
        examples = [e for e in training_data.intent_examples if e.get(INTENT_RESPONSE_KEY) and e.get(TEXT)]
        return self._create_X(examples), [e.get(INTENT_RESPONSE_KEY) for e in examples]

    def process(self, messages: List[Message]) -> List[Message]:
        """Adds the best answer of every retrieval intent and how sure it is."""
        for message, probabilities in zip(messages, self.clf.predict_proba(self._create_X(messages))):
            message.set(RESPONSE_SELECTOR_PROPERTY_NAME, self._output(probabilities), add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leaves the training data as it is: nothing behind this component reads its output."""
        return training_data

    def _output(self, probabilities: Any) -> Dict[Text, Any]:
        rankings: Dict[Text, List[Dict[Text, Any]]] = {}
        for key, probability in sorted(zip(self.clf.classes_, probabilities), key=lambda pair: -pair[1]):
            rankings.setdefault(key.split("/")[0], []).append(
                {INTENT_RESPONSE_KEY: str(key), PREDICTED_CONFIDENCE_KEY: float(probability)}
            )
        output: Dict[Text, Any] = {RESPONSE_SELECTOR_RETRIEVAL_INTENTS: sorted(rankings)}
        for intent, ranking in rankings.items():
            of_intent = sum(entry[PREDICTED_CONFIDENCE_KEY] for entry in ranking) or 1.0
            ranking = [{**e, PREDICTED_CONFIDENCE_KEY: e[PREDICTED_CONFIDENCE_KEY] / of_intent} for e in ranking[:5]]
            action = util.intent_response_key_to_template_key(ranking[0][INTENT_RESPONSE_KEY])
            output[intent] = {
                RESPONSE_SELECTOR_PREDICTION_KEY: {**ranking[0], RESPONSE_SELECTOR_UTTER_ACTION_KEY: action},
                RESPONSE_SELECTOR_RANKING_KEY: ranking,
            }
        return output
