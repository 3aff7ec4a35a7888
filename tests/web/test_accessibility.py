"""What axe finds in each state of the chat: nothing, by light and by dark, on a desk and on a phone."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from panel import AT_HOME, CANNOT_HOLD, EMERGENCY, HURT, NONE, WATCH_FOCUS, Chat, lines
from playwright.sync_api import Route, expect

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SIZES = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 320, "height": 568}}


def from_closed_to_map(chat: Chat) -> Iterator[str]:
    expect(chat.launcher).to_be_visible()
    yield "closed"
    chat.launcher.click()
    chat.ready()
    yield "open"
    chat.say("My back has seized up")
    chat.region("Neck").click()
    yield "body map"


def result_and_summary(chat: Chat) -> Iterator[str]:
    chat.launcher.click()
    chat.say(HURT)
    chat.option("fever, chills or night sweats").click()
    yield "checklist"
    chat.option("fever, chills or night sweats").click()
    chat.tap(NONE, NONE)
    expect(chat.result(AT_HOME)).to_be_visible()
    chat.result(AT_HOME).get_by_text("Why this?").first.click()
    yield "result"
    chat.tap("Summary")
    chat.button("View").click()
    expect(chat.page.get_by_role("heading", name="Back spasm summary")).to_be_visible()
    yield "summary"


def emergency_and_trouble(chat: Chat) -> Iterator[str]:
    chat.launcher.click()
    chat.say(CANNOT_HOLD)
    expect(chat.result(EMERGENCY)).to_be_visible()
    yield "emergency"
    chat.page.route("**/chat/api/messages", lambda route: route.abort())
    chat.write("hello?")
    expect(chat.alert).to_be_visible()
    yield "error"
    chat.button("Erase my chat").last.click()
    yield "question before erasing"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("walk", [from_closed_to_map, result_and_summary, emergency_and_trouble])
def test_axe_finds_nothing(visit, watch, walk, size) -> None:
    watch.expects("Failed to load resource: net::ERR_FAILED .*/chat/api/messages")
    chat = visit(site={}, viewport=SIZES[size])
    found = []
    for state in walk(chat):
        for scheme in ("light", "dark"):
            chat.page.emulate_media(color_scheme=scheme)
            results = Axe().run(chat.page, options={"runOnly": TAGS})
            found += [
                f"{state}, {scheme}: {violation['id']}: {node['target']} {node['failureSummary']}"
                for violation in results.response["violations"]
                for node in violation["nodes"]
            ]
    assert not found, "\n\n".join(found)


def test_axe_looks_into_the_chat(visit) -> None:
    chat = visit(site={"open": ""})
    chat.ready()
    chat.button("Send").evaluate("button => { button.textContent = ''; }")
    violations = Axe().run(chat.page, options={"runOnly": TAGS}).response["violations"]
    assert [violation["id"] for violation in violations] == ["button-name"]


def test_the_watch_over_the_focus_sees_when_it_is_lost(visit) -> None:
    chat = visit(site={"open": ""})
    chat.ready()
    chat.box.focus()
    chat.page.evaluate(WATCH_FOCUS)
    assert not chat.focus_was_lost()
    chat.box.evaluate("box => box.blur()")
    chat.page.wait_for_function("() => window.focusLost")


def test_the_page_behind_a_full_screen_chat_is_out_of_reach(visit) -> None:
    chat = visit(site={}, viewport=SIZES["phone"])
    chat.launcher.click()
    chat.ready()
    chat.page.evaluate(WATCH_FOCUS)
    for _ in range(25):
        chat.press("Tab")
        assert chat.page.evaluate("() => ['BODY', 'BACKTALK-CHAT'].includes(document.activeElement.tagName)")


def hold_messages(chat: Chat) -> list[Route]:
    """Lets no message through; they come into the list that is returned."""
    held: list[Route] = []
    chat.page.route("**/chat/api/messages", lambda route: held.append(route))
    return held


def test_the_indicator_stands_still_where_motion_is_unwanted(visit) -> None:
    moving, still = visit(reduced_motion="no-preference"), visit(reduced_motion="reduce")
    for chat, moves in (moving, True), (still, False):
        held = hold_messages(chat)
        chat.write("hello")
        indicator = chat.panel.get_by_role("status").filter(has_text="Backtalk is writing")
        expect(indicator).to_be_visible()
        assert indicator.evaluate("status => status.getAnimations({ subtree: true }).length > 0") == moves
        held[0].fulfill(body=lines({"text": "hello"}))
        chat.wait()


def test_with_forced_colours_a_chosen_region_differs_in_shape(visit) -> None:
    chat = visit(forced_colors="active")
    chat.say("My back has seized up")
    chat.region("Neck").click()
    chat.page.mouse.move(0, 0)
    bold = "region => getComputedStyle(region.querySelector('text')).fontWeight"
    tick = "region => getComputedStyle(region.querySelector('.tick')).stroke"
    chosen, other = chat.region("Neck"), chat.region("Lower back")
    assert int(chosen.evaluate(bold)) > int(other.evaluate(bold))
    assert chosen.evaluate(tick) != "none" == other.evaluate(tick)
