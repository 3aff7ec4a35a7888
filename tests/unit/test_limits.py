"""How often somebody may ask: the counting in memory, the limits themselves, and who counts as one."""

import asyncio
import socket
import time
from types import SimpleNamespace

import pytest
from limits.storage import storage_from_string

from backtalk.channels import settings
from backtalk.channels.limits import Limits, TooMany, address
from backtalk.channels.memory import CleanMemoryStorage

MINUTE = 60


@pytest.fixture
def clock(monkeypatch):
    """Sets the clock, which stands still otherwise."""

    def set_to(moment):
        monkeypatch.setattr(time, "time", lambda: float(moment))

    set_to(1000)
    return set_to


@pytest.fixture
def storage():
    return settings.storage("rate_storage", "memory://")


@pytest.fixture
def hit(storage):
    """Counts hits of a key: whether there was room for them."""
    return lambda key="a", limit=2, expiry=MINUTE, amount=1: asyncio.run(
        storage.acquire_entry(key, limit, expiry, amount)
    )


@pytest.fixture
def window(storage):
    """The moment of a key's oldest hit that counts, and how many do."""
    return lambda key="a", limit=2, expiry=MINUTE: asyncio.run(storage.get_moving_window(key, limit, expiry))


@pytest.mark.usefixtures("clock")
class TestMemory:
    def test_takes_the_librarys_place(self, storage):
        assert type(storage) is CleanMemoryStorage

    def test_a_hit_counts_for_its_time(self, clock, hit):
        assert hit()
        clock(1030)
        assert hit() and not hit()
        clock(1060)
        assert not hit()
        clock(1060.1)
        assert hit() and not hit()
        clock(1090.1)
        assert hit() and not hit()

    def test_a_refused_hit_does_not_count(self, clock, hit, window):
        assert [hit(limit=1) for _ in range(5)] == [True, False, False, False, False]
        assert window() == (1000, 1)
        clock(1060.1)
        assert hit(limit=1)

    def test_hits_count_together_or_not_at_all(self, hit, window):
        assert hit(limit=5, amount=3) and not hit(limit=5, amount=3)
        assert window() == (1000, 3)
        assert hit(limit=5, amount=2) and not hit(limit=5)

    def test_keys_count_apart(self, hit):
        assert [hit(key, limit=1) for key in ("a", "b", "a", "b")] == [True, True, False, False]

    def test_the_window_begins_with_the_oldest_hit_that_counts(self, clock, hit, window):
        hit()
        clock(1030)
        hit()
        assert window() == (1000, 2)
        clock(1060.1)
        assert window() == (1030, 1)
        clock(1090.1)
        assert window() == (1090.1, 0)

    def test_asking_keeps_nothing(self, storage, hit, window):
        assert window("never used") == (1000, 0)
        assert not hit("too much at once", limit=2, amount=3)
        assert storage._hits == {}

    def test_forgets_all_when_it_is_told_to(self, storage, hit, window):
        hit("a"), hit("b"), hit("b")
        assert asyncio.run(storage.reset()) == 2
        assert window("a") == window("b") == (1000, 0)

    def test_a_clock_that_was_set_back_locks_nobody_out(self, clock, hit, window):
        clock(9000)
        assert hit() and hit() and not hit()
        clock(1000)
        assert window() == (1000, 0)
        assert hit() and hit() and not hit()
        clock(1060.1)
        assert hit()

    def test_a_clock_that_was_set_back_a_little_locks_out_for_a_moment(self, clock, hit):
        assert hit()
        clock(1050)
        assert hit() and not hit()
        clock(1010)
        assert not hit()
        clock(1060.1)
        assert hit()

    def test_what_nobody_uses_is_not_kept(self, clock, storage):
        async def count(keys, expiry):
            for key in keys:
                assert await storage.acquire_entry(key, 1, expiry)

        asyncio.run(count([f"a minute {number}" for number in range(900)], MINUTE))
        asyncio.run(count(["a day"], 86400))
        clock(1061)
        asyncio.run(count([f"later {number}" for number in range(99)], MINUTE))
        assert [*storage._hits] == ["a day", *(f"later {number}" for number in range(99))]
        # Those that are left still count.
        assert asyncio.run(storage.get_moving_window("a day", 1, 86400)) == (1000, 1)
        assert not asyncio.run(storage.acquire_entry("later 0", 1, MINUTE))

    def test_what_a_clock_set_back_has_left_is_not_kept(self, clock, storage):
        async def count(keys):
            for key in keys:
                await storage.acquire_entry(key, 1, MINUTE)

        clock(9000)
        asyncio.run(count(map(str, range(999))))
        clock(1000)
        asyncio.run(count(["now"]))
        assert [*storage._hits] == ["now"]


def count(limits, rate, *who):
    asyncio.run(limits.count(settings.rates("session_rate", rate), *who))


def refused(limits, rate, *who):
    """The seconds that somebody is told to wait."""
    with pytest.raises(TooMany) as caught:
        count(limits, rate, *who)
    assert (caught.value.status, caught.value.code) == (429, "too_many")
    assert [*caught.value.headers] == ["Retry-After"]
    return caught.value.headers["Retry-After"]


@pytest.mark.usefixtures("clock")
class TestLimits:
    @pytest.fixture
    def limits(self, storage):
        return Limits(storage)

    def test_the_wait_ends_when_the_oldest_request_is_out_of_the_window(self, clock, limits):
        for moment in (1000, 1050):
            clock(moment)
            count(limits, "2/minute", "x")
        clock(1055)
        assert refused(limits, "2/minute", "x") == "5"
        clock(1060.1)
        count(limits, "2/minute", "x")
        assert refused(limits, "2/minute", "x") == "50"

    def test_the_wait_is_told_in_whole_seconds_above_0(self, clock, limits):
        count(limits, "1/minute", "x")
        clock(1059.999)
        assert refused(limits, "1/minute", "x") == "1"
        clock(1058.5)
        assert refused(limits, "1/minute", "x") == "2"

    def test_everybody_has_their_own(self, limits):
        count(limits, "1/minute", "in", "a")
        for other in (("in", "b"), ("from", "a")):
            count(limits, "1/minute", *other)
        refused(limits, "1/minute", "in", "a")

    def test_several_hold_together(self, clock, limits):
        rate = "2/minute; 3/hour"
        count(limits, rate, "x"), count(limits, rate, "x")
        assert refused(limits, rate, "x") == "60"
        clock(1100)
        count(limits, rate, "x")
        assert refused(limits, rate, "x") == "3500"


class Failing(CleanMemoryStorage):
    """A storage of which one thing fails."""

    STORAGE_SCHEME = ["async+failing"]

    def __init__(self, fails):
        super().__init__()

        async def fail(*_, **__):
            raise OSError("away")

        setattr(self, fails, fail)


class TestStorageThatFails:
    def test_that_is_away_lets_everybody_through(self, caplog):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        away = storage_from_string(f"async+redis://127.0.0.1:{port}", implementation="redispy")
        limits = Limits(away)
        for _ in range(3):
            count(limits, "1/hour", "x")
        assert [record.message for record in caplog.records] == ["Requests cannot be counted"] * 3

    @pytest.mark.parametrize("fails, logged", [("acquire_entry", 3), ("get_moving_window", 2)])
    def test_half_way_lets_everybody_through(self, fails, logged, caplog):
        limits = Limits(Failing(fails))
        for _ in range(3):
            count(limits, "1/hour", "x")
        assert [record.message for record in caplog.records] == ["Requests cannot be counted"] * logged

    def test_does_not_take_the_other_limits_away(self, monkeypatch, storage):
        limits, acquire = Limits(storage), storage.acquire_entry

        async def acquire_some(key, limit, expiry, amount=1):
            if expiry > MINUTE:
                raise OSError("away")
            return await acquire(key, limit, expiry, amount)

        monkeypatch.setattr(storage, "acquire_entry", acquire_some)
        count(limits, "9/hour; 1/minute", "x")
        refused(limits, "9/hour; 1/minute", "x")


class TestAddress:
    @pytest.mark.parametrize(
        "named, counted",
        [
            ("192.0.2.7", "192.0.2.7"),
            ("2001:db8::1", "2001:db8::/64"),
            ("[2001:db8::ffff:1]", "2001:db8::/64"),
            ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("unknown", "unknown"),
            ("", ""),
        ],
    )
    def test_is_a_whole_network_with_ipv6(self, named, counted):
        assert address(SimpleNamespace(remote_addr="", ip=named)) == counted
        assert address(SimpleNamespace(remote_addr=named, ip=named)) == counted

    def test_is_the_one_that_proxies_name(self):
        assert address(SimpleNamespace(remote_addr="192.0.2.7", ip="127.0.0.1")) == "192.0.2.7"
