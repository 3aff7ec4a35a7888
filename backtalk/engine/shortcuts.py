"""Replaces three methods of Rasa that cost most of a message's time by ones with the same outcome, and one that loses check-ins.

docs/performance.md says what each costs and how that was measured.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Dict, List, Optional, Text

import jsonschema
from rasa.core.actions.action import RemoteAction
from rasa.core.processor import MessageProcessor
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.shared.core.events import Event

from backtalk.engine.actions import ActionsInProcess
from backtalk.engine.reminders import is_still_due


def take_shortcuts() -> None:
    """Replaces the methods for this process."""
    RemoteAction._validate_action_result = _validate_action_result
    # Rasa walks through all classes of events for every event that it reads from the tracker store.
    Event.resolve_by_type = staticmethod(lru_cache(maxsize=None)(Event.resolve_by_type))
    # Rasa builds a graph for dask and has it scheduled for every message and every prediction.
    DaskGraphRunner.run = _run_graph
    # Rasa forgets a reminder with the session in which it was set, and does not forget one that was cancelled elsewhere.
    MessageProcessor._is_reminder_still_valid = staticmethod(is_still_due)


def _run_graph(
    self: DaskGraphRunner, inputs: Optional[Dict[Text, Any]] = None, targets: Optional[List[Text]] = None
) -> Dict[Text, Any]:
    """Runs the nodes that the targets need, each once, and returns the targets' outputs."""
    outputs = {name: (name, value) for name, value in (inputs or {}).items()}
    nodes = self._graph_schema.nodes

    def output(name: Text) -> Any:
        if name not in outputs and name in nodes:
            outputs[name] = self._instantiated_nodes[name](*[output(need) for need in nodes[name].needs.values()])
        # Rasa's nodes themselves report an input that nobody provides; it reaches them as its name.
        return outputs.get(name, name)

    return dict(output(name) for name in targets or self._graph_schema.target_names)


def _validate_action_result(self: RemoteAction, result: Dict[str, Any]) -> bool:
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
