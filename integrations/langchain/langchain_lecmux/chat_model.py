"""`ChatRouter`: a chat model that serves a stored answer, or asks the model it expects to cost least.

The path of a call is `lecmux.flow.answer`; this file drives it with LangChain's models, in LangChain's ways.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun, Callbacks
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatResult, LLMResult
from langchain_core.runnables import ConfigurableFieldSpec, Runnable, RunnableConfig, ensure_config
from pydantic import Field

from langchain_lecmux.asking import BOUND, OURS, SEMANTIC, STRUCTURED, Asking
from langchain_lecmux.cache import DEFAULT_CAPACITY_BYTES
from langchain_lecmux.calls import Gathered
from langchain_lecmux.events import atyped_events, typed_events
from langchain_lecmux.generated import Generated
from langchain_lecmux.profiles import TokenCounts, common_profile
from langchain_lecmux.recording import wants_events
from langchain_lecmux.replay import StoredAnswer, areplayed, replayed
from langchain_lecmux.runs import open_async_run, open_run
from langchain_lecmux.serving import first_message
from langchain_lecmux.settings import RouterSettings, name_typos
from langchain_lecmux.shapes import chat_result, llm_result, run_config, settings_of, with_ours
from langchain_lecmux.structured import Parser, structure, ways
from langchain_lecmux.wiring import BLOCKS, MESSAGE, AnswerCodec, Turn, turn_of
from lecmux import Answer, Cache, flow
from lecmux.errors import ConfigError
from lecmux.explain import Explanation, aexplain, explain

__all__ = ["ChatRouter"]


class ChatRouter(RouterSettings, TokenCounts, BaseChatModel):
    """Stands wherever a chat model does, over K models of yours.

    Each call is answered from the cache, or by the model whose expected cost is least: dollars, seconds at
    a price, and the price of a wrong answer times its likelihood. What a model costs is learnt from the
    calls that were paid for; a model is tried where the knowledge may repay the trial.
    `response_metadata["lecmux"]` of every answer holds the decision: `id` (for `observe`), `kind` ("hit" or
    "call"), `model`, `reason`, `unit`, `cost`, `saved`, the bounds behind it, and for a hit its `hit_id`
    and `age_seconds`.

    Tools, structured output and streams work on the chosen model in its own way. A call can name its model,
    and "refresh" or "skip" the cache:
    `model.invoke(question, config={"configurable": {"lecmux_route": "large", "lecmux_cache": "refresh"}})`;
    with `"lecmux_semantic": False` no answer to a question that is only alike is served.
    """

    models: dict[str, BaseChatModel]
    """By the names that decisions and prices use."""
    temperature: float | None = None
    """Passed to the model with every call, like `max_tokens` and `stop`, unless the call says otherwise."""
    max_tokens: int | None = None
    stop: list[str] | None = None
    semantic: Any = Field(default=None, exclude=True)
    """A `lecmux.Semantic` for a cache of its own, 256 MiB: questions that are only alike may be answered. A
    `cache` that is passed has its own; without one, answers are to the exact question."""

    def __init__(self, **settings: Any) -> None:
        """Takes the fields by name.

        Raises:
            ConfigError: settings that cannot work.
            PriceError: prices of models that are not there, dollar amounts without a price for every model,
                or a cache that counts in another unit.
        """
        name_typos(type(self), settings, type(self).model_fields)
        super().__init__(**settings)
        if self.profile is None:
            self.profile = cast("Any", common_profile([model.profile for model in self.models.values()]))
        if self.semantic is not None:
            if self.cache is not None:
                raise ConfigError("semantic= belongs to the cache that is passed: LECCache(semantic=...)")
            self.cache = Cache(DEFAULT_CAPACITY_BYTES, seed=self.seed, semantic=self.semantic)
        self._router = self._made_router(self.models)
        self._stores = self._made_stores(AnswerCodec())

    def explain(
        self,
        input: LanguageModelInput,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Explanation:
        """What `invoke` would do with the same arguments now, and why. Counts nothing and changes nothing."""
        turn = self._turn(self._asked(input, config, stop, kwargs)[0])
        return explain(turn.query, turn.core)

    async def aexplain(
        self,
        input: LanguageModelInput,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Explanation:
        """As `explain`, of `ainvoke`."""
        turn = self._turn(self._asked(input, config, stop, kwargs)[0])
        return await aexplain(turn.query, turn.core)

    # what LangChain asks of a model

    @property
    def _llm_type(self) -> str:
        return "lecmux-router"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"models": {name: model._identifying_params for name, model in self.models.items()}}

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """What a call may say to the router."""
        semantic = ConfigurableFieldSpec(
            id=SEMANTIC,
            annotation=bool | None,
            name="Semantic",
            description="False: serve only answers to this exact question. True: also with tools.",
            default=None,
        )
        return [*super().config_specs, *self._specs(), semantic]

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "lecmux"
        params.setdefault("ls_model_name", "|".join(self.models))
        return params

    # whole answers

    def invoke(
        self,
        input: LanguageModelInput,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """One answer."""
        asking, config = self._asked(input, config, stop, kwargs)
        return cast("AIMessage", first_message(self._answer(asking, config)))

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """One answer, awaited."""
        asking, config = self._asked(input, config, stop, kwargs)
        return cast("AIMessage", first_message(await self._aanswer(asking, config)))

    def generate(
        self,
        messages: list[list[BaseMessage]],
        stop: list[str] | None = None,
        callbacks: Callbacks = None,
        **kwargs: Any,
    ) -> LLMResult:
        """An answer to each list of messages; `tags`, `metadata`, `run_name`, `run_id` as for any model."""
        config = run_config(callbacks, kwargs)
        return llm_result([self._answer(self._asking(each, stop, kwargs), config) for each in messages])

    async def agenerate(
        self,
        messages: list[list[BaseMessage]],
        stop: list[str] | None = None,
        callbacks: Callbacks = None,
        **kwargs: Any,
    ) -> LLMResult:
        """As `generate`, at the same time."""
        config = run_config(callbacks, kwargs)
        asked = [self._aanswer(self._asking(each, stop, kwargs), config) for each in messages]
        return llm_result(await asyncio.gather(*asked))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return chat_result(self._answer(self._asking(messages, stop, kwargs), RunnableConfig()))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return chat_result(await self._aanswer(self._asking(messages, stop, kwargs), RunnableConfig()))

    def _answer(self, asking: Asking, config: RunnableConfig) -> Generated:
        run = open_run(self, config, asking.messages)
        try:
            turn = self._turn(asking, form=_form(run.config))
            call = self._limit.whole(partial(turn.caller.whole, config=run.config))
            answer = flow.run(turn.pipeline(single_flight=True), call)
            generated = turn.finished(answer)
            if run.manager and answer.reply is None:
                StoredAnswer.of(generated).invoke(asking.messages, run.config, **asking.replayed)
        except BaseException as error:
            run.fail(error)
            raise
        if run.manager:
            run.end(first_message(generated))
        return generated

    async def _aanswer(self, asking: Asking, config: RunnableConfig) -> Generated:
        run = await open_async_run(self, config, asking.messages)
        try:
            turn = self._turn(asking, form=_form(run.config))
            call = self._limit.awhole(partial(turn.caller.awhole, config=run.config))
            answer = await flow.arun(turn.pipeline(single_flight=True), call)
            generated = turn.finished(answer)
            if run.manager and answer.reply is None:
                replay = StoredAnswer.of(generated)
                await replay.ainvoke(asking.messages, run.config, **asking.replayed)
        except BaseException as error:
            await run.fail(error)
            raise
        if run.manager:
            await run.end(first_message(generated))
        return generated

    # streams

    def stream(
        self,
        input: LanguageModelInput,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """An answer in chunks: as the model gives them, or as it gave them when the answer was stored.

        Stored once it has ended normally. The first chunk carries the decision, the last what it cost.
        """
        asking, config = self._asked(input, config, stop, kwargs)
        turn = self._turn(asking)
        run = open_run(self, config, asking.messages)
        gathered = Gathered()
        try:
            call = self._limit.stream(partial(turn.caller.stream, config=run.config, gathered=gathered))
            for item in flow.stream(turn.pipeline(single_flight=False), call):
                if not isinstance(item, Answer):
                    yield cast("AIMessageChunk", item)
                elif item.reply is not None:
                    turn.looked_up(hit=False)
                    yield cast("AIMessageChunk", gathered.last(item.decision))
                else:
                    for chunk in replayed(turn.finished(item), asking, run.config if run.manager else None):
                        yield from gathered.pass_on(chunk)
        except BaseException as error:
            run.fail(error)
            raise
        run.end(gathered.message)

    async def astream(
        self,
        input: LanguageModelInput,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """As `stream`, awaited."""
        asking, config = self._asked(input, config, stop, kwargs)
        turn = self._turn(asking)
        run = await open_async_run(self, config, asking.messages)
        gathered = Gathered()
        try:
            call = self._limit.astream(partial(turn.caller.astream, config=run.config, gathered=gathered))
            async for item in flow.astream(turn.pipeline(single_flight=False), call):
                if not isinstance(item, Answer):
                    yield cast("AIMessageChunk", item)
                elif item.reply is not None:
                    turn.looked_up(hit=False)
                    yield cast("AIMessageChunk", gathered.last(item.decision))
                else:
                    heard = run.config if run.manager else None
                    async for chunk in areplayed(turn.finished(item), asking, heard):
                        for each in gathered.pass_on(chunk):
                            yield each
        except BaseException as error:
            await run.fail(error)
            raise
        await run.end(gathered.message)

    def stream_events(
        self,
        input: LanguageModelInput,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        *,
        version: str = "v2",
        **kwargs: Any,
    ) -> Any:
        """Events; with `version="v3"` the typed stream of the chosen model, or of the stored answer."""
        if version != "v3":
            return super().stream_events(input, config, version=cast("Any", version), **kwargs)
        turn, config = self._event_turn(input, config, kwargs)
        return typed_events(turn, self.models, config)

    def astream_events(
        self,
        input: LanguageModelInput,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        *,
        version: str = "v2",
        **kwargs: Any,
    ) -> Any:
        """As `stream_events`, awaited."""
        if version != "v3":
            return super().astream_events(input, config, version=cast("Any", version), **kwargs)
        turn, config = self._event_turn(input, config, kwargs)
        return atyped_events(turn, self.models, config)

    def _event_turn(
        self, question: LanguageModelInput, config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> tuple[Turn, RunnableConfig]:
        asking, config = self._asked(question, config, kwargs.pop("stop", None), kwargs)
        return self._turn(asking, form=BLOCKS), config

    # tools and structured output

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | Any],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Binds tools; each model gets them in its own shape when it is chosen."""
        bound: dict[str, Any] = {"tools": list(tools)}
        if tool_choice is not None:
            bound["tool_choice"] = tool_choice
        bound |= {name: kwargs.pop(name) for name in OURS & kwargs.keys()}
        return self.bind(**bound, **({BOUND: kwargs} if kwargs else {}))

    def with_structured_output(
        self, schema: dict[str, Any] | type, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """Answers of a given form, by the chosen model's own method for it; the arguments are theirs."""
        found = ways(self.models, schema, include_raw=include_raw, settings=kwargs)
        if found is None:
            return super().with_structured_output(schema, include_raw=include_raw, **kwargs)
        asks = self.bind(**{STRUCTURED: structure(schema, kwargs, found)})
        return asks | Parser(ways=found, include_raw=include_raw)

    # the parts of a call

    def _turn(self, asking: Asking, *, form: str = MESSAGE) -> Turn:
        return turn_of(self._stores, self.models, asking, namespace=self.namespace, form=form)

    def _asked(
        self,
        question: LanguageModelInput,
        config: RunnableConfig | None,
        stop: list[str] | None,
        kwargs: dict[str, Any],
    ) -> tuple[Asking, RunnableConfig]:
        messages = self._convert_input(question).to_messages()
        config = ensure_config(config)
        return self._asking(messages, stop, with_ours(config, kwargs)), config

    def _asking(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: Mapping[str, Any]
    ) -> Asking:
        options = settings_of(kwargs)
        for name in ("temperature", "max_tokens"):
            value = getattr(self, name)
            if value is not None:
                options.setdefault(name, value)
        return Asking.of(messages, stop or self.stop, options)


def _form(config: RunnableConfig) -> str:
    """How the content of the answer is shaped, for whoever listens to `config`."""
    return BLOCKS if wants_events(config) else MESSAGE
