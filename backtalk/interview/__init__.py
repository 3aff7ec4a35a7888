"""The questionnaire as pure functions: what is known, what a message adds, and what to ask next. Imports no Rasa."""

from backtalk.interview.hearing import Heard, hear
from backtalk.interview.model import (
    AGE,
    CHECKLISTS,
    CONFIRM,
    FOUND,
    MOST_BUTTONS,
    NONE,
    QUESTIONS,
    UNSURE,
    Interview,
)
from backtalk.interview.questions import (
    checklist,
    doubted,
    entry,
    fresh_start,
    go_back,
    in_doubt,
    look_again,
    next_question,
    was_picked_from,
)

__all__ = [
    "AGE",
    "CHECKLISTS",
    "CONFIRM",
    "FOUND",
    "MOST_BUTTONS",
    "NONE",
    "QUESTIONS",
    "UNSURE",
    "Heard",
    "Interview",
    "checklist",
    "doubted",
    "entry",
    "fresh_start",
    "go_back",
    "hear",
    "in_doubt",
    "look_again",
    "next_question",
    "was_picked_from",
]
