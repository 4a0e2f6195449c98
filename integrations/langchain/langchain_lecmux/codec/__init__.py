"""The stored form of LangChain's answers: our own closed schema, no pickle, no class named by data."""

from langchain_lecmux.codec.generations import FORMAT, MAX_BYTES, anew, decode, encode, remembered
from lecmux.tagged import MAX_DEPTH, UnstorableError

__all__ = ["FORMAT", "MAX_BYTES", "MAX_DEPTH", "UnstorableError", "anew", "decode", "encode", "remembered"]
