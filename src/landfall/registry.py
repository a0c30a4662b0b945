"""Strict registries: a name is taken once, and an unknown one says which are close."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from landfall.errors import UnknownNameError

T = TypeVar("T")
U = TypeVar("U")


class Registry(Mapping[str, T], Generic[T]):
    """Names to things of one kind, filled by decorators where the things are defined.

    Args:
        noun: what the things are, for messages ("head", "layout").
    """

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._things: dict[str, T] = {}

    def register(self, name: str) -> Callable[[U], U]:
        """Return a decorator that enters its target under ``name``.

        Raises:
            ValueError: the name is taken; that is a mistake in the code, so no ``LandfallError``.
        """

        def enter(thing: U) -> U:
            if name in self._things:
                raise ValueError(f"A {self.noun} called {name!r} is already registered")
            self._things[name] = thing  # type: ignore[assignment]
            return thing

        return enter

    def names(self) -> list[str]:
        """Return the registered names, sorted."""
        return sorted(self._things)

    def __getitem__(self, name: str) -> T:
        """Return the thing called ``name``.

        Raises:
            UnknownNameError: no thing has that name.
        """
        try:
            return self._things[name]
        except KeyError:
            raise UnknownNameError(self.noun, name, self._things) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __len__(self) -> int:
        return len(self._things)

    def __contains__(self, name: object) -> bool:
        # Mapping's own would call __getitem__ and build suggestions for every miss.
        return name in self._things
