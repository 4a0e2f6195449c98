"""What likeness may go by in a request, apart from all that must be equal.

An answer to a question that is only alike is right where everything else is the same: the turns before, the
system text, files. So a request is cut in two: the last human turn, and a digest of the rest.
"""

import re
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from lecmux.key_text import is_encodable

__all__ = ["MAX_SALIENT_CHARS", "Salient", "is_shaped", "salient"]

MAX_SALIENT_CHARS: Final = 1000
"""Of longer texts, embedders see a part: that this is alike says nothing of the rest."""
# Settings of providers, by name: tools and their choice, and structured output.
_SHAPING: Final = (
    "tools", "tool", "tool_choice", "tool_config", "tool_resources", "built_in_tools", "server_tools",
    "mcp_servers", "functions", "function_call", "function_declarations", "parallel_tool_calls",
    "web_search_options", "response_format", "response_schema", "response_json_schema", "response_mime_type",
    "output_config", "output_format", "output_schema", "structured_output", "structured_outputs",
    "json_schema", "json_mode", "guided_json", "guided_regex", "guided_choice", "guided_grammar", "grammar",
    "format", "schema", "structured", "modalities", "audio",
)  # fmt: skip
_NOTHING: Final = r"""None|null|false|False|\[\]|\{\}|\(\)|''|"" """.strip()
_SHAPED = re.compile(rf"""['"](?:{"|".join(_SHAPING)})['"](?:,|:) *+(?!{_NOTHING})""")


class Salient(NamedTuple):
    """`text` is compared by likeness; `context`, a digest of all else, must be equal."""

    text: str
    context: str


def salient(text: str, rest: str) -> Salient | None:
    """The two parts of a request.

    Args:
        text: what was said last by a human.
        rest: all else that was said, in one text that is equal for equal conversations; empty for none.

    Returns:
        None where there is nothing to compare, or more than `MAX_SALIENT_CHARS`.
    """
    if len(text) > MAX_SALIENT_CHARS or not text.strip():
        return None
    if not (text.isascii() or is_encodable(text)):
        return None
    return Salient(text, digest(rest) if rest else "")


def digest(rest: str) -> str:
    """128 bits of BLAKE2b, in hexadecimal."""
    return blake2b(rest.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def is_shaped(settings: str) -> bool:
    """Whether the settings of a call, as Python or JSON writes them, name tools or a structured output.

    An answer that a program acts on is no answer to a question that is only alike.
    """
    return _names_a_shape(settings)


@lru_cache(maxsize=512)
def _names_a_shape(settings: str) -> bool:
    """A program has few settings, each perhaps kilobytes of tool schemas."""
    return _SHAPED.search(settings) is not None
