"""Trains where needed, starts the bot, and says where to chat. Ctrl-C ends it."""

import os
import secrets
import sys
from pathlib import Path

from console import ROOT, main, say
from servers import HOST, Bot, check_free, keep_running, make_private, ports
from train import train

KEY_VARIABLE = "BACKTALK_SESSION_KEY"
KEY_FILE = ROOT / "var" / "session.key"


def work() -> None:
    """Runs until Ctrl-C. Raises Failure."""
    port, actions_port = ports()
    check_free("bot", port)
    check_free("action server", actions_port)
    train()
    os.environ[KEY_VARIABLE] = os.environ.get(KEY_VARIABLE) or session_key()
    with Bot(port, actions_port, os.environ.get("BACKTALK_HOST", HOST)) as bot:
        say("Starting the bot (about 10 s) ...")
        bot.start(_show_waiting)
        say(f"\nBacktalk is ready: chat at {bot.url}/chat   (Ctrl-C ends it)")
        try:
            keep_running(bot)
        except KeyboardInterrupt:
            say("\nEnding ...")


def session_key(path: Path = KEY_FILE) -> str:
    """The key that signs the chats on the web, which only its owner can read.

    It is made at random the first time, and kept so that the chats outlive a restart.
    """
    try:
        key = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        key = ""
    if not key:
        key = secrets.token_hex(32)
        make_private(path.parent)
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as stream:
            stream.write(f"{key}\n")
    return key


def _show_waiting(seconds: float) -> None:
    if sys.stdout.isatty():
        print(f"\r\033[K{seconds:.0f} s", end="", flush=True)


if __name__ == "__main__":
    main(work)
