"""Repairs misspelt words to the vocabulary of the phrases, and leaves every real English word alone."""

from functools import lru_cache
from typing import Iterable, Optional

from rapidfuzz.distance import DamerauLevenshtein
from rapidfuzz.process import extractOne
from spellchecker import SpellChecker

SHORTEST = 5


class Spelling:
    """Maps a word to the nearest word of a vocabulary.

    Words of fewer than five letters are never changed; one wrong letter is allowed up to seven letters, two above.
    """

    def __init__(self, vocabulary: Iterable[str]):
        self._vocabulary = {word for word in vocabulary if word.isalpha()}
        self._targets = sorted(word for word in self._vocabulary if len(word) >= SHORTEST - 1)
        self._repair = lru_cache(maxsize=4096)(self._find)

    def repair(self, word: str) -> str:
        """The word meant by a lower-case `word`, or the word itself."""
        if len(word) < SHORTEST or not word.isalpha() or word in self._vocabulary:
            return word
        return self._repair(word)

    def _find(self, word: str) -> str:
        if word in english_words():
            return word
        most = 1 if len(word) <= 7 else 2
        near: Optional[tuple] = extractOne(
            word, self._targets, scorer=DamerauLevenshtein.distance, score_cutoff=most
        )
        return near[0] if near and near[0][0] == word[0] else word


@lru_cache(maxsize=1)
def english_words() -> frozenset[str]:
    """The English words that pyspellchecker's dictionary knows, five letters and longer."""
    return frozenset(word for word in SpellChecker().word_frequency.words() if len(word) >= SHORTEST)
