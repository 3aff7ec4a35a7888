"""Rasa's response generator, with `[have you|has he]` in the responses of `data/responses/`."""

from __future__ import annotations

from typing import Any

from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.utils.endpoints import EndpointConfig

from backtalk.interview.model import addressed
from backtalk.wording import personal


class PersonalResponses(TemplatedNaturalLanguageGenerator):
    """Speaks to the person whose back it is, or of that person to somebody who writes for another.

    See `backtalk.wording`.
    """

    def __init__(self, endpoint_config: EndpointConfig | None = None, domain: Domain | None = None) -> None:
        """Takes what Rasa gives to a generator that endpoints.yml names."""
        super().__init__(domain.responses if domain else {})

    def _fill_response(
        self, response: dict[str, Any], filled_slots: dict[str, Any] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Chooses the words before the gaps are filled, so that a visitor's own brackets stay as they are."""
        slots = filled_slots or {}
        if isinstance(response.get("text"), str):
            response["text"] = personal(response["text"], addressed(slots.get("patient"), slots.get("pronoun")))
        return super()._fill_response(response, filled_slots, **kwargs)
