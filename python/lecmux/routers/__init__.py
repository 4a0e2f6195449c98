"""Routers: which model answers a request that no stored answer serves."""

from lecmux.routers.cascade import Cascade
from lecmux.routers.multiplexer import ExpectedCosts, Multiplexer, Prior, TextFeatures
from lecmux.routers.router import Router

__all__ = ["Cascade", "ExpectedCosts", "Multiplexer", "Prior", "Router", "TextFeatures"]
