"""Recipes as YAML: found by path or name, changed by ``key=value``, written beside a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

import landfall
from landfall.errors import UnknownNameError, UsageError
from landfall.files import write_text
from landfall.training.recipe import Recipe

SUFFIX = ".yaml"


def recipe_folder() -> Path:
    """Return the folder of the recipes that have a name.

    In a wheel it lies inside the package; in a checkout beside ``src``.
    """
    package = Path(landfall.__file__).parent
    inside = package / "recipes"
    return inside if inside.is_dir() else package.parents[1] / "recipes"


def recipe_names() -> list[str]:
    """Return the names that `load_recipe` takes, sorted."""
    return sorted(path.stem for path in recipe_folder().glob(f"*{SUFFIX}"))


def load_recipe(path_or_name: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Return the recipe in a YAML file.

    Args:
        path_or_name: a file, or one of `recipe_names`.
        overrides: ``key=value``, where a key is dotted ("optimizer.lr=1e-4") and a value is YAML.

    Raises:
        UnknownNameError: no such recipe, or a key that recipes don't have; close ones are named.
        UsageError: a file that can't be read, is no YAML, or holds values that make no sense.
    """
    path = _find(path_or_name)
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: the recipe can't be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the recipe is not YAML: {error}") from error
    if not isinstance(told, dict):
        raise UsageError(f"{path}: a recipe is a mapping of keys to values, for example `seed: 0`.")
    told.setdefault("name", path.stem)
    for override in overrides:
        _override(told, override)
    return parse_recipe(told, source=str(path))


def parse_recipe(told: Mapping[str, Any], *, source: str) -> Recipe:
    """Return the recipe that a mapping describes.

    Raises:
        UnknownNameError, UsageError: as `load_recipe`; ``source`` is named.
    """
    known = set(_keys(Recipe))
    for key in _given(told):
        if key not in known:
            raise UnknownNameError("recipe key", key, known)
    try:
        return Recipe.model_validate(told)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'recipe'}: {e['msg']} (got {e['input']!r})"
            if e["loc"]
            else e["msg"]
            for e in error.errors()
        )
        raise UsageError(f"{source}: the recipe makes no sense. {wrong}.") from error


def save_recipe(recipe: Recipe, path: Path) -> None:
    """Write a recipe with every default, so that `load_recipe` gives the same one.

    Raises:
        OSError: it can't be written.
    """
    write_text(path, yaml.safe_dump(recipe.to_dict(), sort_keys=False, allow_unicode=True))


def _find(path_or_name: str | Path) -> Path:
    given = Path(path_or_name)
    if given.is_file():
        return given
    named = recipe_folder() / f"{path_or_name}{SUFFIX}"
    if given.name == str(path_or_name) and named.is_file():
        return named
    hint = UnknownNameError("recipe", str(path_or_name), recipe_names())
    raise UsageError(f"{path_or_name}: no such recipe file. As a name: {hint}")


def _override(told: dict[str, Any], override: str) -> None:
    """Set one dotted key in place."""
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise UsageError(
            f"A change of a recipe is KEY=VALUE, for example optimizer.lr=1e-4; got {override!r}."
        )
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UsageError(f"{override!r}: the value is not YAML: {error}") from error
    *sections, last = key.split(".")
    place: dict[str, Any] = told
    for section in sections:
        inner = place.setdefault(section, {})
        if not isinstance(inner, dict):
            raise UnknownNameError("recipe key", key, _keys(Recipe))
        place = inner
    place[last] = parsed


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the dotted keys of a recipe, sections included."""
    for name, field in model.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys(field.annotation, f"{prefix}{name}.")


def _given(told: Mapping[str, Any], model: type[BaseModel] = Recipe, prefix: str = "") -> Iterator[str]:
    """Yield the dotted keys of a mapping, as deep as recipes have sections."""
    for name, value in told.items():
        yield f"{prefix}{name}"
        field = model.model_fields.get(str(name))
        section = field.annotation if field is not None else None
        if isinstance(value, Mapping) and isinstance(section, type) and issubclass(section, BaseModel):
            yield from _given(value, section, f"{prefix}{name}.")
