"""Hits by meaning: what the semantic decision does on texts of yours."""

from lecmux.semantic._pairs import PairsEvaluation, evaluate_pairs
from lecmux.semantic._stream import Order, StreamEvaluation, evaluate_stream

__all__ = ["Order", "PairsEvaluation", "StreamEvaluation", "evaluate_pairs", "evaluate_stream"]
