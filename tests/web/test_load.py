"""What it costs a page to show the chat."""

import re

import pytest
from playwright.sync_api import Response
from served import ROOT

MOST_BYTES = 20_000
NEAR = 0.05


@pytest.fixture
def first_load(visit, bot) -> "tuple[int, int]":
    """Requests and bytes on the wire, from the line on the page to the open chat."""
    answers: list[Response] = []
    chat = visit(site={}, before=lambda page: page.on("response", lambda answer: answers.append(answer)))
    chat.launcher.click()
    chat.ready()
    files = [answer for answer in answers if answer.url.startswith(f"{bot.url}/chat/") and "/api/" not in answer.url]
    assert files[0].url == f"{bot.url}/chat/widget.js"
    assert all(answer.header_value("content-encoding") == "gzip" for answer in files)
    return len(files), sum(answer.request.sizes()["responseBodySize"] for answer in files)


def test_the_first_load_is_small(first_load, capsys) -> None:
    requests, size = first_load
    with capsys.disabled():
        print(f"\nfirst load: {requests} requests, {size} bytes gzipped")
    assert 0 < size <= MOST_BYTES


def test_the_readme_says_what_it_costs(first_load) -> None:
    row = next((line for line in (ROOT / "README.md").read_text().splitlines() if "first load" in line), "")
    match = re.search(r"([\d,]+) requests\D+([\d,]+) bytes gzipped", row)
    assert match, "README.md has no row: | first load | N requests | B bytes gzipped |"
    requests, size = (int(number.replace(",", "")) for number in match.groups())
    assert requests == first_load[0]
    assert abs(size - first_load[1]) <= NEAR * first_load[1]
