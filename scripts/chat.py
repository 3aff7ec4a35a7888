"""Chat in the terminal. Talks to a running bot, or starts one for as long as the chat lasts."""

import json
import urllib.error
import urllib.request
import uuid
from contextlib import ExitStack
from typing import Any

from console import Failure, main, say
from servers import HOST, Bot, answers, ports
from train import train


def work() -> None:
    """Runs until the visitor leaves with Ctrl-D, Ctrl-C or "quit". Raises Failure."""
    port, actions_port = ports()
    address = f"http://{HOST}:{port}/webhooks/rest/webhook"
    with ExitStack() as stack:
        if not answers(f"http://{HOST}:{port}/webhooks/rest/"):
            train()
            bot = stack.enter_context(Bot(port, actions_port))
            say("Starting the bot (about 20 s) ...")
            bot.start()
        say('Type your messages; a number picks a choice; "quit" leaves.\n')
        sender = uuid.uuid4().hex
        choices = show(send(address, sender, "hello"))
        while True:
            try:
                text = input("You: ").strip()
            except EOFError:
                say("")
                return
            if text.lower() in ("quit", "exit"):
                return
            picked = text.isdigit() and choices.get(text)
            choices = show(send(address, sender, picked or text))


def send(address: str, sender: str, message: str) -> list[dict[str, Any]]:
    """The replies to a message. Raises Failure when the bot cannot be reached."""
    body = json.dumps({"sender": sender, "message": message}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            replies: list[dict[str, Any]] = json.load(reply)
            return replies
    except urllib.error.HTTPError as error:
        return [{"text": json.load(error)["message"]}]
    except (urllib.error.URLError, OSError) as error:
        raise Failure(f"The bot cannot be reached any more ({error}): start it again.") from None


def show(replies: list[dict[str, Any]]) -> dict[str, str]:
    """Prints replies; returns the payload of each choice by the number that picks it."""
    choices: dict[str, str] = {}
    for reply in replies:
        if reply.get("text"):
            say(f"Bot: {reply['text']}")
        for button in reply.get("buttons", ()):
            choices[str(len(choices) + 1)] = button["payload"]
            say(f"     [{len(choices)}] {button['title']}")
    say("")
    return choices


if __name__ == "__main__":
    main(work)
