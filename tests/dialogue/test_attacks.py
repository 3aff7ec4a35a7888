"""What knocked the bot over once: each is tried on a running one, which must answer it plainly and go on."""

import json
import os
import re
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from servers import HOST, Bot, answers, health
from visitors import ROOT, Visitor, quick_bot

EMERGENCY = "I can't hold my pee since this morning"
PATHS = ("/webhooks/rest/webhook", "/chat/api/messages", "/chat/api/session", "/nowhere", "/")
PATIENCE = 20


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """A bot that is attacked, with Rasa's HTTP API left out, as `make run` starts it."""
    folder = tmp_path_factory.mktemp("attacked")
    with quick_bot(folder) as running:
        running.start()
        yield running


@pytest.fixture(autouse=True)
def unharmed(bot: Bot) -> Iterator[None]:
    """After each attack, the same process answers a visitor."""
    before = bot.pid
    yield
    assert answers(f"{bot.url}/health/live", PATIENCE)
    assert bot.pid == before
    os.kill(before, 0)
    assert "spasm" in Visitor(bot.url).say("what is a muscle spasm")[0]["text"].lower()


def port_of(bot: Bot) -> int:
    return int(bot.url.rsplit(":", 1)[1])


def raw(bot: Bot, head: str | bytes, body: bytes = b"", seconds: float = PATIENCE) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to bytes as they are."""
    head = head if isinstance(head, bytes) else head.encode("utf-8", "surrogateescape")
    with closing(socket.create_connection((HOST, port_of(bot)), seconds)) as connection:
        connection.sendall(head + b"\r\n\r\n" + body)
        return answer(connection)


def answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        assert part, f"closed after {received!r}"
        received += part
    top, _, body = received.partition(b"\r\n\r\n")
    status, *lines = top.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    while len(body) < int(headers.get("content-length", 0)) and (part := connection.recv(65536)):
        body += part
    return int(status.split()[1]), headers, body


def refused(bot: Bot, head: str | bytes, body: bytes = b"") -> int:
    """The status of a refusal, which is JSON with the strict headers and tells no version."""
    status, headers, content = raw(bot, head, body)
    assert set(json.loads(content)) == {"error", "message"}
    assert headers["content-type"] == "application/json"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert not {"server", "x-powered-by", "access-control-allow-credentials"} & set(headers)
    assert not re.search(rb"[Ss]anic|[Rr]asa|Traceback|\d+\.\d+\.\d+", content)
    return status


class TestLengths:
    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize(
        "length",
        [
            "-1",
            "+5",
            "5, 5",
            "0x5",
            "",
            "1e3",
            "5.0",
            "1_0",
            "\u0665",
            "9" * 5000,
            "5\r\nContent-Length: 6",
            "5\r\nContent-Length: 5",
            "5\r\nTransfer-Encoding: chunked",
        ],
        ids=lambda text: ascii(text)[:40],
    )
    def test_a_length_that_is_no_number_is_refused_before_the_body(self, bot, path, length) -> None:
        assert refused(bot, f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}", b"hello") == 400

    @pytest.mark.parametrize("path", PATHS)
    def test_a_body_that_is_too_large_is_refused_before_it_is_sent(self, bot, path) -> None:
        assert refused(bot, f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99000000") == 413

    def test_a_body_in_pieces_is_refused_when_it_grows_too_large(self, bot) -> None:
        head = "POST /webhooks/rest/webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
        assert refused(bot, head, (b"4000\r\n" + b"x" * 0x4000 + b"\r\n") * 5) == 413


class TestRefusals:
    @pytest.mark.parametrize(
        ("head", "status"),
        [
            ("GET /nowhere HTTP/1.1\r\nHost: x\r\nAccept: x", 404),
            ("GET /nowhere HTTP/1.1\r\nHost: x\r\nAccept: text/html", 404),
            ("GET /%00 HTTP/1.1\r\nHost: x", 404),
            ("GET /%zz HTTP/1.1\r\nHost: x", 404),
            ("GET /version HTTP/1.1\r\nHost: x", 404),
            ("GET /status HTTP/1.1\r\nHost: x", 404),
            ("GET /conversations/rest:a/tracker HTTP/1.1\r\nHost: x", 404),
            ("GET /webhooks/rest/webhook HTTP/1.1\r\nHost: x", 405),
            ("FOO /chat/ HTTP/1.1\r\nHost: x", 405),
            ("TRACE / HTTP/1.1\r\nHost: x", 405),
            ("CONNECT /chat/ HTTP/1.1\r\nHost: x", 405),
            (b"\xff\xfe / HTTP/1.1\r\nHost: x", 405),
            ("GET / HTTP/3.0\r\nHost: x", 400),
            ("nonsense", 400),
            ("GET / HTTP/1.1\r\nno colon", 400),
            ("GET /\u00e9 HTTP/1.1\r\nHost: x", 400),
            ("POST /nowhere HTTP/1.1\r\nHost: x\r\nExpect: x\r\nContent-Length: 1", 417),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: " + "a" * 20000, 413),
            ("POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked", 400),
        ],
        ids=lambda value: ascii(value)[:60],
    )
    def test_odd_requests_are_refused_as_json(self, bot, head, status) -> None:
        assert refused(bot, head, b"x") == status

    @pytest.mark.parametrize("body", [b"zzz\r\nhello\r\n", b"-5\r\nhello\r\n", b"x" * 100, b"+5\r\nhello\r\n0\r\n\r\n"])
    def test_pieces_that_are_none_are_refused(self, bot, body) -> None:
        head = "POST /webhooks/rest/webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
        assert refused(bot, head, body) == 400

    def test_the_start_leads_to_the_chat_and_tells_no_version(self, bot) -> None:
        status, headers, content = raw(bot, "GET / HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example")
        assert (status, headers["location"], content) == (302, "/chat/", b"")
        assert not [name for name in headers if name.startswith("access-control") or name == "server"]

    @pytest.mark.parametrize("path", ["/webhooks/rest/webhook", "/chat/api/messages", "/health/live", "/"])
    def test_no_page_elsewhere_is_let_in_unasked(self, bot, path) -> None:
        for method in ("GET", "OPTIONS", "POST"):
            _, headers, _ = raw(bot, f"{method} {path} HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example")
            assert not [name for name in headers if name.startswith("access-control-allow")]


class TestSlowness:
    def test_a_head_that_never_ends_is_given_up(self, bot) -> None:
        with closing(socket.create_connection((HOST, port_of(bot)), PATIENCE)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            for _ in range(PATIENCE):
                try:
                    connection.sendall(b"A: b\r\n")
                except OSError:
                    break
                time.sleep(1)
                connection.setblocking(False)
                try:
                    if (told := connection.recv(65536)) or told == b"":
                        break
                except BlockingIOError:
                    pass
                connection.settimeout(PATIENCE)
            else:
                pytest.fail("it waited for ever")
        assert told.startswith(b"HTTP/1.1 408")

    def test_a_body_that_never_comes_is_given_up(self, bot) -> None:
        head = "POST /webhooks/rest/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 50"
        status, _, content = raw(bot, head, b"{", seconds=2 * PATIENCE)
        assert (status, json.loads(content)["error"]) == (408, "too_slow")

    def test_nobody_is_locked_out_by_many_who_ask_for_nothing(self, bot) -> None:
        connections = []
        try:
            for number in range(4200):
                try:
                    connection = socket.create_connection((HOST, port_of(bot)), PATIENCE)
                except OSError:
                    # This side may have fewer files than that.
                    break
                connections.append(connection)
                if number % 2:
                    connection.sendall(b"GET / HTTP/1.1\r\nA: ")
            assert len(connections) > 900
            assert Visitor(bot.url).say("what is a muscle spasm")
        finally:
            for connection in connections:
                connection.close()


class TestSenders:
    @pytest.mark.parametrize(
        "sender", ["\ud800", "a\0b", "\n", "x" * 241, "", None, 7, ["a"], {"a": 1}, "\u202e"], ids=ascii
    )
    def test_an_id_that_cannot_be_kept_is_refused(self, bot, sender) -> None:
        status, content = Visitor(bot.url).post({"sender": sender, "message": "hello"})
        assert (status, content["error"]) == (400, "bad_sender")

    @pytest.mark.parametrize("sender", ["o'brien; --", "web:0123", "../..", "rest:rest:", "a b@c", "日本"], ids=ascii)
    def test_any_other_id_is_a_visitor_of_this_channel(self, bot, sender) -> None:
        visitor = Visitor(bot.url)
        visitor.sender = sender
        assert visitor.say("what is a muscle spasm")[0]["recipient_id"] == sender

    def test_nobody_names_a_conversation_of_the_web_channel(self, bot) -> None:
        def ask(method: str, path: str, token: str = "", body: object = None) -> str:
            request = urllib.request.Request(
                f"{bot.url}/chat/api/{path}", json.dumps(body or {}).encode(), method=method
            )
            request.add_header("Authorization", f"Bearer {token}") if token else None
            with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
                return reply.read().decode()

        token = json.loads(ask("POST", "session"))["token"]
        ask("POST", "messages", token, {"message": EMERGENCY})
        with closing(sqlite3.connect(database_of(bot))) as connection:
            (name,) = connection.execute("SELECT sender_id FROM events ORDER BY id DESC LIMIT 1").fetchone()
        assert name.startswith("web:")
        for sender in (name, name.removeprefix("web:")):
            visitor = Visitor(bot.url)
            visitor.sender = sender
            assert "emergency" not in json.dumps(visitor.say("what did I tell you so far?")).lower()

    def test_the_metadata_of_rest_sets_no_emergency_number(self, bot) -> None:
        visitor = Visitor(bot.url)
        visitor.metadata = {"locale": "en-GB", "emergency_number": "0900 666", "x": "y" * 1000}
        visitor.say(EMERGENCY)
        assert "999" in visitor.text and "0900" not in visitor.text


def database_of(bot: Bot) -> Path:
    return bot.log.parent / "conversations.db"


class TestStore:
    """The database away, in every way that was seen. Whoever is in danger is told all the same."""

    def test_a_locked_database_keeps_nobody_else_waiting_and_no_one_untold(self, bot) -> None:
        visitor, other = Visitor(bot.url), Visitor(bot.url)
        visitor.say("my lower back is in spasm")
        with closing(sqlite3.connect(database_of(bot), isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            told = threading.Thread(target=visitor.say, args=["I was lifting a box"])
            endangered = threading.Thread(target=other.say, args=[EMERGENCY])
            told.start(), endangered.start()
            # The event loop is free while they wait.
            assert answers(f"{bot.url}/health/live")
            assert told.is_alive() and endangered.is_alive()
            while (found := health(bot.url)) and found["store"] and told.is_alive():
                time.sleep(0.2)
            told.join(), endangered.join()
        assert found == {"status": "unavailable", "model": True, "store": False}
        assert [reply["custom"] for reply in visitor.replies] == [{"type": "failure", "error": "not_stored"}]
        assert "could not save" in visitor.text and "call your emergency number" in visitor.text
        assert other.assessment["red_flags"] == ["bladder_bowel"]
        assert other.replies[-1]["custom"] == {"type": "failure", "error": "not_stored"}
        # What was said while it was away is asked for again, and heard then.
        visitor.say("I was lifting a box")
        assert "not_stored" not in json.dumps(visitor.replies)

    def test_a_file_that_is_deleted_is_made_anew_and_loses_nobody(self, bot) -> None:
        visitor = Visitor(bot.url)
        visitor.say("my lower back is in spasm, I was lifting a box")
        database_of(bot).unlink()
        visitor.say("none of these")
        assert "not_stored" not in json.dumps(visitor.replies)
        with closing(sqlite3.connect(database_of(bot))) as connection:
            kept = connection.execute("SELECT data FROM events WHERE sender_id = ?", [visitor.conversation]).fetchall()
        assert "lifting a box" in json.dumps(kept) and "none of these" in json.dumps(kept)

    def test_a_table_that_is_dropped_is_made_anew(self, bot) -> None:
        visitor = Visitor(bot.url)
        with closing(sqlite3.connect(database_of(bot))) as connection:
            connection.execute("DROP TABLE events")
        assert visitor.say("my lower back is in spasm")
        assert "not_stored" not in json.dumps(visitor.replies)

    def test_a_broken_row_takes_no_conversation_away(self, bot) -> None:
        visitor = Visitor(bot.url)
        visitor.say("my lower back is in spasm")
        with closing(sqlite3.connect(database_of(bot))) as connection, connection:
            broken = ('{"event": "user", "text": "quok', '{"event": "no_such_event"}', "7", "null", "")
            for data in broken:
                values = [visitor.conversation, data]
                connection.execute(
                    "INSERT INTO events (sender_id, type_name, timestamp, data) VALUES (?, 'user', 1, ?)", values
                )
        visitor.say("I was lifting a box")
        assert visitor.replies and "failure" not in json.dumps(visitor.replies)
        log = bot.log.read_text()
        assert "cannot be read and is left out" in log and "quok" not in log

    def test_the_log_holds_no_words_of_visitors_and_only_its_owner_reads_it(self, bot) -> None:
        assert "Conversations cannot be read or written" in bot.log.read_text()
        assert not {word for word in ("lifting a box", "hold my pee", "lower back") if word in bot.log.read_text()}
        for path in (bot.log, database_of(bot)):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


class TestElsewhere:
    """A bot that listens on another address than this machine's own."""

    @pytest.fixture(scope="class")
    @classmethod
    def open_bot(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
        folder = tmp_path_factory.mktemp("open")
        with quick_bot(folder, host="0.0.0.0", environment={"BACKTALK_REST_SECRET": "a secret"}) as running:
            running.start()
            yield running

    def test_rest_needs_the_secret(self, open_bot) -> None:
        visitor = Visitor(open_bot.url)
        assert visitor.post({"sender": "a", "message": "hello"})[0] == 401
        body = json.dumps({"sender": "a", "message": "hello"}).encode()
        for secret, status in {"another": 401, "": 401, "a secret": 200}.items():
            head = f"POST /webhooks/rest/webhook HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n"
            assert raw(open_bot, f"{head}Content-Length: {len(body)}", body)[0] == status


def test_a_store_that_is_away_at_the_start_is_found_when_it_is_back(tmp_path) -> None:
    database = tmp_path / "conversations.db"
    database.mkdir()
    with quick_bot(tmp_path) as away:
        away.start()
        assert health(away.url) == {"status": "unavailable", "model": True, "store": False}
        visitor = Visitor(away.url)
        visitor.say(EMERGENCY)
        assert visitor.assessment["urgency"] == "emergency"
        assert visitor.replies[-1]["custom"] == {"type": "failure", "error": "not_stored"}
        database.rmdir()
        visitor.say("my lower back is in spasm")
        assert "not_stored" not in json.dumps(visitor.replies)
        visitor.say("I was lifting a box")
        assert visitor.replies


def test_rasas_own_api_is_for_this_machine_only() -> None:
    command = [sys.executable, "-m", "backtalk.engine", "serve", "--enable-api", "--interface", "0.0.0.0"]
    done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False, timeout=120)
    assert done.returncode and "--enable-api" in done.stderr


def test_a_dead_bot_is_started_again_and_said(tmp_path) -> None:
    """As `make run` does it, with the real process killed, and another one stopped so that it is mute."""
    code = (
        "import sys\n"
        f"sys.path[:0] = [{str(ROOT / 'scripts')!r}, {str(ROOT / 'tests')!r}]\n"
        "from pathlib import Path\n"
        "from visitors import quick_bot\n"
        "import servers\n"
        "bot = quick_bot(Path(sys.argv[1]))\n"
        "bot.start()\n"
        "print('pid', bot.pid, flush=True)\n"
        "watch = bot.watch\n"
        "def watch_quickly():\n"
        "    print('pid', bot.pid, flush=True)\n"
        "    watch(every=0.5, patience=2)\n"
        "bot.watch = watch_quickly\n"
        "servers.LOOK_SECONDS = 1\n"
        "servers.keep_running(bot, pauses=(0.1,))\n"
    )
    keeper = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        lines = iter(keeper.stdout.readline, "")
        first = next(int(line.split()[1]) for line in lines if line.startswith("pid"))
        os.kill(first, 9)
        said, second = [], None
        for line in lines:
            said.append(line)
            if line.startswith("pid") and int(line.split()[1]) != first:
                second = int(line.split()[1])
                break
        assert any("ended by itself" in line for line in said) and any("Starting it again" in line for line in said)
        os.kill(second, 19)
        said = []
        for line in lines:
            said.append(line)
            if line.startswith("pid") and int(line.split()[1]) not in (first, second):
                break
        assert any("does not answer any more" in line for line in said)
    finally:
        third = subprocess.run(["pgrep", "-f", str(tmp_path)], stdout=subprocess.PIPE, text=True, check=False).stdout
        for number in third.split():
            if int(number) != os.getpid():
                os.kill(int(number), 9)
        keeper.wait(PATIENCE)
