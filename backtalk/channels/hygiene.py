"""Makes typed text safe to hand to Rasa."""

import re

# What the bot's own buttons send. Whatever else begins with a slash is a visitor's words, and is read as such.
_INTENTS = "affirm|deny|not_sure|report_spasm|human|start_over|help|inform|go_on|check_in|better|same|worse"
_BUTTON = re.compile(rf"^/(?:{_INTENTS})(?:\{{[^{{}}]*\}})?$")
_COMMAND = re.compile(rf"^/(?:{_INTENTS})\s+(?=\S)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def clean(text: str) -> str:
    """The text without control characters, and without a leading command unless a button of ours sends it."""
    text = _CONTROL.sub(" ", text).strip()
    return text if _BUTTON.match(text) else _COMMAND.sub("", text).lstrip("/ ")
