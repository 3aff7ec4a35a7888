"""The chat on a phone, on a desk, and with text of twice the size: nothing cut off, nothing too small to press."""

import pytest
from panel import AT_HOME, CANNOT_HOLD, EMERGENCY, HURT, NONE, Chat
from playwright.sync_api import Browser, expect

PHONE, DESK = {"width": 320, "height": 568}, {"width": 1280, "height": 800}

# What is wrong with the layout of the panel now, in words. A link within a text may be low, as the guidelines say.
FAULTS = """panel => {
  const faults = [];
  const frame = panel.getBoundingClientRect();
  const find = (element, fault) => {
    const name = (element.getAttribute("aria-label") ?? element.textContent).trim().slice(0, 40);
    faults.push(`${element.localName} "${name}" ${fault}`);
  };
  for (const element of [panel, ...panel.querySelectorAll("*")]) {
    const { overflowX, clipPath } = getComputedStyle(element);
    const isClipped = clipPath === "none" && overflowX !== "visible";
    if (isClipped && element.scrollWidth > element.clientWidth + 1) find(element, "is wider than its place");
  }
  for (const control of panel.querySelectorAll("button, textarea, summary, a, [role=checkbox]")) {
    if (!control.checkVisibility()) continue;
    control.scrollIntoView({ block: "center" });
    const box = control.getBoundingClientRect();
    const isInText = control.localName === "a" && getComputedStyle(control).display === "inline";
    if (!isInText && (box.width < 24 || box.height < 24)) find(control, `is small: ${box.width} x ${box.height}`);
    if (box.left < frame.left - 1 || box.right > frame.right + 1) find(control, "is cut off at the side");
    const isHigh = box.height > frame.height / 2;
    const isInSight = box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1;
    if (!isHigh && !isInSight) find(control, "cannot be scrolled into sight");
    const isWide = control.scrollWidth > control.clientWidth + 1;
    if (control.localName === "button" && isWide) find(control, "has words that are cut off");
    // A region of the map is no rectangle, so that its middle may belong to another.
    if (isHigh || control.localName === "g") continue;
    const lines = control.getClientRects();
    const line = lines[Math.floor(lines.length / 2)];
    const hit = panel.getRootNode().elementFromPoint(line.left + line.width / 2, line.top + line.height / 2);
    if (!control.contains(hit)) find(control, `is covered by ${hit?.localName}`);
  }
  return faults;
}"""


@pytest.fixture(scope="session")
def browser_with_large_text(launch):
    started = launch("--blink-settings=defaultFontSize=32")
    yield started
    started.close()


@pytest.fixture(params=["phone", "desk", "desk with large text", "phone with large text"])
def anywhere(request, visit) -> Chat:
    """The chat on screens of several sizes."""
    using: Browser = request.getfixturevalue("browser_with_large_text" if "large" in request.param else "browser")
    return visit(using=using, viewport=PHONE if "phone" in request.param else DESK)


def expect_good_layout(chat: Chat) -> None:
    assert chat.panel.evaluate(FAULTS) == []


def test_nothing_is_cut_off_from_the_beginning_to_the_summary(anywhere) -> None:
    expect_good_layout(anywhere)
    anywhere.say("My back has seized up")
    expect_good_layout(anywhere)
    anywhere.tap("Lower back", "Continue", "Lifting or bending")
    expect_good_layout(anywhere)
    anywhere.tap(NONE, NONE, "A few days", "6 - bad")
    expect(anywhere.result(AT_HOME)).to_be_visible()
    expect_good_layout(anywhere)
    anywhere.tap("Summary")
    expect_good_layout(anywhere)


def test_nothing_is_cut_off_in_an_emergency(anywhere) -> None:
    anywhere.say(CANNOT_HOLD, "W" * 300)
    expect(anywhere.result(EMERGENCY)).to_be_visible()
    expect_good_layout(anywhere)


def test_the_number_to_call_stays_in_sight_however_far_one_scrolls(anywhere) -> None:
    anywhere.say(CANNOT_HOLD)
    call = anywhere.emergency.get_by_role("link", name="Call 911")
    for place in (
        anywhere.panel.get_by_text("I am a program"),
        anywhere.result(EMERGENCY).get_by_role("heading", name="Sources"),
    ):
        place.scroll_into_view_if_needed()
        expect(call).to_be_in_viewport(ratio=1)


def test_large_text_is_large(browser_with_large_text, visit) -> None:
    chat = visit(using=browser_with_large_text)
    expect(chat.button("Send")).to_have_css("font-size", "32px")


def test_on_a_phone_the_chat_fills_the_screen(visit) -> None:
    chat = visit(site={}, viewport=PHONE)
    chat.launcher.click()
    chat.ready()
    assert chat.panel.bounding_box() == {"x": 0, "y": 0, **PHONE}


def test_on_a_desk_the_page_stays_in_sight(visit) -> None:
    chat = visit(site={})
    chat.launcher.click()
    chat.ready()
    box = chat.panel.bounding_box()
    assert box["width"] < 640 and box["height"] <= 800
    assert box["x"] + box["width"] <= 1280 and box["y"] + box["height"] <= 800 and box["y"] >= 0


def test_the_page_itself_does_not_scroll_sideways(visit) -> None:
    chat = visit(viewport=PHONE)
    assert chat.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_the_box_grows_with_what_is_written_and_the_conversation_stays_in_sight(visit) -> None:
    chat = visit(viewport=PHONE)
    low = chat.box.bounding_box()["height"]
    chat.box.fill("one\ntwo\nthree\nfour")
    assert chat.box.bounding_box()["height"] > low
    chat.box.fill("line\n" * 60)
    expect(chat.button("Send")).to_be_in_viewport(ratio=1)
    expect(chat.panel.get_by_role("group", name="Conversation")).to_be_in_viewport(ratio=0.1)


def test_the_newest_answer_is_in_sight(visit) -> None:
    chat = visit(viewport=PHONE)
    chat.say(HURT)
    expect(chat.log.get_by_text(HURT)).to_be_in_viewport()
