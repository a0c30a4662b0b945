"""Options of heads and backbones: given by name, checked, and written out for the model's card."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_type_hints

from landfall.errors import ModelError, UnknownNameError


def complete_options(what: str, make: Callable[..., object], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options given and the defaults of all others.

    Defaults are written out so that a checkpoint loads as it was saved even after a default changed.

    Args:
        what: whose options, for messages ("head 'gem'").
        make: takes the options as keyword-only arguments.
        given: names to values.

    Raises:
        UnknownNameError: an option that ``make`` does not take; close ones are suggested.
        ModelError: a value of another type than the default's. Whole numbers pass for fractional ones.
    """
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(make).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        and parameter.default is not inspect.Parameter.empty
    }
    for name in given:
        if name not in defaults:
            raise UnknownNameError(f"option of {what}", name, defaults)
        _check_type(what, name, given[name], defaults[name], make)
    return defaults | dict(given)


def _check_type(what: str, name: str, value: object, default: object, make: Callable[..., object]) -> None:
    if default is None:
        # Then the annotation tells the type, as "int | None" does.
        hints = get_type_hints(make.__init__ if inspect.isclass(make) else make)
        kinds: tuple[type, ...] = get_args(hints[name])
    else:
        kinds = (type(default),)
    accepted = (*kinds, int) if float in kinds else kinds
    if type(value) not in accepted:
        raise ModelError(
            f"Option {name} of {what} is {value!r} ({type(value).__name__}); expected "
            f"{' or '.join(kind.__name__ for kind in kinds)}, as {default!r}."
        )
