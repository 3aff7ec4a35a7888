"""What the channels share: cleaning a text, naming a conversation, whole replies, and what is said when one fails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages import as_sent

from backtalk.channels.hygiene import clean
from backtalk.channels.messages import MAX_SENDER_CHARACTERS, conversation_id, failure, sender_of, whole
from backtalk.engine.tracker_store import StoreUnavailable


class TestClean:
    @pytest.mark.parametrize(
        "text",
        ["my back hurts", "7/10", "and/or", "1/2 a day", "deny it", "a\nb", "a\tb", "café 痛い 🙂", "it's 50% {bad}"],
    )
    def test_words_stay_as_they_are(self, text):
        assert clean(text) == text

    @pytest.mark.parametrize(
        "payload",
        [
            "/affirm",
            "/deny",
            "/not_sure",
            "/report_spasm",
            "/human",
            "/start_over",
            "/inform",
            "/summary",
            "/recap",
            '/inform{"red_flag":"fever"}',
            '/inform{"region": "lumbar"}',
            '/inform{"pain_level": 7}',
        ],
    )
    def test_what_our_buttons_send_stays(self, payload):
        assert clean(payload) == clean(f"  {payload}\n") == payload

    def test_every_payload_of_a_response_stays(self, responses):
        buttons = [
            button for variants in responses.values() for variant in variants for button in variant.get("buttons", ())
        ]
        payloads = [as_sent(button["payload"]) for button in buttons]
        assert payloads
        assert [clean(payload) for payload in payloads] == payloads

    @pytest.mark.parametrize(
        "text, words",
        [
            ("/restart", "restart"),
            ("/session_start", "session_start"),
            ("/nlu_fallback", "nlu_fallback"),
            ("//affirm", "affirm"),
            ("/ /deny", "deny"),
            ("/EXTERNAL: x", "EXTERNAL: x"),
            ('/faq{"x":1}', 'faq{"x":1}'),
            ('/inform{"red_flag":"fever"} now', 'inform{"red_flag":"fever"} now'),
            ("/my neck hurts", "my neck hurts"),
            ("/inform my neck hurts", "my neck hurts"),
            ("/affirm\n/restart", "restart"),
            ("/", ""),
        ],
    )
    def test_any_other_slash_is_taken_off(self, text, words):
        assert clean(text) == words

    @pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\r", chr(0xD800), chr(0xDFFF)])
    def test_control_characters_and_halves_of_characters_become_spaces(self, character):
        assert clean(f"my{character}back{character}") == "my back"

    @given(st.text())
    def test_is_done_once_and_for_all(self, text):
        assert clean(clean(text)) == clean(text)

    @given(st.text(alphabet="/ \n\t\x00abc{}"))
    def test_nothing_but_our_buttons_begins_with_a_slash(self, text):
        assert not clean(text).startswith("/")


class TestNames:
    @given(st.text())
    def test_of_a_conversation_hold_the_sender_as_it_is(self, sender):
        assert sender_of(conversation_id("rest", sender)) == sender

    def test_of_conversations_are_those_of_a_channel(self):
        assert conversation_id("rest", "web:a") == "rest:web:a" != conversation_id("web", "a") == "web:a"

    def test_fit_into_the_column_of_255(self):
        assert len(conversation_id("callback", "s" * MAX_SENDER_CHARACTERS)) <= 255


class TestFailure:
    @pytest.mark.parametrize(
        "error, code, words",
        [
            (None, "failed", "something went wrong on my side"),
            (RuntimeError("broken"), "failed", "something went wrong on my side"),
            (StoreUnavailable("away"), "not_stored", "could not save what you wrote"),
        ],
    )
    def test_says_what_to_do(self, error, code, words):
        told = failure(error)
        assert told[0] == code and words in told[1] and "send" in told[1] and "emergency" in told[1]
        assert "broken" not in told[1] and "away" not in told[1] and not {*"{}"} & {*told[1]}

    @pytest.mark.parametrize("error", [None, StoreUnavailable("away")])
    @pytest.mark.parametrize(
        "metadata, number",
        [
            (None, None),
            ({}, None),
            ({"locale": "en-GB"}, "999"),
            ({"locale": "GB"}, "999"),
            ({"locale": "xx"}, None),
            ({"locale": ["en-GB"], "emergency_number": 112}, None),
            ({"emergency_number": "000"}, "000"),
            ({"locale": "en-GB", "emergency_number": "000"}, "000"),
            ({"locale": "en-GB", "emergency_number": "me <b>"}, "999"),
            ({"emergency_number": ""}, None),
        ],
        ids=str,
    )
    def test_tells_the_visitors_emergency_number(self, knowledge, error, metadata, number):
        _, words = failure(error, metadata)
        assert words.endswith(f" call {number or knowledge.settings['emergency_number']}.")


class TestWhole:
    def test_has_the_parts_that_there_are(self):
        parts = {"text": "Hello.", "image": "https://x.example/a.png", "attachment": {"a": 1}, "custom": {"type": "x"}}
        assert whole({**parts, "buttons": [], "elements": [1], "other": 2}) == parts
        assert whole({"text": "", "image": None, "custom": {}, "buttons": None}) == {}

    def test_has_quick_replies_among_the_buttons(self):
        yes, no = {"title": "Yes", "payload": "/affirm"}, {"title": "No", "payload": "/deny"}
        assert whole({"quick_replies": [yes], "buttons": [no]}) == {"buttons": [yes, no]}
