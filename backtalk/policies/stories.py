"""The policy that follows the stories."""

from __future__ import annotations

from typing import Any

from rasa.core.policies.memoization import AugmentedMemoizationPolicy
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.core.constants import ACTION_LISTEN_NAME, PREVIOUS_ACTION, USER
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ACTION_NAME


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class StoryPolicy(AugmentedMemoizationPolicy):
    """Follows a story as soon as the latest turns are those of one, whatever came before them.

    Does what AugmentedMemoizationPolicy does for stories whose slots do not steer them, without replaying the
    conversation for every turn that it forgets.
    """

    def recall(
        self, states: list[State], tracker: DialogueStateTracker, domain: Domain, rule_only_data: dict[str, Any] | None
    ) -> str | None:
        """The next action of a story that ends in the latest `states`, the longest such ending first, or None."""
        action = self._recall_states(states)
        remembered = [state for state in states if state]
        while action is None and remembered:
            # A story begins with a state in which nothing has happened yet, and one may begin with an action.
            first = remembered[0]
            if first.get(PREVIOUS_ACTION, {}).get(ACTION_NAME) != ACTION_LISTEN_NAME:
                first = {key: value for key, value in first.items() if key != USER}
            # Of a story longer than the memory its beginning is forgotten.
            action = self._recall_states([{}, first, *remembered[1:]]) or self._recall_states([first, *remembered[1:]])
            remembered = remembered[1:]
        return action
