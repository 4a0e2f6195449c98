"""What an endpoint may do in place of answering: lines for the script of a `ScriptedEndpoint`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Drop", "Fault", "Hang", "Refuse", "Send"]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answers with a status and an error in OpenAI's form."""

    status: int
    message: str = "no"
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Send:
    """Sends these bytes, whatever they are, as the whole body."""

    body: bytes
    content_type: str = "text/event-stream"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drop:
    """Streams the first `pieces` of an answer and drops the connection.

    None drops it before the status line. `quietly` ends the body as if it were whole, so that only the
    missing end of the answer tells.
    """

    pieces: int | None = None
    text: str = "one two three four"
    quietly: bool = False


@dataclass(frozen=True, slots=True)
class Hang:
    """Streams the first `pieces` of an answer and then nothing until the client hangs up.

    None hangs before the status line. With `drip` these bytes are sent again and again, as by a client that
    means to be kept busy.
    """

    pieces: int | None = None
    text: str = "one two three four"
    drip: bytes = b""


Fault = Refuse | Send | Drop | Hang
