"""State files: what is saved comes back, and whatever is wrong with a file costs no start and no request."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lecmux import Cache, Price, Reply, Router, Usage, _snapshot
from lecmux.errors import ConfigError, SnapshotError
from lecmux.query import Key
from lecmux.state import StateFile, _sealed, read

BUDGET = 100_000
MODELS: dict[str, Any] = {
    "small": lambda query: Reply("s", Usage(seconds=1.0)),
    "large": lambda query: Reply("l", Usage(seconds=5.0)),
}


def _router() -> Router:
    return Router(["small", "large"], price_of_wrong_seconds=60)


def _filled(path: Path) -> tuple[Cache, Router]:
    """A cache and a router that have learnt something, saved at `path`."""
    cache, router = Cache(BUDGET), _router()
    with StateFile(path, cache=cache, router=router):
        for number in range(5):
            decision = cache.answer(f"q{number}", models=MODELS, router=router).decision
            cache.observe(decision.id, quality=0.0)
    return cache, router


def test_entries_and_beliefs_come_back(tmp_path: Path) -> None:
    path = tmp_path / "state"
    first, taught = _filled(path)
    cache, router = Cache(BUDGET), _router()

    with StateFile(path, cache=cache, router=router) as state:
        assert state.restored == len(first) == len(cache) > 0
        assert state.incidents == cache.stats().incidents == 0
        assert cache.unit == "seconds"
        for number in range(5):
            key = Key(f"q{number}")
            assert router.route(key, count=2.0).mean == taught.route(key, count=2.0).mean != {}


def test_a_missing_file_is_an_empty_start_and_close_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "state"
    cache = Cache(BUDGET)
    state = StateFile(path, cache=cache)
    assert (state.restored, state.incidents, path.exists()) == (0, 0, False)

    cache.put("q", "a")
    state.close()
    state.close()

    assert read(path).cache.get("q") == "a"  # type: ignore[union-attr]
    assert read(path).router is None


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    _filled(path)

    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir()] == ["state"]


def test_it_saves_now_and_then_while_something_changes(tmp_path: Path) -> None:
    path = tmp_path / "state"
    cache = Cache(BUDGET)
    with StateFile(path, cache=cache, every_seconds=0.02):
        cache.put("q", "a")
        _until(lambda: path.exists() and read(path).cache.get("q") == "a")  # type: ignore[union-attr]
        cache.put("r", "b")
        _until(lambda: read(path).cache.get("r") == "b")  # type: ignore[union-attr]


def test_nothing_is_written_while_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "state"
    _filled(path)
    cache = Cache(BUDGET)
    before = path.stat().st_ino, path.stat().st_mtime_ns

    StateFile(path, cache=cache).close()

    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before


def test_quality_told_later_is_something_new_to_write(tmp_path: Path) -> None:
    path = tmp_path / "state"
    router = _router()
    cache = Cache(BUDGET)
    decision = cache.answer("q", models=MODELS, router=router).decision
    state = StateFile(path, router=router)
    state.save()
    before = path.read_bytes()

    router.observe(decision.id, quality=0.0)
    state.close()

    assert path.read_bytes() != before


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: data[: len(data) // 2], "damaged"),
        (lambda data: b"", "not a state file"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "damaged"),
        (lambda data: b"PK\x03\x04 something else", "not a state file"),
        (lambda data: data[:12] + b"\x00\x63" + data[14:], "another version"),
        (lambda data: data + b"more", "damaged"),
    ],
    ids=["half-written", "empty", "one bit", "foreign", "newer", "longer"],
)
def test_a_bad_file_is_kept_beside_and_the_start_is_empty(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Any, said: str
) -> None:
    path = tmp_path / "state"
    _filled(path)
    bad = damage(path.read_bytes())
    path.write_bytes(bad)
    with pytest.raises(SnapshotError, match=said):
        read(path)
    cache, router = Cache(BUDGET), _router()

    with caplog.at_level(logging.WARNING, "lecmux"), StateFile(path, cache=cache, router=router) as state:
        assert (len(cache), len(router._core), state.restored) == (0, 0, 0)
        assert state.incidents == cache.stats().incidents == 1
        assert not path.exists()
        cache.put("q", "a")

    assert (tmp_path / "state.bad").read_bytes() == bad
    assert any(said in line and "state.bad" in line for line in caplog.messages)
    assert read(path).cache.get("q") == "a"  # type: ignore[union-attr]


@pytest.mark.parametrize("length", range(0, 400, 7))
def test_no_cut_of_a_file_is_taken_for_whole(tmp_path: Path, length: int) -> None:
    path = tmp_path / "state"
    _filled(path)
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(SnapshotError):
        read(path)


def test_no_changed_bit_goes_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "state"
    _filled(path)
    whole = path.read_bytes()
    chance = Random(7)

    for place in chance.sample(range(len(whole)), 200):
        changed = bytearray(whole)
        changed[place] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(SnapshotError):
            read(path)


@pytest.mark.parametrize(
    "parts",
    [{"ledger": b"[]"}, {"ledger": b"not json"}, {"ledger": b"{}"}, {"router": b"x"}, {"cache": b"x"}],
    ids=["list", "no json", "empty", "router", "cache"],
)
def test_a_whole_file_with_parts_that_make_no_sense_is_refused(
    tmp_path: Path, parts: dict[str, bytes]
) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"".join(_sealed(parts)))

    with pytest.raises(SnapshotError, match="state"):
        read(path)
    with StateFile(path, cache=Cache(BUDGET), router=_router()) as state:
        assert state.incidents == 1


@pytest.mark.parametrize("line", [b"{}\n", b"[]\n", b"no json\n", b'{"parts": {"cache": "x"}}\n', b"no end"])
def test_a_first_line_that_makes_no_sense_is_refused(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "state"
    path.write_bytes(_snapshot.STATE_MAGIC + _snapshot.digest(line) + line)

    with pytest.raises(SnapshotError, match="damaged"):
        read(path)


def test_beliefs_about_other_models_are_left_aside_and_the_entries_used(tmp_path: Path) -> None:
    path = tmp_path / "state"
    _filled(path)
    cache, router = Cache(BUDGET), Router(["small", "medium", "large"])

    with StateFile(path, cache=cache, router=router) as state:
        assert (state.incidents, len(router._core)) == (1, 0)
        assert len(cache) == state.restored > 0
        assert (tmp_path / "state.bad").exists()


def test_costs_in_another_unit_are_left_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "state"
    _filled(path)
    cache = Cache(BUDGET)
    cache.settle_unit("usd")
    router = Router(["small", "large"], prices={"small": Price.free(), "large": Price(1.0)})

    with caplog.at_level(logging.WARNING, "lecmux"), StateFile(path, cache=cache, router=router) as state:
        assert (len(cache), len(router._core), state.incidents) == (0, 0, 2)

    assert "counts costs in usd, not in seconds" in caplog.text


def test_new_prices_in_the_same_unit_keep_what_was_learnt(tmp_path: Path) -> None:
    path = tmp_path / "state"
    old = Router(["m"], prices={"m": Price(1.0, usd_per_second=0.5)})
    old.learn(Key("q"), "m", paid=3.0, error=0.0)
    StateFile(path, router=old).close()
    new = Router(["m"], prices={"m": Price(2.0)})

    with StateFile(path, router=new) as state:
        assert state.incidents == 0

    assert new.route(Key("q"), count=2.0).mean == {"m": 3.0}


def test_the_snapshot_of_a_cache_or_a_router_alone_is_taken_too(tmp_path: Path) -> None:
    cache, router = _filled(tmp_path / "state")
    cache.save(tmp_path / "cache")
    router.save(tmp_path / "router")
    again, taught = Cache(BUDGET), _router()

    StateFile(tmp_path / "cache", cache=again).close()
    StateFile(tmp_path / "router", router=taught).close()

    assert len(again) == len(cache)
    assert len(taught._core) == len(router._core)


def test_other_readers_say_what_a_state_file_is(tmp_path: Path) -> None:
    path = tmp_path / "state"
    _filled(path)

    for kind in (Cache, Router):
        with pytest.raises(SnapshotError):
            kind.load(path)
    with pytest.raises(SnapshotError, match=r"lecmux\.state\.read reads it"):
        Cache.load(path)


def test_a_smaller_cache_takes_over_what_fits(tmp_path: Path) -> None:
    path = tmp_path / "state"
    large = Cache(1_000_000)
    with StateFile(path, cache=large):
        for number in range(200):
            large.put(f"q{number}", "x" * 500, cost_usd=float(number))
    small = Cache(20_000)

    with StateFile(path, cache=small) as state:
        assert 0 < state.restored < 200
        assert small.get("q199") is not None


@pytest.mark.parametrize("path", ["no/such/folder/state", ".", "/proc/state"])
def test_a_path_that_cannot_be_written_is_refused_at_once(tmp_path: Path, path: str) -> None:
    if path.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("needs a folder that not even root can write to: /proc of Linux")

    with pytest.raises(ConfigError, match="name a"):
        StateFile(tmp_path / path, cache=Cache(BUDGET))


def test_settings_that_cannot_work_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cache= or router="):
        StateFile(tmp_path / "state")
    for seconds in (0, -1, float("nan")):
        with pytest.raises(ConfigError, match="every_seconds"):
            StateFile(tmp_path / "state", cache=Cache(BUDGET), every_seconds=seconds)


def test_trouble_while_saving_is_counted_and_the_file_stays_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "state"
    _filled(path)
    cache = Cache(BUDGET)
    state = StateFile(path, cache=cache)
    folder.rename(tmp_path / "elsewhere")  # as when a volume goes away
    cache.put("q", "a")

    with pytest.raises(OSError, match="No such file"):
        state.save()
    with caplog.at_level(logging.WARNING, "lecmux"):
        state.close()

    assert state.incidents == cache.stats().incidents == 1
    assert "No such file" in caplog.text
    assert cache.get("q") == "a"
    assert read(tmp_path / "elsewhere" / "state").cache is not None


def test_drafts_of_killed_processes_are_swept(tmp_path: Path) -> None:
    old, young, other = (tmp_path / name for name in (".state.0123abcd", ".state.89abcdef", ".state.txt"))
    for each in (old, young, other):
        each.write_bytes(b"half")
    for each in (old, other):
        os.utime(each, (time.time() - 7200,) * 2)

    StateFile(tmp_path / "state", cache=Cache(BUDGET)).close()

    assert (old.exists(), young.exists(), other.exists()) == (False, True, True)


def test_it_saves_when_the_program_ends(tmp_path: Path) -> None:
    path = tmp_path / "state"
    _python(f"""
from lecmux import Cache
from lecmux.state import StateFile
cache = Cache({BUDGET})
StateFile({str(path)!r}, cache=cache)
cache.put("q", "a")
""")

    assert read(path).cache.get("q") == "a"  # type: ignore[union-attr]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_never_writes(tmp_path: Path) -> None:
    path = tmp_path / "state"
    done = _python(f"""
import os, sys
from lecmux import Cache
from lecmux.state import StateFile
cache = Cache({BUDGET})
state = StateFile({str(path)!r}, cache=cache)
cache.put("q", "parent")
state.save()
before = open({str(path)!r}, "rb").read()
if os.fork() == 0:
    cache.put("r", "child")
    saved = state.save()
    state.close()
    sys.exit(int(saved or open({str(path)!r}, "rb").read() != before))  # atexit runs here too
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
""")

    assert done.stderr == ""
    kept = read(path).cache
    assert kept is not None
    assert (kept.get("q"), kept.get("r")) == ("parent", None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_may_keep_a_file_of_its_own(tmp_path: Path) -> None:
    _python(f"""
import os, sys
from lecmux import Cache
from lecmux.state import StateFile
state = StateFile({str(tmp_path / "parent")!r}, cache=Cache({BUDGET}))
if os.fork() == 0:
    cache = Cache({BUDGET})
    StateFile({str(tmp_path / "child")!r}, cache=cache, every_seconds=0.01)
    cache.put("q", "child")
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
""")

    assert read(tmp_path / "child").cache.get("q") == "child"  # type: ignore[union-attr]


def test_of_two_processes_the_last_wins_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "state"
    cache = Cache(BUDGET)
    state = StateFile(path, cache=cache)
    cache.put("mine", "a")
    state.save()
    _python(f"""
from lecmux import Cache
from lecmux.state import StateFile
cache = Cache({BUDGET})
with StateFile({str(path)!r}, cache=cache) as state:
    assert state.restored == 1
    cache.put("theirs", "b")
""")
    cache.put("more", "c")

    with caplog.at_level(logging.WARNING, "lecmux"):
        state.save()
        state.save()

    kept = read(path).cache
    assert kept is not None
    assert [kept.get(key) for key in ("mine", "more", "theirs")] == ["a", "c", None]
    assert caplog.text.count("the last to write wins") == 1
    state.close()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_process_killed_while_it_writes_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    program = f"""
from lecmux import Cache
from lecmux.state import StateFile
cache = Cache(4_000_000)
state = StateFile({str(path)!r}, cache=cache)
number = 0
while True:
    cache.put(f"q{{number}}", "x" * 2000)
    state.save()
    number += 1
    print(number, flush=True)
"""
    for writes in (1, 2, 5, 9, 14):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(writes):
                process.stdout.readline()
            process.kill()
        kept = read(path).cache
        assert kept is not None
        assert len(kept) >= writes


def test_many_threads_may_save_at_once(tmp_path: Path) -> None:
    from threading import Thread

    path = tmp_path / "state"
    cache = Cache(BUDGET)
    with StateFile(path, cache=cache, every_seconds=0.001) as state:

        def work(name: int) -> None:
            for number in range(20):
                cache.put(f"{name} {number}", "a")
                state.save()

        threads = [Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert state.incidents == 0
    assert len(read(path).cache or ()) == len(cache)


def _until(condition: Any) -> None:
    """Waits for a thread to do its work; the suite's own time-out ends a wait in vain."""
    while not condition():
        time.sleep(0.005)


def _python(program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done
