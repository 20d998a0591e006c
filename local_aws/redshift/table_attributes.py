"""Physical attributes of a table in Redshift's CREATE TABLE, which PostgreSQL does not have: taken out of the text."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import Token, TokenType

from local_aws.redshift.errors import StatementError

_STYLES = {"AUTO", "EVEN", "KEY", "ALL"}


def without_table_attributes(sql: str, tokens: Sequence[Token]) -> str:
    """The statement without ENCODE, DISTSTYLE, DISTKEY, SORTKEY and BACKUP.

    Raises StatementError for a style that does not exist and for a key that is no column of the table.
    """
    words = [token.text.upper() for token in tokens]
    if words[:1] != ["CREATE"] or "TABLE" not in words[:4]:
        return _without_schema_binding(sql, tokens, words)
    attributes = _Attributes(tokens, words)
    attributes.find()
    for start, end in reversed(attributes.spans):
        sql = sql[:start] + " " + sql[end + 1 :]
    return sql


def _without_schema_binding(sql: str, tokens: Sequence[Token], words: list[str]) -> str:
    if words[-4:] == ["WITH", "NO", "SCHEMA", "BINDING"]:
        return sql[: tokens[-4].start]
    return sql


class _Attributes:
    """Walks over the tokens and notes which parts of the text are attributes."""

    def __init__(self, tokens: Sequence[Token], words: list[str]) -> None:
        self.tokens, self.words = tokens, words
        self.spans: list[tuple[int, int]] = []
        self.keys: list[str] = []

    def find(self) -> None:
        place = 0
        while place < len(self.words):
            end = self._end_of_attribute(place)
            if end is None:
                # What comes after AS is a query, whose names may be any word.
                if self.words[place] == "AS":
                    break
                place += 1
            else:
                self.spans.append((self.tokens[place].start, self.tokens[end].end))
                place = end + 1
        self._check_keys()

    def _end_of_attribute(self, place: int) -> int | None:
        """The place of the attribute's last token if one begins here."""
        word = self.words[place]
        following = self.words[place + 1] if place + 1 < len(self.words) else ""
        if word == "DISTSTYLE" and following not in _STYLES:
            raise StatementError(f'syntax error at or near "{following.lower()}" (DISTSTYLE is AUTO, EVEN, KEY or ALL)')
        if word in ("ENCODE", "DISTSTYLE") or (word == "BACKUP" and following in ("YES", "NO")):
            return place + 1
        if word in ("COMPOUND", "INTERLEAVED") and following == "SORTKEY":
            return self._end_of_key(place + 1)
        if word in ("DISTKEY", "SORTKEY"):
            return self._end_of_key(place)
        return None

    def _end_of_key(self, place: int) -> int:
        after = place + 1
        if self.words[place] == "SORTKEY" and self.words[after : after + 1] == ["AUTO"]:
            return after
        if after < len(self.tokens) and self.tokens[after].token_type == TokenType.L_PAREN:
            end = self.words.index(")", after)
            self.keys += [text.lower() for text in self.words[after + 1 : end] if text != ","]
            return end
        return place

    def _check_keys(self) -> None:
        """A key must be a column; in CREATE TABLE … AS and (LIKE …) the columns are not known from the text."""
        if "AS" in self.words or "LIKE" in self.words:
            return
        texts = [word.lower() for word in self.words]
        for key in self.keys:
            if key not in texts[: self._first_key_place()]:
                raise StatementError(f'column "{key}" named in the key does not exist in the table')

    def _first_key_place(self) -> int:
        return next(
            place
            for place, word in enumerate(self.words)
            if word in ("DISTKEY", "SORTKEY") and self.words[place + 1 : place + 2] == ["("]
        )
