"""Whatever the visitor or the bot says is text: no markup, no script, no links but to the web, mail and telephones."""

from typing import Any

from panel import AT_HOME, Chat, answer_with, lines
from playwright.sync_api import expect

IMAGE = '<img src=x onerror="window.hit = 1">'
SCRIPT = "<script>window.hit = 1</script>"
HOSTILE = [
    IMAGE,
    SCRIPT,
    '"><svg onload="window.hit = 1">',
    "javascript:window.hit=1",
    '<a href="javascript:window.hit=1">press</a>',
    "&lt;b&gt; {{7*7}} ${window.hit=1}",
]
NO_ADDRESSES = [
    "javascript:window.hit=1",
    "data:text/html,<script>window.hit=1</script>",
    "JaVaScRiPt:window.hit=1",
    " javascript:window.hit=1",
    "java\nscript:window.hit=1",
    "vbscript:x",
    "file:///etc/passwd",
    "//",
    "x",
]
MARKUP = f"{IMAGE}{SCRIPT}<b>bold</b>"


def expect_nothing_ran(chat: Chat) -> None:
    """No script ran, no element came of the text, and no link leads elsewhere than it may."""
    assert chat.page.evaluate("() => window.hit") is None
    assert chat.panel.locator("script, img, iframe, object, embed, svg[onload], b").count() == 0
    for address in chat.panel.get_by_role("link").evaluate_all("links => links.map((link) => link.href)"):
        assert address.split(":")[0] in ("http", "https", "mailto", "tel"), address


def test_what_the_visitor_writes_is_shown_as_it_is(chat) -> None:
    chat.say(*HOSTILE)
    for text in HOSTILE:
        expect(chat.log.get_by_text(text, exact=True)).to_be_visible()
    expect_nothing_ran(chat)
    chat.reload()
    for text in HOSTILE:
        expect(chat.earlier.get_by_text(text, exact=True)).to_be_visible()
    expect_nothing_ran(chat)


def forged_card(*urls: str) -> dict[str, Any]:
    """An assessment with markup in every field and sources at these addresses."""
    cited = {"text": MARKUP, "sources": [1]}
    return {
        "text": MARKUP,
        "custom": {
            "type": "assessment",
            "urgency": "self_care",
            "regions": ["lumbar"],
            "card": {
                "level": MARKUP,
                "headline": f"headline {MARKUP}",
                "do": [cited],
                "changed": [MARKUP],
                "notes": [MARKUP],
                "harmless": cited,
                "reasons": [{"said": MARKUP, **cited}],
                "also": [{"said": MARKUP, **cited}],
                "explanation": cited,
                "place": MARKUP,
                "muscles": [{"name": MARKUP, **cited}],
                "worse": cited,
                "seek_help": cited,
                "note": MARKUP,
                "call": [{"number": "911", "of": "emergency_number"}],
                "relief": [
                    {"id": "x", "name": MARKUP, "text": MARKUP, "caution": MARKUP, "evidence": MARKUP, "sources": [1]}
                ],
                "sources": [
                    {"number": number, "name": MARKUP, "full": f"source {number} {MARKUP}", "url": url}
                    for number, url in enumerate(urls, 1)
                ],
            },
        },
    }


def test_a_forged_card_is_text_and_its_sources_no_links(chat) -> None:
    answer_with(chat, [forged_card(*NO_ADDRESSES)])
    chat.say("hello")
    expect(chat.result(AT_HOME)).to_contain_text(f"headline {MARKUP}")
    expect(chat.result(AT_HOME)).to_contain_text(f"source {len(NO_ADDRESSES)} {MARKUP}")
    expect(chat.result(AT_HOME).get_by_role("link")).to_have_count(0)
    expect_nothing_ran(chat)


def test_forged_words_buttons_and_options_are_text(chat) -> None:
    options = [
        {"id": 'a"b<', "entity": "red_flag", "text": MARKUP},
        {"id": "__proto__", "entity": "__proto__", "text": "other"},
    ]
    question = {"type": "question", "question": "x", "options": options}
    buttons = [{"title": MARKUP, "payload": MARKUP}]
    answer_with(chat, [{"text": f"words {MARKUP}"}, {"text": "1.", "buttons": buttons, "custom": question}])
    chat.say("hello")
    expect(chat.log.get_by_text(f"words {MARKUP}", exact=True)).to_be_visible()
    expect(chat.option(f"1. {MARKUP}")).to_be_visible()
    expect(chat.button(MARKUP)).to_be_visible()
    expect_nothing_ran(chat)
    chat.choose(f"1. {MARKUP}")
    expect_nothing_ran(chat)


def test_a_forged_map_and_summary_are_text(chat) -> None:
    options = [{"id": "lumbar", "entity": "region", "text": MARKUP}]
    sections = [{"title": "", "lines": [f"summary {MARKUP}", MARKUP]}, {"title": MARKUP, "lines": [MARKUP]}]
    document = {"name": "a.html", "mime_type": "text/html", "content": MARKUP}
    summary = {"type": "summary", "sections": sections, "document": document, "fhir": {}}
    question = {"type": "question", "question": "regions", "options": options}
    answer_with(chat, [{"text": "Your summary", "custom": summary}, {"text": "Where?", "custom": question}])
    chat.say("hello")
    expect(chat.region(MARKUP)).to_be_visible()
    expect_nothing_ran(chat)
    chat.button("View").click()
    expect(chat.page.get_by_role("heading", name=f"summary {MARKUP}")).to_be_visible()
    assert chat.page.evaluate("() => window.hit") is None


def test_a_forged_history_is_text(chat) -> None:
    chat.say("hello")
    told = [
        {"from": "visitor", "text": MARKUP, "time": 1},
        {"from": "bot", **forged_card("javascript:window.hit=1"), "time": 2},
        {"from": "bot", "text": MARKUP, "buttons": [{"title": MARKUP, "payload": "x"}], "time": 3},
    ]
    chat.page.route("**/chat/api/history", lambda route: route.fulfill(json={"messages": told}))
    chat.reload()
    expect(chat.button(MARKUP)).to_be_visible()
    expect(chat.earlier.get_by_text(MARKUP, exact=True).first).to_be_visible()
    expect_nothing_ran(chat)


def test_web_and_mail_addresses_become_links_that_give_nothing_away(chat) -> None:
    words = "See https://example.org/a?b=c, http://example.org or mail help@example.org."
    answer_with(chat, [{"text": f"{words} Not ftp://example.org, data:text/html,x."}])
    chat.say("hello")
    links = chat.log.get_by_role("link")
    addresses = links.evaluate_all("links => links.map((link) => link.href)")
    assert addresses == ["https://example.org/a?b=c", "http://example.org/", "mailto:help@example.org"]
    for link in links.all()[:2]:
        assert "noopener" in link.get_attribute("rel")


def test_a_card_links_to_sources_on_the_web(chat) -> None:
    answer_with(chat, [forged_card("https://example.org/paper")])
    chat.say("hello")
    link = chat.result(AT_HOME).get_by_role("link")
    expect(link).to_have_attribute("href", "https://example.org/paper")
    expect(link).to_have_attribute("rel", "noopener noreferrer")


def test_lines_that_are_no_object_do_not_stop_the_chat(chat, watch) -> None:
    watch.expects("TypeError")
    chat.page.route("**/chat/api/messages", lambda route: route.fulfill(body=f"null\n5\n{lines({'text': 'hello'})}"))
    chat.say("hello")
    chat.page.unroute("**/chat/api/messages")
    chat.say("My neck has seized up")
    expect(chat.log).to_contain_text("How did it start?")
