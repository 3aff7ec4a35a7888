"""The chat as a visitor meets it in a browser: by the roles and names of what is on the screen."""

import json
import re
import urllib.request
from collections.abc import Sequence
from typing import Any

import jwt
from playwright.sync_api import Locator, Page, expect

TITLE = "Back spasm help"
HURT = "threw my lower back out lifting a box yesterday, about a 6"
CANNOT_HOLD = "I can't hold my pee since this morning"
NONE = "None of these"
AT_HOME, URGENT, EMERGENCY = "Care for it at home", "Urgent: be examined without delay", "Emergency: get help now"
TRY_AGAIN = "Try again"

# Whether the keyboard is in the chat; looked at again with each frame, so that no moment without is missed.
WATCH_FOCUS = """() => {
  window.focusLost = false;
  const look = () => {
    if (document.activeElement === document.body) window.focusLost = true;
    requestAnimationFrame(look);
  };
  look();
}"""


class Chat:
    """The chat on a page, and what its visitor does there."""

    def __init__(self, page: Page, bot: str, title: str = TITLE) -> None:
        self.page, self._bot = page, bot
        self.launcher = page.get_by_role("button", name="Ask about your back")
        self.panel = page.get_by_role("dialog", name=title)
        self.log = self.panel.get_by_role("log")
        self.earlier = self.panel.get_by_role("group", name="Earlier messages")
        self.box = self.panel.get_by_role("textbox", name="Your message")
        self.map = self.panel.get_by_role("group", name="Back view of a person")
        self.alert = self.panel.get_by_role("alert")
        self.emergency = self.panel.get_by_role("complementary")

    def button(self, name: str) -> Locator:
        """A button of the panel."""
        return self.panel.get_by_role("button", name=name, exact=True)

    def option(self, text: str) -> Locator:
        """An entry of a checklist."""
        return self.panel.get_by_role("button", name=text)

    def region(self, name: str) -> Locator:
        """A region of the body map."""
        return self.map.get_by_role("checkbox", name=name)

    def result(self, level: str) -> Locator:
        """The card of a result of this level."""
        return self.panel.get_by_role("article", name=level)

    def wait(self) -> None:
        """Waits until the bot has written its reply."""
        expect(self.panel.get_by_text("Backtalk is writing")).to_have_count(0)

    def ready(self) -> None:
        """Waits until the chat can be used: there is a conversation, or the beginning of one."""
        expect(self.panel.get_by_text(re.compile("erased 30 days after"))).to_be_attached()

    def write(self, text: str) -> None:
        """Writes and sends a message."""
        self.box.fill(text)
        self.button("Send").click()

    def say(self, *texts: str) -> None:
        """Writes messages, each after the reply to the one before."""
        for text in texts:
            self.write(text)
            self.wait()

    def tap(self, *names: str) -> None:
        """Presses answers, each after the reply to the one before."""
        for name in names:
            self.button(name).click()
            self.wait()

    def choose(self, *entries: str) -> None:
        """Chooses entries of a list, and sends them."""
        for entry in entries:
            self.option(entry).click()
        self.tap("Continue")

    def reach_result(self) -> None:
        """Tells of a strain and of no danger sign."""
        self.say(HURT)
        self.tap(NONE, NONE)
        expect(self.result(AT_HOME)).to_be_visible()

    def reload(self) -> None:
        """Loads the page anew, with a chat that was open and is again."""
        self.page.reload()
        self.ready()

    def stored(self) -> dict[str, Any]:
        """What the browser keeps, for all tabs or for this one, each under the last word of its name."""
        kept = self.page.evaluate("() => ({...localStorage, ...sessionStorage})")
        return {name.split()[-1]: json.loads(value) for name, value in kept.items()}

    @property
    def token(self) -> str:
        """What lets the browser into its conversation."""
        return self.stored()["session"]["token"]

    @property
    def sender(self) -> str:
        """The conversation's name in the bot's database."""
        return f"web:{jwt.decode(self.token, options={'verify_signature': False})['sub']}"

    def history(self, token: "str | None" = None) -> list[dict[str, Any]]:
        """What the bot has kept of the conversation."""
        request = urllib.request.Request(
            f"{self._bot}/chat/api/history", headers={"Authorization": f"Bearer {token or self.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)["messages"]

    def told(self) -> list[str]:
        """What the bot has kept of the visitor's words."""
        return [message["text"] for message in self.history() if message["from"] == "visitor"]

    # ---- By keyboard

    def press(self, *keys: str) -> None:
        """Presses keys, wherever the focus is."""
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, target: Locator, key: str = "Tab") -> None:
        """Goes on with the tabulator until the target has the focus."""
        for _ in range(60):
            if target.evaluate("element => element.getRootNode().activeElement === element"):
                return
            self.press(key)
        raise AssertionError(f"the tabulator does not reach {target}")

    def answer_by_keyboard(self, name: str, key: str = "Enter") -> None:
        """Goes to an answer with the tabulator, and gives it."""
        self.tab_to(self.button(name))
        self.press(key)
        self.wait()

    def focus_was_lost(self) -> bool:
        """Whether the focus was ever nowhere since WATCH_FOCUS."""
        return self.page.evaluate("() => window.focusLost")


def lines(*replies: dict[str, Any]) -> str:
    """Replies as the bot streams them."""
    return "".join(f"{json.dumps(reply)}\n" for reply in replies)


def answer_with(chat: Chat, replies: Sequence[dict[str, Any]]) -> None:
    """Has the next messages answered with forged replies."""
    chat.page.route(
        "**/chat/api/messages",
        lambda route: route.fulfill(status=200, content_type="application/x-ndjson", body=lines(*replies)),
    )
