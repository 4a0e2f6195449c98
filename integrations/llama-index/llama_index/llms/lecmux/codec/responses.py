"""An answer, of a chat or of a completion, as bytes and back.

What the provider's client returned, `raw`, is left out: it may be any object of any library.
"""

import json
from typing import Any, Final

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse, LogProb

from lecmux.tagged import Packer, UnstorableError, unpack
from llama_index.llms.lecmux.codec.blocks import pack_message, unpack_message
from llama_index.llms.lecmux.codec.pieces import pack_pieces, unpack_pieces
from llama_index.llms.lecmux.generated import Generated
from llama_index.llms.lecmux.responses import Response

FORMAT: Final = 1
MAX_BYTES: Final = 16 * 2**20
"""Answers beyond this size are not stored, and not read: a file from elsewhere cannot ask for more memory."""

_written = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


def encode(generated: Generated) -> bytes:
    """UTF-8 JSON by the closed schema: `[format, tagged, body, additional_kwargs, logprobs, pieces, tokens]`.

    Raises:
        UnstorableError: something outside the schema, nested too deeply, or larger than `MAX_BYTES`.
    """
    packer = Packer()
    response = generated.response
    body = [
        _body(response, packer),
        packer.pack(response.additional_kwargs),
        _pack_logprobs(response),
    ]
    text = _written(
        [FORMAT, int(packer.tagged), *body, pack_pieces(generated.pieces), list(generated.tokens)]
    )
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_BYTES:
        raise UnstorableError(f"an answer of {len(data):,} bytes, where {MAX_BYTES:,} are stored at most")
    return data


def decode(data: bytes) -> Generated:
    """The answer, made anew on every call.

    Raises:
        UnstorableError: the data are not what `encode` writes.
    """
    if len(data) > MAX_BYTES:
        raise UnstorableError("a stored answer beyond the size limit")
    try:
        version, tagged, body, kwargs, logprobs, pieces, tokens = json.loads(
            data.decode("utf-8", "surrogatepass")
        )
        if version != FORMAT:
            raise UnstorableError(f"a stored answer of format {version!r}; this version reads {FORMAT}")
        if tagged:
            body, kwargs = unpack(body), unpack(kwargs)
        given, made = (int(count) for count in tokens)
        response = _response(body, kwargs, _unpack_logprobs(logprobs))
        return Generated(response, unpack_pieces(pieces), (given, made))
    except UnstorableError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnstorableError("a stored answer that does not fit the schema") from error


def _body(response: Response, packer: Packer) -> Any:
    if type(response) is ChatResponse:
        return pack_message(response.message, packer)
    if type(response) is CompletionResponse:
        return response.text
    raise UnstorableError(f"a response of type {type(response).__name__}")


def _response(body: Any, kwargs: Any, logprobs: Any) -> Response:
    if not isinstance(kwargs, dict):
        raise UnstorableError("a stored answer with unfit details")
    if isinstance(body, str):
        return CompletionResponse.model_construct(text=body, additional_kwargs=kwargs, logprobs=logprobs)
    return ChatResponse.model_construct(
        message=unpack_message(body), additional_kwargs=kwargs, logprobs=logprobs
    )


def _pack_logprobs(response: Response) -> Any:
    if response.logprobs is None:
        return None
    return [[[each.token, each.logprob, each.bytes] for each in place] for place in response.logprobs]


def _unpack_logprobs(packed: Any) -> list[list[LogProb]] | None:
    if packed is None:
        return None
    return [
        [LogProb(token=token, logprob=logprob, bytes=data) for token, logprob, data in place]
        for place in packed
    ]
