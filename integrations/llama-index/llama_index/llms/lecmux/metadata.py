"""What all the models of a router can do: the intersection of what each can."""

from collections.abc import Mapping

from llama_index.core.base.llms.types import LLMMetadata, MessageRole
from llama_index.core.llms import LLM
from llama_index.core.llms.function_calling import FunctionCallingLLM


def common_metadata(models: Mapping[str, LLM]) -> LLMMetadata:
    """The shortest context and output, and a skill where every model has it.

    The system role is that of models that differ from the usual one, since such a model takes no other. An
    output of -1 is one without a limit of its own.
    """
    each = [model.metadata for model in models.values()]
    return LLMMetadata(
        context_window=min(about.context_window for about in each),
        num_output=min((about.num_output for about in each if about.num_output > 0), default=-1),
        is_chat_model=all(about.is_chat_model for about in each),
        is_function_calling_model=all(map(takes_tools, models.values())),
        model_name="|".join(models),
        system_role=next(
            (about.system_role for about in each if about.system_role != MessageRole.SYSTEM),
            MessageRole.SYSTEM,
        ),
    )


def takes_tools(model: LLM) -> bool:
    """Whether tools can be offered to a model."""
    return isinstance(model, FunctionCallingLLM) and model.metadata.is_function_calling_model
