"""`RouterLLM`: an LLM that serves a stored answer, or asks the model it expects to cost least.

The path of a call is `lecmux.flow.answer`; this file drives it with LlamaIndex's models, in their ways.
Its methods carry no callback decorators: the chosen model's own tell of the call, so that it counts once.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, Self, cast

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.llms import LLM
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools.types import BaseTool
from pydantic import Field, PrivateAttr

from lecmux import Answer, Cache, Cascade, Hooks, Router, ValueOfInformation, flow
from lecmux.costs import AnyPrice
from lecmux.errors import ConfigError
from lecmux.explain import Explanation, aexplain, explain
from lecmux.report import Report
from lecmux.state import StateFile
from llama_index.llms.lecmux.asking import CACHE, OFFER, ROUTE, SEMANTIC, Asking, Offer
from llama_index.llms.lecmux.canonical import FACTS
from llama_index.llms.lecmux.metadata import common_metadata, takes_tools
from llama_index.llms.lecmux.replay import chunks
from llama_index.llms.lecmux.responses import Response
from llama_index.llms.lecmux.settings import (
    checked_models,
    checked_namespace,
    checked_store,
    refuse_strangers,
)
from llama_index.llms.lecmux.stored_run import StoredRun
from llama_index.llms.lecmux.wiring import Turn, Wiring

__all__ = ["RouterLLM"]

DEFAULT_CAPACITY_BYTES: Final = 256 * 2**20
_OURS: Final = frozenset({ROUTE, CACHE, SEMANTIC})


class RouterLLM(FunctionCallingLLM):
    """Stands wherever an LLM does, over K models of yours, with an answer cache inside.

    Each call is answered from the cache, or by the model whose expected cost is least: dollars, seconds at
    a price, and the price of a wrong answer times its likelihood. What a model costs is learnt from the
    calls that were paid for; a model is tried where the knowledge may repay the trial.
    `additional_kwargs["lecmux"]` of every answer holds the decision: `id` (for `observe`), `kind` ("hit" or
    "call"), `model`, `reason`, `unit`, `cost`, `saved`, the bounds behind it, the tokens of the call that
    answered as `usage`, and for a hit its `hit_id` and `age_seconds`.

    Tools are offered to the chosen model in its own way. Any call can name its model with
    `lecmux_route="large"`, and what to do with the cache with `lecmux_cache="refresh"` or `"skip"`; with
    `lecmux_semantic=False` no answer to a question that is only alike is served.
    """

    models: dict[str, LLM] = Field(exclude=True)
    """By the names that decisions and prices use."""
    prices: Mapping[str, AnyPrice] | None = Field(default=None, exclude=True)
    """By those names. Where not every model has a price, costs are seconds, and every decision says so."""
    cache: Any = Field(default=None, exclude=True)
    """A `lecmux.Cache` or `AsyncCache` to share; None: one of its own, 256 MiB; False: none."""
    semantic: Any = Field(default=None, exclude=True)
    """A `lecmux.Semantic` for a cache of its own: questions that are only alike may be answered. Without one,
    or for a `cache` that is passed without, answers are to the exact question."""
    quality: Any = Field(default=None, exclude=True)
    """How right an answer is, where known at once: `(query, reply) -> float | None`, or an object with it."""
    price_of_wrong_usd: float = 0.0
    price_of_wrong_seconds: float = 0.0
    price_per_second_usd: float = 0.0
    baseline: str | None = None
    """The model that savings are counted against; None: the dearest."""
    estimator: Any = Field(default_factory=ValueOfInformation, exclude=True)
    """How sure to be of a cost before it counts: an estimator of `lecmux`."""
    multiplexer: Any = Field(default=None, exclude=True)
    """What is expected of a question before it has costs of its own: `lecmux.routers.Multiplexer()`."""
    cost_floor: float = 0.0
    """The least an answer can cost."""
    cost_ceiling: float | None = None
    """The most it can cost; estimators that bound by the range need it."""
    namespace: str = ""
    """Keeps this router's answers apart from those of others over the same models."""
    shadow: bool = False
    """Decide, and record what that would have saved, but always ask the `baseline` and give its answer."""
    path: Any = Field(default=None, exclude=True)
    """A file to start from and to keep up to date, with what was learnt and the answers of the cache. Written
    at `close`, at exit and every few minutes."""
    arms: Sequence[Cascade] = Field(default=(), exclude=True)
    """Cascades over these models, to be chosen among like models."""
    fallback: bool = True
    """Whether another model is asked where one fails, before the first chunk."""
    timeout_seconds: float | None = None
    """Of each call, and in a stream of each chunk, the first one included. What takes longer has failed: what
    is awaited is cancelled, any other call runs on on its own thread, and its answer is dropped."""
    renew_tool_call_ids: bool = True
    """Give served tool calls ids of their own."""
    seed: int = 0
    """Fixes every tie and every coin."""

    _router: Router = PrivateAttr()
    _wiring: Wiring = PrivateAttr()
    _deadline: flow.Deadline = PrivateAttr(default_factory=flow.Deadline)
    _state: StateFile | None = PrivateAttr(default=None)

    def __init__(self, **settings: Any) -> None:
        """Takes the fields by name.

        Raises:
            ConfigError: settings that cannot work.
            PriceError: prices of models that are not there, dollar amounts without a price for every model,
                or a cache that counts in another unit.
        """
        refuse_strangers(settings, type(self).model_fields)
        settings["models"] = checked_models(settings.get("models"))
        if settings.get("cache") is None:
            settings["cache"] = Cache(DEFAULT_CAPACITY_BYTES, semantic=settings.get("semantic"))
        elif settings.get("semantic") is not None:
            raise ConfigError("semantic= belongs to the Cache that is passed: Cache(..., semantic=...)")
        super().__init__(**settings)
        if "callback_manager" in settings and settings["callback_manager"] is not None:
            self.callback_manager = settings["callback_manager"]
        checked_namespace(self.namespace)
        _ = self._limit  # refuses what cannot work
        self._router = Router(
            tuple(self.models),
            prices=self.prices,
            price_of_wrong_usd=self.price_of_wrong_usd,
            price_of_wrong_seconds=self.price_of_wrong_seconds,
            price_per_second_usd=self.price_per_second_usd,
            baseline=self.baseline,
            arms=self.arms,
            fallback=self.fallback,
            estimator=self.estimator,
            multiplexer=self.multiplexer,
            cost_floor=self.cost_floor,
            cost_ceiling=self.cost_ceiling,
            seed=self.seed,
        )
        self._wiring = Wiring(
            self.models,
            self._router,
            store=checked_store(self.cache),
            judge=flow.HookRunner(Hooks(quality=self.quality)) if self.quality else None,
            namespace=self.namespace,
            shadow=self.shadow,
            renew_tool_calls=self.renew_tool_call_ids,
        )
        if self.path is not None:
            self._state = StateFile(
                self.path, cache=checked_store(self.cache), router=self._router, ledger=self._wiring.ledger
            )

    def report(self) -> Report:
        """What was spent and saved against everything to the best model, by scope, model and day.

        With a cache, of all that use it; without, of this router.
        """
        return self._wiring.report()

    def close(self) -> None:
        """Saves to `path` a last time; the models stay open."""
        if self._state:
            self._state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __setattr__(self, name: str, value: Any) -> None:
        """A callback manager, which `Settings` sets on each access, is passed on to the models."""
        super().__setattr__(name, value)
        if name == "callback_manager":
            for model in self.models.values():
                model.callback_manager = value

    @classmethod
    def class_name(cls) -> str:
        """Name in traces and exports."""
        return "lecmux_router_llm"

    @property
    def metadata(self) -> LLMMetadata:
        """What every model can do."""
        return common_metadata(self.models)

    @property
    def _limit(self) -> flow.TimeLimit:
        return flow.TimeLimit(self.timeout_seconds, self._deadline)

    @property
    def router(self) -> Router:
        """What was learnt of the models, and the choice among them."""
        return self._router

    def observe(self, decision_id: str, *, quality: float) -> bool:
        """Takes in how right an answer was (0.0 to 1.0), when that becomes known; False: too long ago.

        `decision_id` is `additional_kwargs["lecmux"]["id"]`. A stored answer is served on only while it is
        expected to cost less than a new one.
        """
        return self._router.observe(decision_id, quality=quality)

    def explain(
        self, question: str | Sequence[ChatMessage], *, tools: Sequence[BaseTool] = (), **kwargs: Any
    ) -> Explanation:
        """What would become of a prompt or a chat now, and why. Counts nothing and changes nothing.

        `kwargs` are those of the call, `lecmux_route` and `lecmux_cache` among them.
        """
        turn = self._turn(self._supposed(question, tools, kwargs))
        return explain(turn.query, turn.core)

    async def aexplain(
        self, question: str | Sequence[ChatMessage], *, tools: Sequence[BaseTool] = (), **kwargs: Any
    ) -> Explanation:
        """As `explain`; hooks that can be awaited are."""
        turn = self._turn(self._supposed(question, tools, kwargs))
        return await aexplain(turn.query, turn.core)

    def _supposed(
        self, question: str | Sequence[ChatMessage], tools: Sequence[BaseTool], kwargs: dict[str, Any]
    ) -> Asking:
        if isinstance(question, str):
            return Asking.completion(question, kwargs.pop("formatted", False), kwargs)
        if not tools:
            return Asking.chat(question, kwargs)
        prepared = self._prepare_chat_with_tools(tools, chat_history=list(question), **kwargs)
        return Asking.chat(prepared.pop("messages"), prepared)

    # whole answers

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """One answer to a conversation."""
        return cast("ChatResponse", self._answer(Asking.chat(messages, kwargs)))

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """As `chat`, awaited."""
        return cast("ChatResponse", await self._aanswer(Asking.chat(messages, kwargs)))

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """One completion of a prompt."""
        return cast("CompletionResponse", self._answer(Asking.completion(prompt, formatted, kwargs)))

    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """As `complete`, awaited."""
        return cast("CompletionResponse", await self._aanswer(Asking.completion(prompt, formatted, kwargs)))

    def _turn(self, asking: Asking) -> Turn:
        return self._wiring.turn(asking, self.rate_limiter)

    def _answer(self, asking: Asking) -> Response:
        turn = self._turn(asking)
        return self._finished(
            turn, flow.run(turn.pipeline(single_flight=True), self._limit.whole(turn.caller.whole))
        )

    async def _aanswer(self, asking: Asking) -> Response:
        turn = self._turn(asking)
        call = self._limit.awhole(turn.caller.awhole)
        answer = await flow.arun(turn.pipeline(single_flight=True), call)
        return self._finished(turn, answer)

    def _finished(self, turn: Turn, answer: Answer) -> Response:
        if answer.reply is not None:
            return turn.called(answer)
        response = turn.served(answer).response
        self._stored_run(turn, answer).whole(response)
        return response

    # streams

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """An answer in chunks: as the model gives them, or as it gave them when the answer was stored.

        Stored once it has ended normally. Each chunk carries the choice, the last also what it cost.
        """
        turn = self._turn(Asking.chat(messages, kwargs))
        return cast("ChatResponseGen", self._stream(turn))

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """As `stream_chat`, of a completion."""
        turn = self._turn(Asking.completion(prompt, formatted, kwargs))
        return cast("CompletionResponseGen", self._stream(turn))

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """As `stream_chat`, awaited, and then iterated with `async for`."""
        turn = self._turn(Asking.chat(messages, kwargs))
        return cast("ChatResponseAsyncGen", self._astream(turn))

    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """As `stream_complete`, awaited, and then iterated with `async for`."""
        turn = self._turn(Asking.completion(prompt, formatted, kwargs))
        return cast("CompletionResponseAsyncGen", self._astream(turn))

    def _stream(self, turn: Turn) -> Any:
        call = self._limit.stream(partial(turn.caller.stream, gathered=turn.gathered))
        for item in flow.stream(turn.pipeline(single_flight=False), call):
            if not isinstance(item, Answer):
                yield item
            elif item.reply is not None:
                turn.gathered.settle(item.decision)
            else:
                yield from self._replayed(turn, item)

    async def _astream(self, turn: Turn) -> Any:
        call = self._limit.astream(partial(turn.caller.astream, gathered=turn.gathered))
        async for item in flow.astream(turn.pipeline(single_flight=False), call):
            if not isinstance(item, Answer):
                yield item
            elif item.reply is not None:
                turn.gathered.settle(item.decision)
            else:
                for chunk in self._replayed(turn, item):
                    yield chunk

    def _replayed(self, turn: Turn, answer: Answer) -> Any:
        run = self._stored_run(turn, answer)
        run.start()
        try:
            for chunk in chunks(turn.served(answer)):
                run.chunk(chunk)
                yield chunk
        except BaseException as error:
            run.fail(error)
            raise
        run.end()

    def _stored_run(self, turn: Turn, answer: Answer) -> StoredRun:
        model = self.models.get(answer.decision.model or "")
        manager = self.callback_manager if model is None else model.callback_manager
        return StoredRun(turn.asking, answer.decision, manager, turn.core.incident)

    # tools

    def _prepare_chat_with_tools(  # noqa: PLR0917  LlamaIndex's signature
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Carries the tools as they are: they are written for the chosen model, once it is chosen."""
        messages = list(chat_history or [])
        if user_msg is not None:
            if isinstance(user_msg, str):
                user_msg = ChatMessage(role=MessageRole.USER, content=user_msg)
            messages.append(user_msg)
        ours = {name: kwargs.pop(name) for name in _OURS & kwargs.keys()}
        settings = {
            "allow_parallel_tool_calls": allow_parallel_tool_calls,
            "tool_required": tool_required,
            **kwargs,
        }
        return {"messages": messages, OFFER: Offer(tuple(tools), settings, verbose), **ours}

    def _validate_chat_with_tools_response(
        self,
        response: ChatResponse,
        tools: Sequence[BaseTool],
        allow_parallel_tool_calls: bool = False,
        **kwargs: Any,
    ) -> ChatResponse:
        model = self._reader(response)
        if model is None:
            return response
        return model._validate_chat_with_tools_response(
            response, tools, allow_parallel_tool_calls=allow_parallel_tool_calls, **kwargs
        )

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """The tool calls in an answer, read as the model that gave it would read them.

        Raises:
            ConfigError: no model here calls tools.
            ValueError: as the model raises it, where there is none and `error_on_no_tool_call`.
        """
        model = self._reader(response)
        if model is None:
            raise ConfigError(f"none of {', '.join(map(repr, self.models))} calls tools")
        return model.get_tool_calls_from_response(
            response, error_on_no_tool_call=error_on_no_tool_call, **kwargs
        )

    def _reader(self, response: ChatResponse) -> FunctionCallingLLM | None:
        """The model that gave an answer, or for one without a word of that, the first that calls tools."""
        named = self.models.get(response.additional_kwargs.get(FACTS, {}).get("model"))
        able = (model for model in (named, *self.models.values()) if model is not None and takes_tools(model))
        return cast("FunctionCallingLLM | None", next(able, None))
