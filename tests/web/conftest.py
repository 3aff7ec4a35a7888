"""A browser, visitors in it, and the bot that they chat with: the trained model and the real channels."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from panel import TITLE, Chat
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from served import HostSite, Watch, WebBot, site_page
from train import train

# Chromium has services of its own, which are none of the page's.
SILENT = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--no-first-run",
    "--no-default-browser-check",
]

expect.set_options(timeout=10_000)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def launch(playwright: Playwright) -> Callable[..., Browser]:
    """Starts a browser with more arguments."""
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("the tests of the page need Chromium: apt-get install chromium")

    def start(*arguments: str) -> Browser:
        return playwright.chromium.launch(executable_path=chromium, args=[*SILENT, *arguments])

    return start


@pytest.fixture(scope="session")
def browser(launch: Callable[..., Browser]) -> Iterator[Browser]:
    started = launch()
    yield started
    started.close()


@pytest.fixture(scope="session")
def host_site() -> Iterator[HostSite]:
    site = HostSite()
    yield site
    site.stop()


@pytest.fixture(scope="session")
def bot(tmp_path_factory: pytest.TempPathFactory, host_site: HostSite) -> Iterator[WebBot]:
    """The bot that all visitors chat with."""
    train()
    started = WebBot(tmp_path_factory.mktemp("web"), host_site.allowed)
    started.start()
    yield started
    started.kill()


@pytest.fixture
def watch(bot: WebBot, host_site: HostSite) -> Iterator[Watch]:
    """Fails a test in which a page had errors, or asked another host than the bot's and its own."""
    watching = Watch(bot.url, host_site.allowed, host_site.not_allowed)
    yield watching
    assert not watching.problems, "\n".join(watching.problems)


@pytest.fixture
def visit(browser: Browser, bot: WebBot, watch: Watch) -> Iterator[Callable[..., Chat]]:
    """Lets a new visitor come, with a context of their own.

    `at`: the page, else the bot's own. `site`: the settings of the chat on a page that has nothing else, and shows its
    button. `using`: another browser. `before` is called with the page while it is still empty. `options`: of the
    context.
    """
    contexts: list[BrowserContext] = []

    def come(
        at: "str | None" = None,
        site: "dict[str, str] | None" = None,
        using: Browser = browser,
        before: "Callable[[Page], None] | None" = None,
        **options: Any,
    ) -> Chat:
        context = using.new_context(**{"locale": "en-US", "viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        page = context.new_page()
        watch.follow(page)
        if before:
            before(page)
        chat = Chat(page, bot.url, (site or {}).get("title", TITLE))
        if site is None:
            page.goto(at or f"{bot.url}/chat")
            if at is None:
                chat.ready()
        else:
            page.route(
                f"{bot.url}/site", lambda route: route.fulfill(content_type="text/html", body=site_page(bot.url, site))
            )
            page.goto(f"{bot.url}/site")
        return chat

    yield come
    for context in contexts:
        context.close()


@pytest.fixture
def chat(visit: Callable[..., Chat]) -> Chat:
    """The chat of a new visitor on the bot's own page."""
    return visit()
