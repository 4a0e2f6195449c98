"""The stored form of LlamaIndex's answers: our own closed schema, no pickle, no class named by data."""

from lecmux.tagged import UnstorableError
from llama_index.llms.lecmux.codec.responses import FORMAT, MAX_BYTES, decode, encode

__all__ = ["FORMAT", "MAX_BYTES", "UnstorableError", "decode", "encode"]
