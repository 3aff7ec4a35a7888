"""The policy that lets nothing stand before a danger sign."""

from __future__ import annotations

from typing import Any

from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.trackers import DialogueStateTracker

ASSESSMENT = "action_assessment"
CORRECT = "action_correct"
START_OVER = "action_start_over"
WELCOME_BACK = "action_welcome_back"
FORM = "spasm_assessment"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=False)
class ScreeningPolicy(Policy):
    """Gives the assessment as soon as it is due, and takes up whatever a visitor tells of their back.

    The slot `assessment_due` makes it predict the assessment at once, in the questionnaire or out of it, whatever the
    intent. The slot `telling` (a message told something that is not assessed yet) makes it start the questionnaire
    when it is not active: at once, or behind the answer where the message wanted something else too (`answer_first`, a
    list of intents); a flag that waits for a yes or no comes before any answer. A question asked within the
    questionnaire gets its answer although the message answered the questionnaire as well (`digressions`, the action
    for each intent), and whoever wants to leave it may (`exits`, the action for each intent), unless the message also
    answers the open question and the intent's confidence is below `sure` (`make calibrate` sets it). What a message
    corrects is acknowledged first (the slot `corrected`), and somebody who comes back after a silence (`returned`) is
    asked whether to go on, behind the answer where the message was a question (`answer_first`, but for `greetings`).
    Behind the actions in `listen_after` it is the visitor's turn, and behind those in `ask_on` the questionnaire's.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`priority` stands above RulePolicy's 6."""
        return {
            "priority": 7,
            "answer_first": [],
            "greetings": [],
            "digressions": {},
            "exits": {},
            "sure": 0.8,
            "listen_after": [],
            "ask_on": [],
        }

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> ScreeningPolicy:
        """Nothing is trained, so nothing is loaded."""
        return cls(config, model_storage, resource, execution_context)

    def train(self, training_trackers: list[TrackerWithCachedStates], domain: Domain, **kwargs: Any) -> Resource:
        """Learns nothing."""
        return self._resource

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        """Certain of one action, or silent."""
        probabilities = self._default_predictions(domain)
        action = self._next_action(tracker)
        if action:
            probabilities[domain.index_for_action(action)] = 1.0
        # Rasa lets an active form overrule every prediction that is not marked so.
        return self._prediction(probabilities, is_no_user_prediction=action is not None)

    def _next_action(self, tracker: DialogueStateTracker) -> str | None:
        latest_action = tracker.latest_action_name
        if tracker.get_slot("assessment_due") and latest_action != ASSESSMENT:
            return ASSESSMENT
        if latest_action in self.config["listen_after"]:
            return ACTION_LISTEN_NAME
        message = tracker.latest_message
        intent = message.intent.get("name") if message else None
        turn_begins = latest_action == ACTION_LISTEN_NAME
        if turn_begins and tracker.get_slot("starting_over") and not tracker.get_slot("flags_to_confirm"):
            return START_OVER
        if turn_begins and tracker.get_slot("corrected") and intent not in self.config["exits"]:
            return CORRECT
        if tracker.active_loop_name:
            return self._way_out(tracker, intent) if turn_begins else self._way_on(latest_action)
        if tracker.get_slot("returned"):
            is_question = intent in self.config["answer_first"] and intent not in self.config["greetings"]
            return None if turn_begins and is_question else WELCOME_BACK
        if not tracker.get_slot("telling") or latest_action == FORM:
            return None
        may_wait = not tracker.get_slot("flags_to_confirm") and intent in self.config["answer_first"]
        return None if turn_begins and may_wait else FORM

    def _way_on(self, latest_action: str | None) -> str | None:
        """The questionnaire, behind an action that was put in before its next question."""
        return FORM if latest_action in self.config["ask_on"] else None

    def _way_out(self, tracker: DialogueStateTracker, intent: str | None) -> str | None:
        """The action for a message in the questionnaire that wants something else than to answer."""
        sure = tracker.latest_message.intent.get("confidence", 0) >= self.config["sure"]
        if intent in self.config["exits"] and (sure or not tracker.get_slot("answered")):
            return self.config["exits"][intent]
        if tracker.get_slot("flags_to_confirm") and tracker.get_slot("requested_slot") != "flags_to_confirm":
            return None
        asks = any(entity["entity"] == "question" for entity in tracker.latest_message.entities)
        return self.config["digressions"].get(intent) if asks else None
