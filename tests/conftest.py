"""The bot that the tests talk to, started once."""

from collections.abc import Iterator

import pytest
from visitors import Visitor, quick_bot

from backtalk.engine import prepare_rasa

prepare_rasa()

from train import train  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bot", help="address of a running bot to test, started with --enable-api; default: start one")


@pytest.fixture(scope="session")
def bot_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running bot."""
    if request.config.getoption("--bot"):
        yield request.config.getoption("--bot")
        return
    train()
    folder = tmp_path_factory.mktemp("bot")
    with quick_bot(folder, "--enable-api") as bot:
        bot.start()
        yield bot.url


@pytest.fixture
def visitor(bot_url: str) -> Visitor:
    """A new visitor."""
    return Visitor(bot_url)
