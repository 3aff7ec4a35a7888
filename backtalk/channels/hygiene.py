"""Makes typed text safe to hand to Rasa."""

import re

# What the bot's own buttons send. Whatever else begins with a slash is a visitor's words, and is read as such.
_INTENTS = (
    "affirm|deny|not_sure|report_spasm|human|start_over|help|inform|go_on|check_in|better|same|worse|summary|recap"
)
_BUTTON = re.compile(rf"^/(?:{_INTENTS})(?:\{{[^{{}}]*\}})?$")
_COMMAND = re.compile(rf"^/(?:{_INTENTS})\s+(?=\S)")
# Halves of a surrogate pair are no characters, and cannot be written as UTF-8.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def clean(text: str) -> str:
    """The text without control characters and broken ones.

    A leading command is taken off too, unless a button of ours sends it.
    """
    text = _CONTROL.sub(" ", text).strip()
    return text if _BUTTON.match(text) else _COMMAND.sub("", text).lstrip("/ ")
