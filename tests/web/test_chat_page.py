"""The plain chat page as a browser gets it."""

import urllib.error
import urllib.request

import pytest


def _get(url: str):
    with urllib.request.urlopen(url, timeout=30) as reply:
        return reply.status, reply.headers, reply.read().decode()


@pytest.mark.parametrize("path", ["/chat", "/chat/"])
def test_the_page_is_served_with_strict_headers(bot_url, path) -> None:
    status, headers, html = _get(bot_url + path)
    assert status == 200
    assert headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "not for emergencies" in html.lower()


@pytest.mark.parametrize(("name", "kind"), [("chat.js", "text/javascript"), ("chat.css", "text/css")])
def test_its_files_are_served(bot_url, name, kind) -> None:
    status, headers, content = _get(f"{bot_url}/chat/{name}")
    assert status == 200 and headers["Content-Type"].startswith(kind) and content
    assert "http://" not in content and "https://" not in content


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fdomain.yml", "chat.html.bak"])
def test_nothing_else_is_served(bot_url, name) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        _get(f"{bot_url}/chat/{name}")
    assert error.value.code == 404
