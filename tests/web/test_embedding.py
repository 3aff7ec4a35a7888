"""The chat on other people's pages: under a strict policy, beside any style, with a site's own settings."""

import json

import pytest
from panel import Chat
from playwright.sync_api import Locator, Page, expect
from served import SITE_CSS, HostSite, WebBot, site_page

LOOKS = "(element, names) => Object.fromEntries(names.map((name) => [name, getComputedStyle(element)[name]]))"
STYLES = ("color", "fontSize", "fontFamily", "letterSpacing", "textTransform")


def strict_page(bot: WebBot, host_site: HostSite) -> None:
    """Puts a page on the site that allows the bot's script and connections, and nothing else."""
    policy = f"default-src 'none'; script-src {bot.url}; connect-src {bot.url}"
    page = site_page(bot.url, {}).replace('<link rel="icon" href="data:,"><style></style>', "")
    host_site.put("/strict", page, Content_Security_Policy=policy)


def test_it_works_on_another_site_under_a_strict_policy(visit, bot, host_site) -> None:
    strict_page(bot, host_site)
    chat = visit(at=f"{host_site.allowed}/strict", before=without_icon)
    chat.launcher.click()
    chat.say("My back has seized up")
    chat.region("Lower back").click()
    chat.tap("Continue")
    expect(chat.log).to_contain_text("How did it start?")
    chat.reload()
    expect(chat.earlier).to_contain_text("How did it start?")


def test_on_a_site_that_is_not_allowed_it_says_that_there_is_no_connection(visit, bot, host_site, watch) -> None:
    watch.expects("blocked by CORS policy|Failed to load resource: net::ERR_FAILED .*/chat/api/session")
    strict_page(bot, host_site)
    chat = visit(at=f"{host_site.not_allowed}/strict", before=without_icon)
    chat.launcher.click()
    expect(chat.panel.get_by_text("There is no connection to the chat right now.")).to_be_visible()
    chat.write("My back has seized up")
    expect(chat.alert).to_contain_text("This was not sent.")
    assert "session" not in chat.stored()


def without_icon(page: Page) -> None:
    """The browser asks for an icon by itself, which the policy of the page forbids."""
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))


def looks(element: Locator) -> "dict[str, str]":
    """How the text of an element is shown."""
    return element.evaluate(LOOKS, STYLES)


def test_the_styles_of_the_page_do_not_reach_into_the_chat(visit, bot, host_site) -> None:
    host_site.put("/plain", site_page(bot.url, {"open": ""}))
    host_site.put("/loud", site_page(bot.url, {"open": ""}, SITE_CSS))
    plain, loud = (visit(at=f"{host_site.allowed}/{name}") for name in ("plain", "loud"))
    for chat in (plain, loud):
        chat.ready()
        chat.say("My lower back has seized up")
    assert looks(loud.page.get_by_role("heading", name="A site"))["fontSize"] == "40px"
    for part in (
        lambda chat: chat.panel.get_by_role("heading", name="Back spasm help"),
        lambda chat: chat.log.get_by_text("How did it start?"),
        lambda chat: chat.button("Lifting or bending"),
        lambda chat: chat.box,
        lambda chat: chat.button("Send"),
    ):
        assert looks(part(loud)) == looks(part(plain))
        assert part(loud).bounding_box() == part(plain).bounding_box()


def test_the_chat_does_not_style_the_page(visit, bot, host_site) -> None:
    host_site.put("/plain", site_page(bot.url, {"open": ""}))
    host_site.put(
        "/bare", "<!doctype html><title>A site</title><link rel='icon' href='data:,'><main><h1>A site</h1></main>"
    )
    chat, bare = visit(at=f"{host_site.allowed}/plain"), visit(at=f"{host_site.allowed}/bare")
    chat.ready()
    assert looks(chat.page.get_by_role("heading", name="A site")) == looks(
        bare.page.get_by_role("heading", name="A site")
    )


def test_a_site_can_name_the_chat(visit) -> None:
    chat = visit(site={"open": "", "title": "Ask the <b>harbour</b> clinic"})
    expect(chat.panel.get_by_role("heading", name="Ask the <b>harbour</b> clinic")).to_be_visible()


@pytest.mark.parametrize(
    ("color", "shown", "ink"),
    [
        ("#ffd400", "rgb(255, 212, 0)", "color(srgb-linear 0 0 0)"),
        ("navy", "rgb(0, 0, 128)", "color(srgb-linear 1 1 1)"),
    ],
)
def test_a_site_can_choose_a_colour_and_its_words_stay_readable(visit, color, shown, ink) -> None:
    launcher = visit(site={"color": color}).launcher
    expect(launcher).to_have_css("color", ink)
    expect(launcher).to_have_css("background-color", shown)


def test_a_colour_that_is_none_changes_nothing(visit) -> None:
    plain, odd = visit(site={}), visit(site={"color": "red; } * { display: none"})
    expect(odd.launcher).to_be_visible()
    assert looks(odd.launcher) == looks(plain.launcher)


@pytest.mark.parametrize(("theme", "scheme"), [("dark", "light"), ("light", "dark")])
def test_a_site_can_choose_the_theme(visit, theme, scheme) -> None:
    chosen = visit(site={"open": "", "theme": theme}, color_scheme=scheme)
    preferred = visit(site={"open": ""}, color_scheme=theme)
    other = visit(site={"open": ""}, color_scheme=scheme)
    background = "element => getComputedStyle(element).backgroundColor"
    assert chosen.panel.evaluate(background) == preferred.panel.evaluate(background) != other.panel.evaluate(background)


def test_a_site_can_use_its_own_words(visit, bot, host_site) -> None:
    host_site.put("/words.json", json.dumps({"launch": "Rücken?", "send": "Senden"}), Access_Control_Allow_Origin="*")
    host_site.put("/own-words", site_page(bot.url, {"strings": "/words.json"}))
    chat = visit(at=f"{host_site.allowed}/own-words")
    chat.page.get_by_role("button", name="Rücken?").click()
    expect(chat.button("Senden")).to_be_visible()
    expect(chat.button("Start over")).to_be_visible()


def test_a_file_of_words_that_is_missing_leaves_the_chat_as_it_is(visit, bot, host_site, watch) -> None:
    watch.expects("404 .*/missing.json")
    host_site.put("/no-words", site_page(bot.url, {"strings": "/missing.json"}))
    expect(visit(at=f"{host_site.allowed}/no-words").launcher).to_be_visible()


def test_a_page_that_has_the_line_twice_has_one_chat(visit, bot, host_site) -> None:
    line = f'<script src="{bot.url}/chat/widget.js"></script>'
    host_site.put("/twice", site_page(bot.url, {}).replace("</body>", f"{line}</body>"))
    chat = visit(at=f"{host_site.allowed}/twice")
    expect(chat.launcher).to_have_count(1)


def test_a_page_can_open_and_close_it(visit) -> None:
    chat = visit(site={})
    expect(chat.launcher).to_be_visible()
    chat.page.evaluate("document.querySelector('backtalk-chat').open()")
    expect(chat.panel).to_be_visible()
    chat.page.evaluate("document.querySelector('backtalk-chat').close()")
    expect(chat.panel).to_be_hidden()
    expect(chat.launcher).to_be_visible()


def test_on_the_left_where_a_site_wants_it(visit) -> None:
    chat: Chat = visit(site={"side": "left"})
    assert chat.launcher.bounding_box()["x"] < 100
