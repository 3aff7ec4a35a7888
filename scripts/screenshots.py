"""Takes the pictures of the widget in docs/, from a bot of its own: `python scripts/screenshots.py`.

Needs Debian's Chromium.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from console import ROOT, Failure, main, say
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from servers import Bot, free_port
from train import train

DOCS = ROOT / "docs"
WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 320, "height": 640}
WHERE = ("woke up with it yesterday, my back has seized up, 4 out of 10",)
RESULT = ("woke up with a stiff neck yesterday, 4 out of 10", "none", "blood thinners")
EMERGENCY = ("i can't hold my pee since this morning",)


def work() -> None:
    """Takes all pictures. Raises Failure."""
    chromium = shutil.which("chromium")
    if not chromium:
        raise Failure(
            "The pictures need Chromium: install it (on Debian: `apt-get install chromium`) and run this again."
        )
    train()
    folder = Path(tempfile.mkdtemp())
    with (
        Bot(free_port(), free_port(), database=folder / "conversations.db", logs=folder) as bot,
        sync_playwright() as playwright,
    ):
        bot.start()
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        _take(browser, bot.url, "widget-1280", WIDE, "light", WHERE, ("Neck", "Lower back"))
        _take(browser, bot.url, "widget-320-where", NARROW, "light", WHERE, ("Lower back",))
        _take(browser, bot.url, "widget-320-result", NARROW, "light", RESULT)
        _take(browser, bot.url, "widget-320-emergency", NARROW, "dark", EMERGENCY)
        browser.close()


def _take(
    browser: Browser,
    url: str,
    name: str,
    size: ViewportSize,
    scheme: Literal["dark", "light"],
    messages: Sequence[str],
    regions: Sequence[str] = (),
) -> None:
    context = browser.new_context(viewport=size, color_scheme=scheme, locale="en-GB")
    page = context.new_page()
    page.goto(f"{url}/chat")
    for message in messages:
        _say(page, message)
    for region in regions:
        page.get_by_role("checkbox", name=region).click()
    # The cursor does not belong into a picture.
    page.evaluate("document.querySelector('backtalk-chat').shadowRoot.activeElement?.blur()")
    page.screenshot(path=DOCS / f"{name}.png")
    context.close()
    say(f"docs/{name}.png")


def _say(page: Page, message: str) -> None:
    replies = page.get_by_role("log").locator("> *")
    before = replies.count()
    page.get_by_label("Your message").fill(message)
    page.get_by_role("button", name="Send").click()
    page.wait_for_function(
        "([log, count]) => log.children.length > count + 1", arg=[page.get_by_role("log").element_handle(), before]
    )
    page.get_by_text("is writing").wait_for(state="detached")


if __name__ == "__main__":
    main(work)
