"""What the unit tests share."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, configuration, settings
from ruamel.yaml import YAML
from sanic.touchup import TouchUp

from backtalk import paths
from backtalk.knowledge import load_knowledge

# Hypothesis keeps nothing in the repository and tries the same examples every time; a slow machine is no failure.
configuration.set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "hypothesis")
settings.register_profile(
    "backtalk",
    database=None,
    deadline=None,
    max_examples=80,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
settings.load_profile("backtalk")


@pytest.fixture(scope="session", autouse=True)
def several_servers():
    """Lets several servers start in one process.

    Sanic rewrites its own methods when one does, and cannot do so again for the next.
    """
    rewrite = TouchUp.run

    def once(app):
        TouchUp.run = lambda app: None
        rewrite(app)

    TouchUp.run = once
    yield
    TouchUp.run = rewrite


@pytest.fixture(scope="session")
def knowledge():
    """The shipped knowledge."""
    return load_knowledge()


@pytest.fixture(scope="session")
def responses():
    """Every response of the bot: its name and its variants."""
    found = {}
    for path in sorted((paths.ROOT / "data" / "responses").glob("*.yml")):
        for name, variants in YAML(typ="safe").load(path)["responses"].items():
            assert name not in found, f"{name} stands in two files"
            found[name] = variants
    return found


@pytest.fixture(scope="session")
def domain():
    """The domain without the responses."""
    return YAML(typ="safe").load(paths.ROOT / "domain.yml")
