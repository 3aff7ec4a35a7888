"""The page at /chat and the widget's files, as they come over the wire."""

import urllib.error
import urllib.request

import pytest


def _get(url: str, **headers: str):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as reply:
        return reply.status, reply.headers, reply.read()


@pytest.mark.parametrize("path", ["/chat", "/chat/"])
def test_the_page_is_served_with_strict_headers(bot, path) -> None:
    status, headers, html = _get(bot.url + path)
    assert status == 200
    assert headers["Content-Type"].startswith("text/html")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert b"/chat/widget.js" in html


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("widget.js", "text/javascript"),
        ("chat.js", "text/javascript"),
        ("styles.css", "text/css"),
        ("strings.json", "application/json"),
    ],
)
def test_its_files_are_served_to_any_site_and_ask_no_other(bot, name, kind) -> None:
    status, headers, content = _get(f"{bot.url}/chat/{name}")
    assert status == 200 and headers["Content-Type"].startswith(kind) and content
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert b"@import" not in content and b"url(http" not in content


def test_a_file_that_the_browser_has_already_is_not_sent_again(bot) -> None:
    version = _get(f"{bot.url}/chat/chat.js")[1]["ETag"]
    with pytest.raises(urllib.error.HTTPError) as error:
        _get(f"{bot.url}/chat/chat.js", **{"If-None-Match": version})
    assert error.value.code == 304


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fdomain.yml", "demo.html.bak", "chat.html"])
def test_nothing_else_is_served(bot, name) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        _get(f"{bot.url}/chat/{name}")
    assert error.value.code == 404
