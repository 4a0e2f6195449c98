"""Hits by meaning: what the semantic decision does on texts of yours."""

from lecmux.semantic._after_drift import AfterDrift
from lecmux.semantic._pairs import PairsEvaluation, evaluate_pairs
from lecmux.semantic._stream import Interval, Order, StreamEvaluation, Told, evaluate_stream

__all__ = [
    "AfterDrift",
    "Interval",
    "Order",
    "PairsEvaluation",
    "StreamEvaluation",
    "Told",
    "evaluate_pairs",
    "evaluate_stream",
]
