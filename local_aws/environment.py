"""Reads what people set: variables of the environment, and of the file `.env` in the repository.

A variable of the environment wins over the same one in `.env`; an empty one counts as not set. pydantic-settings reads
and checks the values, by python-dotenv where they are in `.env`. A relative path in `.env` begins at the file's folder,
one in the environment at the working directory.
"""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from dotenv.parser import parse_stream
from pydantic import Field, ValidationError, create_model
from pydantic_settings import BaseSettings, SettingsConfigDict

from local_aws.settings import (
    ENVIRONMENT,
    PORT_SETTINGS,
    REPOSITORY,
    SHARED_DATA_VARIABLE,
    Settings,
    SettingsError,
    chosen_file,
    equal_ports,
    not_utf_8,
    unknown_names,
    unreadable_line,
    variable,
    wrong_value,
)


class _Reader(BaseSettings):
    model_config = SettingsConfigDict(env_ignore_empty=True, case_sensitive=True, extra="ignore")


class _SharedData(_Reader):
    folder: Path = Field(REPOSITORY.parent / "shared" / "data", validation_alias=SHARED_DATA_VARIABLE)


def read_settings(env_file: Path | None = None) -> Settings:
    """The defaults, overridden by `.env` (or `env_file`) and then by the environment.

    Raises SettingsError with a line for each variable that has an unknown name or a wrong value.
    """
    file = chosen_file(os.environ) if env_file is None else env_file
    try:
        places = _Places(file)
    except UnicodeDecodeError:
        raise SettingsError(not_utf_8(file)) from None
    if places.unreadable:
        raise SettingsError("\n".join(places.unreadable))
    problems = unknown_names(places.of_names())
    values: dict[str, Any] = {}
    try:
        values = _values(_reader_of_settings(), places.file)
    except ValidationError as error:
        names = {variable(one.name): one.name for one in fields(Settings)}
        for wrong in error.errors():
            name = str(wrong["loc"][0])
            problems.append(wrong_value(names[name], wrong["input"], places.of(name)))
    problems += equal_ports({name: values[name] for name in PORT_SETTINGS if name in values})
    if problems:
        raise SettingsError("\n".join(problems))
    paths = {name: places.absolute(variable(name), value) for name, value in values.items() if isinstance(value, Path)}
    return Settings(**{**values, **paths})


def shared_data(env_file: Path | None = None) -> Path:
    """The folder in which tests and benchmarks look for the London files. It need not exist."""
    file = chosen_file(os.environ) if env_file is None else env_file
    return _Places(file).absolute(SHARED_DATA_VARIABLE, _values(_SharedData, file)["folder"])


def _values(reader: type[BaseSettings], file: Path) -> dict[str, Any]:
    return reader(_env_file=file).model_dump()


def _reader_of_settings() -> type[BaseSettings]:
    """A model with the fields of Settings, their limits and their variables."""
    kinds = get_type_hints(Settings)
    definitions: dict[str, Any] = {}
    for one in fields(Settings):
        limits = {"ge": one.metadata["least"], "le": one.metadata["most"]}
        given = Field(one.default, validation_alias=variable(one.name), **limits)
        definitions[one.name] = (kinds[one.name], given)
    model: type[BaseSettings] = create_model("_ReaderOfSettings", __base__=_Reader, **definitions)
    return model


class _Places:
    """Where each variable was set."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lines: dict[str, int] = {}
        self.unreadable: list[str] = []
        if not file.is_file():
            return
        with file.open(encoding="utf-8") as text:
            for binding in parse_stream(text):
                statement = binding.original.string
                blank_lines = statement[: len(statement) - len(statement.lstrip())].count("\n")
                line = binding.original.line + blank_lines
                if binding.error or (binding.key and binding.value is None):
                    self.unreadable.append(unreadable_line(f"{file.name}, line {line}"))
                elif binding.key:
                    self._lines[binding.key] = line

    def of(self, name: str) -> str:
        return ENVIRONMENT if os.environ.get(name) else f"{self.file.name}, line {self._lines[name]}"

    def of_names(self) -> dict[str, str]:
        """All variables of both places."""
        names = [*self._lines, *(name for name, text in os.environ.items() if text)]
        return {name: self.of(name) for name in names}

    def absolute(self, name: str, path: Path) -> Path:
        """The value of a variable as an absolute path."""
        base = self.file.parent if name in self._lines and not os.environ.get(name) else Path.cwd()
        return (base / path.expanduser()).resolve()
