"""Where a model is served, and how long, how often and in which order it is asked: plain settings."""

import ipaddress
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from lecmux.errors import ConfigError
from lecmux.policies._check import instance

__all__ = ["Concurrency", "Cooldown", "Endpoint", "Retries", "Timeouts"]

_FIRST_TOKEN_LOCAL_SECONDS = 30.0
_FIRST_TOKEN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long one call may take.

    Attributes:
        connect_seconds: to open a connection.
        first_token_seconds: from sending the request to the first token, for each try; None stands for 30 s
            where the endpoint is on this machine or a private network, else 60 s.
        total_seconds: for the whole call, with all its tries and waits.

    Raises:
        ConfigError: for a limit that is no positive, finite number.
    """

    connect_seconds: float = 2.0
    first_token_seconds: float | None = None
    total_seconds: float = 300.0

    def __post_init__(self) -> None:
        _require_amount("connect_seconds", self.connect_seconds, above_zero=True)
        _require_amount("total_seconds", self.total_seconds, above_zero=True)
        if self.first_token_seconds is not None:
            _require_amount("first_token_seconds", self.first_token_seconds, above_zero=True)


@dataclass(frozen=True, slots=True)
class Retries:
    """The one layer of retries; the SDK's own is switched off.

    A call is tried again after a failed connection, 408, 409, 429 and 5xx: never after the first token of a
    stream, never after another 4xx. The wait is drawn from [0, `base_seconds` x 2^n], at most
    `longest_seconds` ("full jitter", so that many clients do not come back at once), or is what
    `Retry-After` asks for.

    Attributes:
        times: after the first try.
        base_seconds: doubled from try to try.
        longest_seconds: bound of a wait that is drawn.
        retry_after_at_most_seconds: bound of a wait that the endpoint asks for.
        budget: retries per call in the long run, so that retries do not bring down what is overloaded.
        burst: retries that may come at once before `budget` counts.

    Raises:
        ConfigError: for a setting that cannot work.
    """

    times: int = 2
    base_seconds: float = 0.5
    longest_seconds: float = 8.0
    retry_after_at_most_seconds: float = 120.0
    budget: float = 0.1
    burst: int = 10

    def __post_init__(self) -> None:
        for name in ("times", "burst"):
            _require_count(name, getattr(self, name), least=0)
        for name in ("base_seconds", "longest_seconds", "retry_after_at_most_seconds", "budget"):
            _require_amount(name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class Cooldown:
    """How long an endpoint that fails is left alone.

    It is passed over after `failures` in a row, or one 429, for `first_seconds`, doubled with each further
    failure up to `longest_seconds`, or for as long as its `Retry-After` says. Then one call tries it while
    the others still pass it over. When every endpoint cools down, the one that is ready first is asked.

    Attributes:
        failures: in a row.
        first_seconds: of the first cooldown.
        longest_seconds: of the longest.
        check_seconds: an endpoint of this machine or a private network is asked for its `/health` every so
            many seconds while it cools down after failures, and is tried as soon as that is well. One that
            has no such page is not asked again. 0.0 asks none.

    Raises:
        ConfigError: for a setting that cannot work.
    """

    failures: int = 3
    first_seconds: float = 5.0
    longest_seconds: float = 60.0
    check_seconds: float = 10.0

    def __post_init__(self) -> None:
        _require_count("failures", self.failures, least=1)
        for name in ("first_seconds", "longest_seconds", "check_seconds"):
            _require_amount(name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many calls may be at an endpoint at once, streams until their end. Further ones wait their turn.

    A call that finds no place goes to the next of the `fallbacks`, and fails where there is none: with
    `QueueFullError` where `queue_size` calls wait already, with `ModelBusyError` after `wait_seconds`.
    An endpoint whose rate limit is used up, as its `x-ratelimit-...` headers say, gets no call until that is
    over.

    Attributes:
        at_most: calls at once. For a server of your own what it computes together: `--max-num-seqs` of vLLM,
            `--parallel` of llama.cpp. The default is what the connections of this process allow.
        queue_size: calls that may wait for a place.
        wait_seconds: longest wait for one; None leaves it to `Timeouts.total_seconds`, which counts it.
        adapt: halve the limit where the endpoint answers 429 or 503, and raise it by one for each so many
            calls that are answered while all places are taken, up to `at_most`.

    Raises:
        ConfigError: for a setting that cannot work.
    """

    at_most: int = 1000
    queue_size: int = 1000
    wait_seconds: float | None = None
    adapt: bool = True

    def __post_init__(self) -> None:
        _require_count("at_most", self.at_most, least=1)
        _require_count("queue_size", self.queue_size, least=0)
        if self.wait_seconds is not None:
            _require_amount("wait_seconds", self.wait_seconds)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place that serves the model.

    Attributes:
        base_url: up to and with `/v1`, such as "http://127.0.0.1:8000/v1".
        api_key: None sends none. It is shown in no repr, log or error.
        model: what this endpoint calls the model; None takes the name asked of the others.
        headers: sent with each request.
        timeouts: of calls to this endpoint; `total_seconds` is that of the first endpoint.
        concurrency: how many calls may be there at once.

    Raises:
        ConfigError: for an address that is no http(s) URL, or one with a password in it.
    """

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    model: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeouts: Timeouts = field(default_factory=Timeouts)
    concurrency: Concurrency = field(default_factory=Concurrency)

    def __post_init__(self) -> None:
        self._check_kinds()
        try:
            parts = urlsplit(self.base_url)
            fits = parts.scheme in {"http", "https"} and bool(parts.hostname)
            has_password = bool(parts.username or parts.password)
        except (AttributeError, TypeError, ValueError):
            fits = has_password = False
        if has_password:
            raise ConfigError("base_url holds a password: give it as api_key or in headers")
        if not fits:
            raise ConfigError(
                f"base_url must be an http(s) address as 'http://127.0.0.1:8000/v1' is, not {self.base_url!r}"
            )
        if self.timeouts.first_token_seconds is None:
            seconds = _FIRST_TOKEN_LOCAL_SECONDS if self.local else _FIRST_TOKEN_SECONDS
            object.__setattr__(self, "timeouts", replace(self.timeouts, first_token_seconds=seconds))

    def _check_kinds(self) -> None:
        instance("timeouts", self.timeouts, Timeouts)
        instance("concurrency", self.concurrency, Concurrency)
        if self.api_key is not None and not isinstance(self.api_key, str):
            raise ConfigError("api_key must be a str, or None for no key")
        plain = isinstance(self.headers, Mapping) and all(
            isinstance(part, str) for header in self.headers.items() for part in header
        )
        if not plain:
            raise ConfigError("headers must map names to str, such as {'X-Team': 'search'}")

    @property
    def host(self) -> str:
        """Name or address of the server."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def local(self) -> bool:
        """True for this machine and private networks: proxies are passed by, and answers come sooner."""
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return "." not in self.host or self.host.endswith((".local", ".localhost", ".internal"))
        return address.is_private or address.is_loopback

    @property
    def is_openai(self) -> bool:
        """True for OpenAI's own service, which names some fields differently."""
        return self.host == "api.openai.com" or self.host.endswith(".api.openai.com")


def _require_count(name: str, value: int, *, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"{name} must be a whole number of at least {least}, not {value!r}")


def _require_amount(name: str, value: float, *, above_zero: bool = False) -> None:
    try:
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an int that no float holds
        good = False
    if not good or value < 0 or (above_zero and value == 0):
        least = "above" if above_zero else "of at least"
        raise ConfigError(f"{name} must be a finite number {least} 0, not {value!r}")
