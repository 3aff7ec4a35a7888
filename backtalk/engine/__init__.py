"""How Rasa is run here.

It runs on a current Python and current libraries, without TensorFlow, and with the actions in the same process.
"""

import os


def prepare_rasa() -> None:
    """Lets Rasa be imported in this process. Call it before the first import of Rasa; a second call does nothing."""
    # A health bot reports to nobody.
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    from backtalk.engine.bridges import build_bridges
    from backtalk.engine.placeholders import put_placeholders

    put_placeholders()
    build_bridges()
