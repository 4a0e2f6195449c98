"""Routers: which model answers a request that no stored answer serves."""

from lecmux.routers.router import Router

__all__ = ["Router"]
