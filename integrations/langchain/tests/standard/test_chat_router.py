"""LangChain's chat suite for `ChatRouter` over two models of different families, without and with a cache."""

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from offline_model import OfflineBlockChat, OfflineToolChat

from langchain_lecmux import ChatRouter, LECCache


class _Router:
    """What the suites are told."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatRouter

    @property
    def chat_model_params(self) -> dict[str, Any]:
        small = OfflineToolChat(model="small-1", stop=["never"])
        return {"models": {"small": small, "large": OfflineBlockChat(model="large-1")}, "cache": self.cache()}

    def cache(self) -> Any:
        return False

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "offline-2"


class _Cached(_Router):
    """A cache of its own for every model the suite makes."""

    def cache(self) -> Any:
        return LECCache()


class _BlocksFirst(_Router):
    """The other family is the one that is asked first."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        models = {"small": OfflineBlockChat(model="small-1"), "large": OfflineToolChat(model="large-1")}
        return {"models": models, "cache": self.cache()}


class TestUnit(_Router, ChatModelUnitTests):
    pass


class TestIntegration(_Router, ChatModelIntegrationTests):
    pass


class TestCachedUnit(_Cached, ChatModelUnitTests):
    pass


class TestCachedIntegration(_Cached, ChatModelIntegrationTests):
    pass


class TestBlocksFirstUnit(_BlocksFirst, ChatModelUnitTests):
    pass


class TestBlocksFirstIntegration(_BlocksFirst, ChatModelIntegrationTests):
    pass


_SHARED = LECCache()


class _Shared(_Router):
    def cache(self) -> Any:
        return _SHARED


class TestOnceIntegration(_Shared, ChatModelIntegrationTests):
    """Fills a cache."""


class TestAgainIntegration(_Shared, ChatModelIntegrationTests):
    """Is answered from it: whatever holds for a call holds for a hit."""


def test_the_second_time_was_answered_from_the_cache() -> None:
    stats = _SHARED.store.stats()
    if stats.requests:  # alone, this test has nothing to look at
        assert stats.hits >= stats.misses
        assert stats.incidents == 0
