"""Trains where needed, starts the bot, and says where to chat. Ctrl-C ends it."""

import os
import sys

from console import main, say
from servers import HOST, Bot, check_free, ports
from train import train


def work() -> None:
    """Runs until Ctrl-C. Raises Failure."""
    port, actions_port = ports()
    check_free("bot", port)
    check_free("action server", actions_port)
    train()
    with Bot(port, actions_port, os.environ.get("BACKTALK_HOST", HOST)) as bot:
        say("Starting the bot (about 10 s) ...")
        bot.start(_show_waiting)
        say(f"\nBacktalk is ready: chat at {bot.url}/chat   (Ctrl-C ends it)")
        try:
            bot.watch()
        except KeyboardInterrupt:
            say("\nEnding ...")


def _show_waiting(seconds: float) -> None:
    if sys.stdout.isatty():
        print(f"\r\033[K{seconds:.0f} s", end="", flush=True)


if __name__ == "__main__":
    main(work)
