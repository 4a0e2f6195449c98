"""The offline models themselves pass LangChain's chat suite, so that a router's failures are the router's."""

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from offline_model import OfflineBlockChat, OfflineToolChat


class _Offline:
    """What both suites are told about the models."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "offline-1"}

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "offline-2"


class TestToolsUnit(_Offline, ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return OfflineToolChat


class TestToolsIntegration(_Offline, ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return OfflineToolChat


class TestBlocksUnit(_Offline, ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return OfflineBlockChat


class TestBlocksIntegration(_Offline, ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return OfflineBlockChat


def test_tools_of_one_family_do_not_fit_the_other() -> None:
    bound: Any = OfflineToolChat().bind_tools([_Offline])
    with pytest.raises(KeyError):
        OfflineBlockChat().invoke("hi", **bound.kwargs)
