"""Requests that no visitor should send get a clear HTTP error or a short clear reply, and the bot goes on."""

import pytest


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not_an_object"),
        (b"{not json", 400, "not_json"),
        (b"[]", 400, "not_an_object"),
        ({"message": "hello"}, 400, "bad_sender"),
        ({"sender": "", "message": "hello"}, 400, "bad_sender"),
        ({"sender": "x" * 300, "message": "hello"}, 400, "bad_sender"),
        ({"sender": ["a"], "message": "hello"}, 400, "bad_sender"),
        ({"sender": "a"}, 400, "bad_message"),
        ({"sender": "a", "message": 7}, 400, "bad_message"),
        ({"sender": "a", "message": {"text": "hello"}}, 400, "bad_message"),
        ({"sender": "a", "message": "hello", "metadata": "x"}, 400, "bad_metadata"),
        ({"sender": "a", "message": "x" * 100_000}, 413, "too_large"),
        ({"sender": "a", "message": "x" * 10_000_000}, 413, "too_large"),
    ],
    ids=lambda value: str(value)[:40] if not isinstance(value, int) else str(value),
)
def test_bad_requests_are_refused(visitor, body, status, code) -> None:
    answered, content = visitor.post(body)
    assert (answered, content["error"]) == (status, code)
    assert content["message"]
    assert visitor.say("hello")[0]["text"]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "   \n\t ",
        "\x00\x01\x1f",
        "😀😀😀",
        "....!!??",
        "/",
        "//",
        "/restart",
        "/session_start",
        "/nlu_fallback",
        "/faq",
        "/relief",
        "/inform{",
        '/inform{"region": "kitchen"}',
        '/inform{"pain_level": "NaN"}',
        '/inform{"region": {"a": 1}}',
        '/inform{"red_flag": [1, null, true]}',
        '/inform{"duration": -5}',
        "<script>alert(1)</script>",
        "{{slot}} ${x} %s",
        "{emergency_number}",
        "今日は背中が痛いです",
        "мне больно",
        "1234567890" * 30,
        "a" * 1900,
        "back " * 3000,
        "\u202etxet desrever",
        "'; DROP TABLE events; --",
    ],
    ids=ascii,
)
def test_odd_messages_get_a_short_reply(visitor, message) -> None:
    visitor.say(message)
    assert visitor.text.strip()
    assert len(visitor.text) < 1200
    assert visitor.assessment is None
    visitor.say("my lower back is in spasm")
    assert visitor.slots["requested_slot"] == "onset"


def test_a_long_message_is_screened_all_the_same(visitor) -> None:
    visitor.say("my back hurts and " + "it goes on and on " * 150 + "and I can't hold my pee")
    assert visitor.assessment["urgency"] == "emergency"


def test_a_danger_sign_behind_a_slash_is_screened(visitor) -> None:
    visitor.say("/deny I can't feel my groin any more")
    assert visitor.assessment["red_flags"] == ["saddle_numbness"]


def test_visitors_do_not_mix(visitor, bot_url) -> None:
    other = type(visitor)(bot_url)
    visitor.say("my neck is in spasm since the car crash")
    other.say("lower back, I was lifting a sofa")
    assert visitor.slots["red_flags"] == ["accident"]
    assert other.slots["red_flags"] is None or other.slots["red_flags"] == []
    assert other.slots["regions"] == ["lumbar"]


def test_replies_can_be_streamed(visitor) -> None:
    import json
    import urllib.request

    body = json.dumps({"sender": visitor.sender, "message": "hello"}).encode()
    request = urllib.request.Request(
        f"{visitor.url}/webhooks/rest/webhook?stream=true", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        lines = [json.loads(line) for line in reply.read().decode().splitlines()]
    assert "Backtalk" in lines[0]["text"] and lines[0]["buttons"]
