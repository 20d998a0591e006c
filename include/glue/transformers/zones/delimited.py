"""Lines of delimited text cut into fields: the rule in Python, for headers, and the same rule as a column, for rows.

A field is quoted when it begins with a quotation mark and ends with one, spaces aside, and holds others only doubled. A
quoted field may hold delimiters. Any other quotation mark is a sign like others. A line whose quoted field never ends,
or goes on after its end, is cut at every delimiter.

Spark's own reader of CSV ends the run on some lines, which must be counted instead. Both rules here walk once over the
parts between delimiters. A pattern would need possessive quantifiers, which Python 3.11.2 gets wrong, or would recurse
in Java for every doubled quotation mark.
"""

from __future__ import annotations

import re

from pyspark.sql import Column
from pyspark.sql import functions as sql

MARK, DOUBLED, LINE_END = '"', '""', "\n"


def cut(line: str, delimiter: str) -> list[str]:
    """Returns the fields of a line, without the quotation marks around them. `delimiter` holds no quotation mark."""
    return [_without_marks(field) for field in _fields(line, delimiter)]


def cut_column(line: Column, delimiter: str) -> Column:
    """The fields of a line as an array, each as it stands between its delimiters; `unquoted` takes its marks off.

    For a line with quotation marks the cost grows with its length times its fields, so bound the length of such lines.
    """
    # The fields are collected in a text, which is copied twenty times faster than an array. No line holds a line end.
    parts = sql.split(line, re.escape(delimiter), -1)
    nothing = sql.struct(
        sql.lit("").alias("found"),
        sql.lit(None).cast("string").alias("opened"),
        sql.lit(False).alias("is_broken"),
    )

    def with_part(so_far: Column, part: Column) -> Column:
        opened, begin = so_far["opened"], sql.ltrim(part)
        is_first = opened.isNull()
        inner = sql.when(is_first, begin.substr(sql.lit(2), sql.length(begin))).otherwise(part)
        single = sql.replace(inner, sql.lit(DOUBLED), sql.lit(""))
        stays_open = (~is_first | begin.startswith(MARK)) & ~single.contains(MARK)
        is_one = sql.length(sql.replace(single, sql.lit(MARK), sql.lit(""))) == sql.length(single) - 1
        is_end = is_one & sql.rtrim(single).endswith(MARK)
        text = sql.when(is_first, part).otherwise(sql.concat(opened, sql.lit(delimiter), part))
        found = so_far["found"]
        return sql.struct(
            sql.when(stays_open, found).otherwise(sql.concat(found, sql.lit(LINE_END), text)).alias("found"),
            sql.when(stays_open, text).alias("opened"),
            (so_far["is_broken"] | ~(is_first | stays_open | is_end)).alias("is_broken"),
        )

    def whole(walked: Column) -> Column:
        found = walked["found"]
        fields = sql.split(found.substr(sql.lit(2), sql.length(found)), LINE_END, -1)
        return sql.when(walked["opened"].isNull() & ~walked["is_broken"], fields)

    walked = sql.coalesce(sql.aggregate(parts, nothing, with_part, whole), parts)
    return sql.when(line.contains(MARK), walked).otherwise(parts)


def unquoted(field: Column) -> Column:
    """The text of a field of `cut_column`."""
    trimmed = sql.trim(field)
    is_quoted = trimmed.startswith(MARK) & trimmed.endswith(MARK) & (sql.length(trimmed) > 1)
    inner = trimmed.substr(sql.lit(2), sql.length(trimmed) - 2)
    return sql.when(is_quoted, sql.replace(inner, sql.lit(DOUBLED), sql.lit(MARK))).otherwise(field)


def _fields(line: str, delimiter: str) -> list[str]:
    parts = line.split(delimiter)
    found: list[str] = []
    opened: list[str] = []
    for part in parts:
        begin = part.lstrip(" ")
        if not opened and not begin.startswith(MARK):
            found.append(part)
            continue
        single = (part if opened else begin[1:]).replace(DOUBLED, "")
        if MARK not in single:
            opened.append(part)
        elif not opened or (single.count(MARK) == 1 and single.rstrip(" ").endswith(MARK)):
            found.append(delimiter.join([*opened, part]))
            opened = []
        else:
            return parts
    return parts if opened else found


def _without_marks(field: str) -> str:
    trimmed = field.strip(" ")
    if len(trimmed) > 1 and trimmed.startswith(MARK) and trimmed.endswith(MARK):
        return trimmed[1:-1].replace(DOUBLED, MARK)
    return field
