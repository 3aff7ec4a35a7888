"""Replaces methods of Rasa that are slow, and those that lose what was said.

Those that cost most of a message's time are replaced by ones with the same outcome. docs/performance.md says what each
costs and how that was measured.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jsonschema
import rasa.core.agent
import rasa.core.tracker_store
from rasa.core.actions.action import RemoteAction
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import TrackerStore
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.training.hooks import TrainingHook
from rasa.shared.core.events import Event

from backtalk.engine.actions import ActionsInProcess
from backtalk.engine.reminders import is_still_due
from backtalk.engine.tracker_store import RememberingTrackerStore


def take_shortcuts() -> None:
    """Replaces the methods for this process."""
    RemoteAction._validate_action_result = _validate_action_result
    # Rasa walks through all classes of events for every event that it reads from the tracker store.
    Event.resolve_by_type = staticmethod(lru_cache(maxsize=None)(Event.resolve_by_type))
    # Rasa falls back to a store in memory, without a word to anybody, when its own cannot be read or written.
    rasa.core.agent.FailSafeTrackerStore = _as_it_is
    # Rasa's own store ends the process where a row or an id is odd; `type: SQL` in endpoints.yml means this one.
    rasa.core.tracker_store.SQLTrackerStore = RememberingTrackerStore
    # Rasa builds a graph for dask and has it scheduled for every message and every prediction.
    DaskGraphRunner.run = _run_graph
    # Rasa keeps what each component made, under a fingerprint of all that it was made from: computing those takes
    # longer than making it.
    TrainingHook.on_before_node = _no_fingerprint
    TrainingHook.on_after_node = _not_kept
    # Rasa forgets a reminder with the session in which it was set, but keeps one that was cancelled elsewhere.
    MessageProcessor._is_reminder_still_valid = staticmethod(is_still_due)


def _as_it_is(store: TrackerStore) -> TrackerStore:
    """The store itself, whose errors reach the channel."""
    return store


def _no_fingerprint(self: TrainingHook, **_: Any) -> dict[str, Any]:
    return {}


def _not_kept(self: TrainingHook, **_: Any) -> None:
    """Leaves Rasa's cache as it is."""


def _run_graph(
    self: DaskGraphRunner, inputs: dict[str, Any] | None = None, targets: list[str] | None = None
) -> dict[str, Any]:
    """Runs the nodes that the targets need, each once, and returns the targets' outputs."""
    outputs = {name: (name, value) for name, value in (inputs or {}).items()}
    nodes = self._graph_schema.nodes

    def output(name: str) -> Any:
        if name not in outputs and name in nodes:
            outputs[name] = self._instantiated_nodes[name](*[output(need) for need in nodes[name].needs.values()])
        # Rasa's nodes themselves report an input that nobody provides; it reaches them as its name.
        return outputs.get(name, name)

    return dict(output(name) for name in targets or self._graph_schema.target_names)


def _validate_action_result(self: RemoteAction, result: dict[str, Any]) -> bool:
    """Checks an action server's reply against a schema that is prepared once, not for every reply.

    The executor checks the events itself where the actions run in this process.
    """
    if isinstance(self.action_endpoint, ActionsInProcess):
        return True
    error = next(_validator().iter_errors(result), None)
    if error is None:
        return True
    error.message += (
        f". Failed to validate the reply of the action server from URL '{self.action_endpoint.url}'. "
        "It must be a JSON object with events and responses."
    )
    raise error


@lru_cache(maxsize=1)
def _validator() -> jsonschema.protocols.Validator:
    schema = RemoteAction.action_response_format_spec()
    return jsonschema.validators.validator_for(schema)(schema)
