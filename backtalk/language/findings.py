"""What is found in a message."""

from dataclasses import dataclass

from backtalk.language.assertion import PATIENT, PRESENT


@dataclass(frozen=True)
class Finding:
    """One thing a message mentions.

    `kind` is region, onset, red_flag, caution, sign (numbness of a limb), complaint (pain, spasm) or answer; `status`
    and `experiencer` are those of `Assertion`; `start` and `end` are character offsets of `said` in the message.
    `weak` marks words that mean it only as the answer to a question about it ("lower").
    """

    kind: str
    id: str
    said: str
    start: int
    end: int
    status: str = PRESENT
    experiencer: str = PATIENT
    weak: bool = False
