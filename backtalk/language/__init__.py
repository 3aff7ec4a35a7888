"""Reads a visitor's message: which findings it mentions, of whom, and whether they are asserted.

Built on a blank English spaCy pipeline and the phrases in `data/knowledge/phrases/`. Imports no Rasa.
"""

from backtalk.language.findings import Finding
from backtalk.language.reader import Reader, Reading, load_reader, load_wording_reader

__all__ = ["Finding", "Reader", "Reading", "load_reader", "load_wording_reader"]
