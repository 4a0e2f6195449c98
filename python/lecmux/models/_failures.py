"""What may go wrong at an endpoint: a typed error for the user, and what the next try should make of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lecmux.errors import (
    ModelAccessError,
    ModelBusyError,
    ModelError,
    ModelNotFoundError,
    ModelReplyError,
    ModelRequestError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from lecmux.models._rate_headers import retry_after
from lecmux.models.endpoints import Endpoint

_SHOWN_CHARACTERS = 300
_SERVER_ERROR = 500
_REDIRECTS = range(300, 400)
_TRY_AGAIN = frozenset({408, 409, 429})
_KEY_STATUS = frozenset({401, 403})
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_NOT_FOUND = 404
_TOO_MANY = 429
_OVERLOADED = 503


@dataclass(frozen=True, slots=True)
class Failure:
    """One try that failed.

    Attributes:
        error: what the user gets when nothing else helps.
        retry: another try at the same endpoint may help.
        elsewhere: another endpoint may help; False where the request itself is refused.
        unwell: counts against the endpoint's health.
        cool_down: it asks to be left alone at once.
        overloaded: it has more calls than it can answer.
        retry_after_seconds: for so long, where it says so.
    """

    error: ModelError
    retry: bool = False
    elsewhere: bool = True
    unwell: bool = True
    cool_down: bool = False
    overloaded: bool = False
    retry_after_seconds: float | None = None


class Failed(Exception):  # noqa: N818  no error for users: `failure.error` is
    """Carries a failure out of one try."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure.error))
        self.failure = failure


def no_answer(endpoint: Endpoint, what: str) -> Failed:
    """The endpoint sent something that is no chat completion."""
    return Failed(Failure(ModelReplyError(f"{endpoint.base_url} sent {clean(what, endpoint)}")))


def broke_off(endpoint: Endpoint) -> Failed:
    """The answer stopped before its end."""
    text = f"{endpoint.base_url} stopped in the middle of an answer; nothing of it was kept: ask again"
    return Failed(Failure(ModelUnavailableError(text), retry=True))


def no_place(error: ModelError) -> Failed:
    """Too many calls are there already, by our own count: that says nothing of the endpoint's health."""
    return Failed(Failure(error, unwell=False))


def too_slow(endpoint: Endpoint, limit: str, seconds: float) -> Failed:
    """A limit of time was reached."""
    text = (
        f"{endpoint.base_url} took longer than {limit}={seconds:g}: "
        f"ask for less, or give Timeouts({limit}=...) more"
    )
    return Failed(Failure(ModelTimeoutError(text)))


def failed(error: BaseException, endpoint: Endpoint, model: str) -> Failed:
    """What an exception of the SDK, or of reading what it gave, means.

    Raises:
        BaseException: `error` itself, where it is none of the endpoint's.
    """
    import openai  # noqa: PLC0415  an extra, loaded at first use

    if isinstance(error, Failed):
        return error
    if isinstance(error, openai.APIStatusError):
        return Failed(_refused(error, endpoint, model))
    if isinstance(error, openai.APIConnectionError):  # a timeout to connect is one of these
        return Failed(_unreachable(error, endpoint))
    if isinstance(error, openai.APIError):  # an error that was sent as a part of the stream
        return Failed(_refused_late(error, endpoint))
    if isinstance(error, (ValueError, openai.OpenAIError)):
        return no_answer(endpoint, f"what cannot be read: {error}")
    raise error


def clean(text: str, endpoint: Endpoint) -> str:
    """Text from an endpoint, short enough to be shown and without the key, which some echo."""
    if endpoint.api_key:
        text = text.replace(endpoint.api_key, "***")
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."


def _unreachable(error: Any, endpoint: Endpoint) -> Failure:
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    why = clean(f"{type(cause).__name__} {cause}".strip(), endpoint)
    text = f"{endpoint.base_url} cannot be reached or dropped the connection ({why}): does the server run?"
    return Failure(ModelUnavailableError(text), retry=True)


def _refused_late(error: Any, endpoint: Endpoint) -> Failure:
    said = clean(str(error.message), endpoint)
    return Failure(ModelUnavailableError(f"{endpoint.base_url} broke off with an error: {said}"))


def _refused(error: Any, endpoint: Endpoint, model: str) -> Failure:
    status: int = error.status_code
    said = clean(_said(error), endpoint)
    told = f"{endpoint.base_url} answered {status}: {said}"
    if status in _KEY_STATUS:
        hint = "check the api_key" if endpoint.api_key else "it wants an api_key"
        return Failure(ModelAccessError(f"{told}; {hint}"), unwell=False)
    if status == _NOT_FOUND:
        hint = f"does it serve a model {model!r}, and is base_url the part before /chat/completions?"
        return Failure(ModelNotFoundError(f"{told}; {hint}"), unwell=False)
    if status == _TOO_MANY:
        return _too_many(error, told, endpoint)
    if status in _TRY_AGAIN or status >= _SERVER_ERROR:
        after = retry_after(error.response.headers)
        down = ModelUnavailableError(f"{told}; try again later")
        return Failure(down, retry=True, overloaded=status == _OVERLOADED, retry_after_seconds=after)
    if status in _REDIRECTS:
        where = clean(error.response.headers.get("location", "nowhere"), endpoint)
        return Failure(ModelReplyError(f"{endpoint.base_url} redirects to {where}: is that the base_url?"))
    return Failure(ModelRequestError(f"{told}; the request must be changed"), elsewhere=False, unwell=False)


def _too_many(error: Any, told: str, endpoint: Endpoint) -> Failure:
    if error.code in _NO_CREDIT:
        return Failure(ModelAccessError(f"{told}; the account needs credit"), unwell=False)
    after = retry_after(error.response.headers)
    when = "" if after is None else f" in {after:g} s"
    busy = ModelBusyError(f"{told}; ask less often, or again{when}", retry_after_seconds=after)
    return Failure(busy, retry=True, cool_down=True, overloaded=True, retry_after_seconds=after)


def _said(error: Any) -> str:
    """The endpoint's own words, without the SDK's frame around them."""
    body = error.body
    if isinstance(body, Mapping):
        said = body.get("message") or body.get("detail") or body.get("error")
        return str(said or body)
    return str(body or error.response.reason_phrase)
