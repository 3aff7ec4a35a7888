"""Repairs misspelt words to the vocabulary of the phrases, and leaves every real English word alone."""

from collections.abc import Iterable
from functools import lru_cache

from rapidfuzz.distance import DamerauLevenshtein
from rapidfuzz.process import extractOne
from spellchecker import SpellChecker

SHORTEST = 5
# Words of this length are mended only where two letters changed places ("bakc").
_SWAPPED = 4


class Spelling:
    """Maps a word to the nearest word of a vocabulary.

    One wrong letter is allowed up to seven letters, two above; in words of four letters only two letters that changed
    places, and shorter ones are never changed.
    """

    def __init__(self, vocabulary: Iterable[str]):
        self._vocabulary = {word for word in vocabulary if word.isalpha()}
        self._targets = sorted(word for word in self._vocabulary if len(word) >= SHORTEST - 1)
        self._repair = lru_cache(maxsize=4096)(self._find)

    def repair(self, word: str) -> str:
        """The word meant by a lower-case `word`, or the word itself."""
        if len(word) < _SWAPPED or not word.isalpha() or word in self._vocabulary:
            return word
        return self._repair(word)

    def knows(self, word: str) -> bool:
        """Whether a lower-case word is English, or of the vocabulary, or a misspelling of one of its words."""
        return word in self._vocabulary or word in english_words() or self.repair(word) != word

    def _find(self, word: str) -> str:
        if word in english_words():
            return word
        if len(word) == _SWAPPED:
            return self._swapped_back(word)
        most = 1 if len(word) <= 7 else 2
        near = extractOne(word, self._targets, scorer=DamerauLevenshtein.distance, score_cutoff=most)
        return near[0] if near and near[0][0] == word[0] else word

    def _swapped_back(self, word: str) -> str:
        swapped = (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(1, len(word) - 1))
        return next((other for other in swapped if other in self._vocabulary), word)


@lru_cache(maxsize=1)
def english_words() -> frozenset[str]:
    """The English words that pyspellchecker's dictionary knows, four letters and longer."""
    return frozenset(word for word in SpellChecker().word_frequency.words() if len(word) >= _SWAPPED)
