"""Bots and visitors for the tests: the trained model and the real actions, on free ports."""

import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from servers import Bot, free_port  # noqa: E402

__all__ = ["ROOT", "Bot", "Visitor", "free_port", "quick_bot"]


def quick_bot(folder: Path, *arguments: str, **options: Any) -> Bot:
    """A bot that keeps all it has in a folder, and lets a visitor write as fast as tests do."""
    credentials = (ROOT / "credentials.yml").read_text()
    path = folder / "credentials.yml"
    path.write_text(credentials.replace("session_rate: 30/minute", "session_rate: 100000/minute"))
    return Bot(
        free_port(),
        free_port(),
        database=folder / "conversations.db",
        logs=folder,
        arguments=["--credentials", str(path), *arguments],
        **options,
    )


class Visitor:
    """Somebody who chats with the bot over REST."""

    def __init__(self, url: str):
        self.url = url
        self.sender = uuid.uuid4().hex
        self.replies: list[dict[str, Any]] = []
        self.metadata: dict[str, Any] | None = None

    @property
    def conversation(self) -> str:
        """The conversation's name in the bot's database."""
        return f"rest:{self.sender}"

    def say(self, message: Any) -> list[dict[str, Any]]:
        """Sends a message and returns the replies."""
        body = {"sender": self.sender, "message": message}
        self.replies = self.post({**body, "metadata": self.metadata} if self.metadata else body)[1]
        return self.replies

    def wait(self, minutes: float) -> None:
        """Makes the latest message of the visitor one of so many minutes ago."""
        parsed = {"intent": {"name": "greet"}, "entities": [], "text": ""}
        event = {
            "event": "user",
            "text": "",
            "parse_data": parsed,
            "timestamp": time.time() - 60 * minutes,
            "input_channel": "rest",
        }
        self._call(f"/conversations/{self.conversation}/tracker/events", event)

    def tap(self, title: str) -> list[dict[str, Any]]:
        """Presses a button of the last replies."""
        buttons = {button["title"]: button["payload"] for button in self.buttons}
        assert title in buttons, f"no button {title!r} among {sorted(buttons)}"
        return self.say(buttons[title])

    @property
    def buttons(self) -> list[dict[str, str]]:
        """The buttons of the last replies."""
        return [button for reply in self.replies for button in reply.get("buttons", ())]

    @property
    def text(self) -> str:
        """The text of the last replies."""
        return "\n".join(reply.get("text", "") for reply in self.replies)

    @property
    def assessment(self) -> dict[str, Any] | None:
        """The assessment among the last replies."""
        found = [reply["custom"] for reply in self.replies if reply.get("custom", {}).get("type") == "assessment"]
        return found[-1] if found else None

    @property
    def slots(self) -> dict[str, Any]:
        """The slots of the conversation."""
        with urllib.request.urlopen(f"{self.url}/conversations/{self.conversation}/tracker", timeout=30) as reply:
            return json.load(reply)["slots"]

    def _call(self, path: str, body: Any) -> Any:
        """Posts to Rasa's own API."""
        request = urllib.request.Request(
            f"{self.url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def post(self, body: Any) -> tuple[int, Any]:
        """Status and content that the bot answers to a body, which is sent as it is when it is bytes."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/webhooks/rest/webhook", data, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
