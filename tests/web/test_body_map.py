"""The drawing of the back: by mouse and by keyboard, in step with the chips, and what is chosen on it counts."""

import pytest
from panel import NONE, Chat
from playwright.sync_api import expect


@pytest.fixture
def asked(chat: Chat) -> Chat:
    """A chat in which the bot asks where it hurts."""
    chat.say("My back has seized up")
    expect(chat.map).to_be_visible()
    return chat


def expect_chosen(chat: Chat, name: str, chosen: bool = True) -> None:
    """The region is chosen, or not, on the map and among the chips."""
    expect(chat.region(name)).to_be_checked(checked=chosen)
    expect(chat.button(name)).to_have_attribute("aria-pressed", str(chosen).lower())


def press_on_the_drawing(chat: Chat, name: str) -> None:
    """Presses a region on the person's left, far from its name on the right."""
    box = chat.region(name).bounding_box()
    chat.page.mouse.click(box["x"] + 0.16 * box["width"], box["y"] + box["height"] / 2)


def test_regions_are_chosen_on_the_drawing(asked) -> None:
    press_on_the_drawing(asked, "Lower back")
    expect_chosen(asked, "Lower back")
    press_on_the_drawing(asked, "Middle or upper back")
    expect_chosen(asked, "Middle or upper back")
    expect_chosen(asked, "Neck", False)
    press_on_the_drawing(asked, "Lower back")
    expect_chosen(asked, "Lower back", False)


def test_regions_are_chosen_by_their_names_beside_it(asked) -> None:
    for word, name in {"Neck": "Neck", "upper back": "Middle or upper back", "Lower back": "Lower back"}.items():
        asked.map.get_by_text(word).click()
        expect_chosen(asked, name)


def test_regions_are_chosen_by_keyboard(asked) -> None:
    asked.tab_to(asked.region("Neck"), "Shift+Tab")
    asked.press("Space")
    expect_chosen(asked, "Neck")
    asked.tab_to(asked.region("Lower back"))
    asked.press("Enter")
    expect_chosen(asked, "Lower back")
    asked.press("Enter")
    expect_chosen(asked, "Lower back", False)


def test_a_chip_marks_its_region_on_the_map(asked) -> None:
    asked.button("Middle or upper back").click()
    expect_chosen(asked, "Middle or upper back")
    expect_chosen(asked, "Neck", False)
    expect_chosen(asked, "Lower back", False)


def test_what_was_chosen_is_what_is_sent_and_what_the_result_shows(asked) -> None:
    asked.region("Neck").click()
    asked.button("Middle or upper back").click()
    asked.region("Lower back").click()
    asked.button("Middle or upper back").click()
    asked.tap("Continue")
    expect(asked.log.get_by_text("Neck, Lower back", exact=True)).to_be_visible()
    assert asked.told()[-1] == "Neck, Lower back"
    asked.tap("Lifting or bending", NONE, NONE, "A few days", "4 - bearable")
    expect(asked.panel.get_by_role("img", name="Where: neck and lower back")).to_be_visible()
