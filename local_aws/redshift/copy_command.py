"""COPY table [(columns)] FROM 's3://bucket/prefix' IAM_ROLE 'arn' and its options, read from tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import Token, TokenType

from local_aws.redshift.errors import StatementError

_ROLE = re.compile(r"arn:aws(-[a-z]+)*:iam::\d{12}:role/\S+")
# Options that only concern the cluster's work and may be passed over.
_WITHOUT_EFFECT = {"STATUPDATE", "COMPUPDATE"}


@dataclass(frozen=True)
class CopyCommand:
    """What to load and how. `format` is parquet, csv or json; header_lines counts the lines to pass over per file.

    With `manifest`, `prefix` is the key of a manifest.
    """

    table: str
    columns: tuple[str, ...]
    bucket: str
    prefix: str
    format: str
    delimiter: str = ","
    header_lines: int = 0
    gzip: bool = False
    empty_as_null: bool = False
    ignore_blank_lines: bool = False
    manifest: bool = False


def parse_copy(tokens: Sequence[Token]) -> CopyCommand:
    """Read the tokens of a COPY statement. Raises StatementError for what Redshift or local_aws does not take."""
    return _Reader([token for token in tokens if token.token_type != TokenType.SEMICOLON]).command()


class _Reader:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.place = 1  # after COPY
        self.options: dict[str, str] = {}
        self.role: str | None = None
        self.format: str | None = None
        self.manifest = False

    def command(self) -> CopyCommand:
        table = self._name()
        columns: list[str] = []
        if self._next_is("("):
            while not columns or self._next_is(","):
                columns.append(self._word().lower())
            self._expect(")")
        self._expect("FROM")
        source = re.fullmatch(r"s3://([^/]+)/(.*)", self._text("the source"))
        if source is None:
            raise StatementError("local_aws implements COPY FROM 's3://bucket/prefix' only")
        while self.place < len(self.tokens):
            self._option()
        if self.role is None:
            raise StatementError("COPY needs authorization: IAM_ROLE '<arn>'")
        if self.format is None:
            raise StatementError("local_aws implements COPY with FORMAT PARQUET, CSV and JSON 'auto' only")
        if self.format == "parquet" and self.options:
            option = next(iter(self.options))
            raise StatementError(f"{option} argument is not supported for PARQUET based COPY")
        return CopyCommand(
            table=table,
            columns=tuple(columns),
            bucket=source[1],
            prefix=source[2],
            format=self.format,
            delimiter=self.options.get("DELIMITER", ","),
            header_lines=int(self.options.get("IGNOREHEADER", "0")),
            gzip="GZIP" in self.options,
            empty_as_null="EMPTYASNULL" in self.options,
            ignore_blank_lines="IGNOREBLANKLINES" in self.options,
            manifest=self.manifest,
        )

    def _option(self) -> None:
        word = self._word().upper()
        if word == "IAM_ROLE":
            self.role = self._text("IAM_ROLE")
            if not _ROLE.fullmatch(self.role):
                raise StatementError(f"Invalid IAM role: '{self.role}' is not the ARN of a role")
        elif word == "FORMAT":
            self._next_is("AS")
            self._set_format(self._word())
        elif word in ("PARQUET", "CSV", "JSON"):
            self._set_format(word)
        elif word == "MANIFEST":
            self.manifest = True
        elif word in ("GZIP", "EMPTYASNULL", "IGNOREBLANKLINES"):
            self.options[word] = ""
        elif word == "DELIMITER":
            self._next_is("AS")
            self.options[word] = self._text(word).replace("\\t", "\t")
        elif word == "IGNOREHEADER":
            self._next_is("AS")
            self.options[word] = self._word()
            if not self.options[word].isdigit():
                raise StatementError(f"IGNOREHEADER takes a number of lines, not {self.options[word]}")
        elif word == "REGION":
            self._next_is("AS")
            self._text(word)
        elif word in _WITHOUT_EFFECT:
            self._word()
        elif word in ("DATEFORMAT", "TIMEFORMAT") and self._text_is("auto"):
            self.options[word] = ""
        else:
            raise StatementError(f"local_aws does not implement COPY with {word}")

    def _set_format(self, word: str) -> None:
        if self.format is not None:
            raise StatementError("conflicting or redundant options: the format is given twice")
        self.format = word.lower()
        if self.format == "json" and not self._text_is("auto"):
            raise StatementError("local_aws implements COPY with JSON 'auto' only")
        if self.format not in ("parquet", "csv", "json"):
            raise StatementError(f"local_aws does not implement COPY with FORMAT {word.upper()}")

    def _name(self) -> str:
        name = self._word().lower()
        while self._next_is("."):
            name += "." + self._word().lower()
        return name

    def _text_is(self, text: str) -> bool:
        """Take the quoted text after an optional AS if it is this one."""
        self._next_is("AS")
        return self._text("the option").lower() == text

    def _text(self, what: str) -> str:
        token = self._take()
        if token.token_type != TokenType.STRING:
            raise StatementError(f'syntax error at or near "{token.text}" ({what} takes a quoted text)')
        return token.text

    def _word(self) -> str:
        return self._take().text

    def _next_is(self, word: str) -> bool:
        if self.place < len(self.tokens) and self.tokens[self.place].text.upper() == word:
            self.place += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._next_is(word):
            near = self.tokens[self.place].text if self.place < len(self.tokens) else "end of input"
            raise StatementError(f'syntax error at or near "{near}" ({word} was expected)')

    def _take(self) -> Token:
        if self.place >= len(self.tokens):
            raise StatementError("syntax error at end of input")
        self.place += 1
        return self.tokens[self.place - 1]
