"""`python -m backtalk.engine serve` serves the bot; any other word is a command of Rasa, such as `train` or `data validate`."""

import argparse
import sys

from backtalk.engine.without_tensorflow import leave_out_tensorflow


def main() -> None:
    """Runs the command. Rasa is imported behind the placeholders for TensorFlow."""
    leave_out_tensorflow()
    if sys.argv[1:2] != ["serve"]:
        from rasa.__main__ import main as rasa_main

        return rasa_main()
    from backtalk.engine.serve import add_arguments, serve

    parser = argparse.ArgumentParser(prog="python -m backtalk.engine serve", description="Serves the bot and its actions.")
    add_arguments(parser)
    serve(parser.parse_args(sys.argv[2:]))


if __name__ == "__main__":
    main()
