"""The summary for a doctor: as text, as a page to save, and as FHIR."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.tracker import interview_of, summary_of
from backtalk.fhir import questionnaire_response
from backtalk.knowledge import load_knowledge
from backtalk.summary import summary_page, summary_sections, summary_text


class ActionSummary(Action):
    """Sends the summary; a channel that can offers its page as a document."""

    def name(self) -> str:
        return "action_summary"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        interview, summary = interview_of(tracker), summary_of(tracker)
        if interview.is_empty:
            dispatcher.utter_message(response="utter_nothing_told")
            return []
        payload = {
            "type": "summary",
            "sections": summary_sections(summary),
            "document": {
                "name": f"back-summary-{summary.written:%Y-%m-%d}.html",
                "mime_type": "text/html",
                "content": summary_page(summary),
            },
            "fhir": questionnaire_response(summary, interview, load_knowledge(), bool(tracker.get_slot("assessed"))),
        }
        dispatcher.utter_message(text=summary_text(summary), json_message=payload)
        dispatcher.utter_message(response="utter_summary_given")
        return []
