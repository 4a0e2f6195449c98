"""A copy of one of LangChain's objects with some fields changed."""

from typing import Any, Final, TypeVar

from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)

_set: Final = object.__setattr__


def changed(model: Model, **fields: Any) -> Model:
    """As `model.model_copy(update=fields)`, in a third of its time.

    It sets the same four parts of an object that `model_construct` sets.
    """
    kind = type(model)
    if model.__pydantic_private__ is not None or kind.__copy__ is not BaseModel.__copy__:
        return model.model_copy(update=fields)
    copy = kind.__new__(kind)
    _set(copy, "__dict__", {**model.__dict__, **fields})
    _set(copy, "__pydantic_fields_set__", model.__pydantic_fields_set__.union(fields))
    extra = model.__pydantic_extra__
    _set(copy, "__pydantic_extra__", extra and {**extra})
    _set(copy, "__pydantic_private__", None)
    return copy
