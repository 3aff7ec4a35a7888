"""`python -m backtalk.engine serve` serves the bot, and `actions` its actions alone.

Any other word is a command of Rasa, such as `train`.
"""

import argparse
import sys

from backtalk.engine import prepare_rasa


def main() -> None:
    """Runs the command."""
    prepare_rasa()
    from backtalk.engine.shortcuts import take_shortcuts

    take_shortcuts()
    command, options = sys.argv[1:2], sys.argv[2:]
    if command == ["serve"]:
        from backtalk.engine import serve

        parser = argparse.ArgumentParser(
            prog="python -m backtalk.engine serve", description="Serves the bot and its actions."
        )
        serve.add_arguments(parser)
        return serve.serve(parser.parse_args(options))
    if command == ["actions"]:
        from backtalk.engine import actions

        parser = argparse.ArgumentParser(
            prog="python -m backtalk.engine actions", description="Serves the actions, for a bot elsewhere."
        )
        actions.add_arguments(parser)
        return actions.serve(parser.parse_args(options))
    from rasa.__main__ import main as rasa_main

    return rasa_main()


if __name__ == "__main__":
    main()
