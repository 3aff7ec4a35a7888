"""The clinical knowledge that trainers write in `data/knowledge/`, checked and loaded once. Imports no Rasa."""

from backtalk.knowledge.loader import KnowledgeError, load_knowledge, load_phrases
from backtalk.knowledge.model import (
    Caution,
    Combination,
    Knowledge,
    LongDuration,
    Muscle,
    Onset,
    OpenFlag,
    Phrases,
    RedFlag,
    Region,
    ReliefOption,
    Sign,
    Source,
    UrgencyLevel,
)

__all__ = [
    "Caution", "Combination", "Knowledge", "KnowledgeError", "LongDuration", "Muscle", "Onset", "OpenFlag", "Phrases", "RedFlag",
    "Region", "ReliefOption", "Sign", "Source", "UrgencyLevel", "load_knowledge", "load_phrases",
]
