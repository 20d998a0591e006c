"""Meter files that a description tells how to read, as frames of the same columns whatever their format.

The columns are those of `lines`, and one for each of ROLES: texts, but for times that the file holds as times. `line`
is the row as it came: a line of CSV or JSON as it stands in the file; a row of Parquet, ORC or Avro as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sql
from pyspark.sql.types import DoubleType, StringType, StructField, StructType

from transformers.zones import avro, delimited, file_kinds, headers, lines, local_time, meter_ids
from transformers.zones.delivery import Layout, MeterFile
from transformers.zones.description import (
    AVRO,
    CSV,
    JSON,
    ORC,
    PARQUET,
    Description,
    DescriptionError,
    delimiter_of,
    position_of,
    require_columns,
)
from transformers.zones.fields import METER_ID_LOST_DIGITS

ROLES = ("meter_id", "date_time", "date", "time", "value", "reading_type", "error_code", "unit", "obis_code")
MALFORMED_JSON = "malformed_json"

# Columns that an object of JSON may leave out where they hold nothing.
SPARSE = ("error_code", "obis_code")
# With a quotation mark in it, a longer line takes too long to cut, and is no row of a meter file.
LONGEST_QUOTED = 10_000
MAGIC = {PARQUET: b"PAR1", ORC: b"ORC", AVRO: avro.MAGIC}
NO_TEXTS = ("fixed", "record", "array", "map", "union", "bytes", "struct")
FLOATING = ("float", "double")
SCHEMAS_AT_ONCE = 4
_CORRUPT, _INEXACT_ID = "_corrupt_line", "_inexact_id"


@dataclass(frozen=True, kw_only=True)
class DescribedLayout(Layout):
    """Files of one format and, for CSV, one encoding whose columns are the same. `kinds` are the columns' types, where
    the format has types."""

    description: Description
    file_format: str
    kinds: tuple[str, ...] = ()
    encoding: str = file_kinds.UTF_8


def layouts(
    spark: SparkSession,
    files: Iterable[MeterFile],
    described: Description,
    first_bytes: Callable[[MeterFile], bytes],
) -> list[DescribedLayout]:
    """The files grouped by format and columns, in the order of the first of each; empty files have `line` None.

    Raises UnmatchedColumnsError, headers.HeaderError, description.DescriptionError.
    """
    files = list(files)
    with ThreadPoolExecutor(SCHEMAS_AT_ONCE) as readers:
        found = readers.map(lambda file: _layout(spark, file, described, first_bytes(file)), files)
        grouped: dict[DescribedLayout, list[MeterFile]] = {}
        for file, layout in zip(files, found, strict=True):
            grouped.setdefault(layout, []).append(file)
    return [replace(key, files=tuple(group)) for key, group in grouped.items()]


def read(spark: SparkSession, layout: DescribedLayout, file_numbers: dict[str, int]) -> DataFrame:
    """The rows of the layout's files: columns of lines.read, ROLES, SHAPE_REASON, and their place in the file."""
    if layout.file_format == CSV:
        return _delimited(_located(_lines(spark, layout), layout, file_numbers), layout)
    if layout.file_format == JSON:
        return _objects(_located(_lines(spark, layout), layout, file_numbers), layout)
    if layout.file_format == AVRO:
        return _objects(_located(avro.lines(spark, lines.paths(layout)), layout, file_numbers), layout)
    rows = _typed(spark.read.format(layout.file_format).load(lines.paths(layout)), layout)
    return _located(rows, layout, file_numbers)


# What the columns of a file are.


def _layout(spark: SparkSession, file: MeterFile, described: Description, begin: bytes) -> DescribedLayout:
    """The layout of one file, still without files."""
    file_format = _format_of(file, described, begin)
    found = DescribedLayout(None, (), (), description=described, file_format=file_format)
    if file_format in (CSV, JSON):
        text, _ = headers.unpacked(begin, file.uri)
        encoding = file_kinds.encoding_of(text) if file_format == CSV else file_kinds.UTF_8
        line = headers.first_line(begin, file.uri, file.size <= len(begin), encoding)
        if line is None:
            return found
        if file_format == JSON:
            _require_keys(begin, file, described)
            return replace(found, line="")
        header = tuple(name.strip() for name in delimited.cut(line, delimiter_of(described)))
        if not described.header:
            header = tuple(str(place) for place, _ in enumerate(header, start=1))
        require_columns(described, header, file.uri)
        return replace(found, line=line if described.header else "", header=header, encoding=encoding)
    if not file.size:
        return found
    if not begin.startswith(MAGIC[file_format]):
        if recognised := file_kinds.recognised(begin):
            raise headers.HeaderError(recognised.sentence(file.uri))
        raise headers.HeaderError(
            f"{file.uri} is no {file_format} file, whatever its name or file_format ({described.origin}) says. Set "
            "file_format to what it is, or leave it empty and let the files' names tell."
        )
    columns = avro.fields(begin, file.uri) if file_format == AVRO else _columns_of(spark, file, file_format)
    header, kinds = tuple(columns), tuple(columns.values())
    require_columns(described, header, file.uri)
    for name in described.columns.values():
        kind = kinds[position_of(name, header) or 0]
        if kind.partition("<")[0] in NO_TEXTS:
            raise headers.HeaderError(
                f"The column {name} of {file.uri} is of type {kind}, which cannot be mapped. Deliver it as a text, a "
                "number or a time."
            )
    return replace(found, line="", header=header, kinds=kinds)


def _format_of(file: MeterFile, described: Description, begin: bytes) -> str:
    """The format of the file. A file whose name does not tell it may be recognised as one that is not read at all."""
    try:
        return described.format_of(file.uri)
    except DescriptionError:
        if kind := file_kinds.recognised(begin):
            raise headers.HeaderError(kind.sentence(file.uri)) from None
        raise


def _columns_of(spark: SparkSession, file: MeterFile, file_format: str) -> dict[str, str]:
    """The columns of a Parquet or ORC file with their types as Spark's rows have them."""
    try:
        schema = spark.read.format(file_format).load(lines.escaped(file.uri)).schema
    except (PySparkException, Py4JJavaError) as error:
        said = str(error).splitlines()[0]
        raise headers.HeaderError(f"{file.uri} is a damaged {file_format} file: {said}. Deliver it anew.") from error
    return {each.name: each.dataType.simpleString() for each in schema.fields}


def _require_keys(begin: bytes, file: MeterFile, described: Description) -> None:
    """The first objects of a file of JSON Lines must have the mapped names."""
    text = headers.unpacked(begin, file.uri)[0].decode("utf-8", errors="replace").removeprefix(headers.BYTE_ORDER_MARK)
    if text.lstrip().startswith("["):
        raise headers.HeaderError(
            f"{file.uri} is one JSON array. Deliver JSON Lines: one object a line, no comma between."
        )
    keys: dict[str, None] = {}
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue  # a malformed row is counted later; the last line is cut off
        keys.update(dict.fromkeys(row) if isinstance(row, dict) else {})
    header = tuple(keys)
    require_columns(described, header, file.uri, SPARSE, exact=True)


# How rows of a format become columns.


def _lines(spark: SparkSession, layout: DescribedLayout) -> DataFrame:
    """The lines of text files, without headers and byte order marks."""
    value = sql.col("value")
    text = spark.read.text(lines.paths(layout))
    if layout.encoding != file_kinds.UTF_8:
        text = text.select(sql.decode(value.cast("binary"), layout.encoding).alias("value"))
    if layout.line:
        text = text.where(~value.isin(layout.line, headers.BYTE_ORDER_MARK + layout.line))
        return text.select(value.alias(lines.LINE))
    marked = value.startswith(headers.BYTE_ORDER_MARK)
    return text.select(sql.when(marked, sql.expr("substring(value, 2)")).otherwise(value).alias(lines.LINE))


def _located(rows: DataFrame, layout: DescribedLayout, file_numbers: dict[str, int]) -> DataFrame:
    """The rows, each with its file, and with its place in the file."""
    place = sql.monotonically_increasing_id().alias(local_time.PLACE)
    part = [] if local_time.PART in rows.columns else [sql.expr("input_file_block_start()").alias(local_time.PART)]
    return lines.with_file(rows.select("*", *part, place), layout, file_numbers)


def _delimited(rows: DataFrame, layout: DescribedLayout) -> DataFrame:
    line = sql.col(lines.LINE)
    is_short = ~line.contains(delimited.MARK) | (sql.length(line) <= LONGEST_QUOTED)
    cut = sql.when(is_short, delimited.cut_column(line, delimiter_of(layout.description)))
    parts = rows.withColumn("parts", cut)
    is_of_shape = sql.coalesce(sql.size("parts") == len(layout.header), sql.lit(False))
    named = sql.when(sql.trim(line) == "", lines.EMPTY_LINE).otherwise(lines.WRONG_FIELD_COUNT)

    def field(role: str, place: int) -> Column:
        return delimited.unquoted(sql.when(is_of_shape, sql.col("parts").getItem(place)))

    fields = _by_role(layout, layout.header, field)
    return parts.select(*rows.columns, *fields, sql.when(~is_of_shape, named).alias(lines.SHAPE_REASON))


def _objects(rows: DataFrame, layout: DescribedLayout) -> DataFrame:
    """JSON Lines, and the records of Avro that have become such."""
    mapped = layout.description.columns.values()
    header = layout.header or tuple(dict.fromkeys(mapped))
    kinds = layout.kinds or ("string",) * len(header)
    is_json = not layout.kinds
    wanted = sorted({place for name in mapped if (place := position_of(name, header, is_json)) is not None})
    schema = StructType([StructField(name, StringType()) for name in (*(header[place] for place in wanted), _CORRUPT)])
    parsed = rows.withColumn("row", sql.from_json(lines.LINE, schema, {"columnNameOfCorruptRecord": _CORRUPT}))
    line, row = sql.col(lines.LINE), sql.col("row")
    id_place = position_of(layout.description.meter_id_column, header, is_json) or 0
    given_id = row.getField(header[id_place])
    is_inexact = _is_inexact_number(line, header[id_place], given_id) if is_json else _is_floating(kinds[id_place])
    with_id = parsed.withColumn(_INEXACT_ID, given_id.isNotNull() & is_inexact)
    is_malformed = row.isNull() | row.getField(_CORRUPT).isNotNull()
    reason = (
        sql.when(sql.trim(line) == "", lines.EMPTY_LINE)
        .when(is_malformed, MALFORMED_JSON)
        .when(sql.col(_INEXACT_ID), METER_ID_LOST_DIGITS)
    )

    def field(role: str, place: int) -> Column:
        text = _of_kind(role, row.getField(header[place]), kinds[place])
        return _exact_id(text) if role == "meter_id" else text

    return with_id.select(*rows.columns, *_by_role(layout, header, field, is_json), reason.alias(lines.SHAPE_REASON))


def _typed(rows: DataFrame, layout: DescribedLayout) -> DataFrame:
    """Parquet and ORC. A timestamp of ORC is a wall clock of no zone, as ORC defines it, whatever Spark calls it."""
    cells = [sql.col(_quoted(name)) for name in rows.columns]
    kinds = [each.dataType.typeName() for each in rows.schema.fields]
    id_place = position_of(layout.description.meter_id_column, layout.header) or 0
    given_id = cells[id_place].cast("string")
    if kinds[id_place] in FLOATING:
        # Not a number is how some writers of floating-point numbers say that there is none.
        given_id = sql.when(given_id != "NaN", given_id)

    def value(role: str, place: int) -> Column:
        if role == "meter_id":
            return _exact_id(given_id)
        if layout.file_format == ORC and kinds[place] == "timestamp":
            return cells[place].cast("timestamp_ntz")
        return _time_or_text(role, cells[place], kinds[place])

    return rows.withColumn(_INEXACT_ID, given_id.isNotNull() & _is_floating(kinds[id_place])).select(
        sql.to_json(sql.struct(*cells), {"ignoreNullFields": "false"}).alias(lines.LINE),
        *_by_role(layout, layout.header, value),
        sql.when(sql.col(_INEXACT_ID), METER_ID_LOST_DIGITS).alias(lines.SHAPE_REASON),
    )


def _exact_id(text: Column) -> Column:
    """A meter id, but for a number whose digits nobody can be sure of."""
    return sql.when(~sql.col(_INEXACT_ID), text)


def _is_floating(kind: str) -> Column:
    return sql.lit(kind in FLOATING)


def _is_inexact_number(line: Column, name: str, text: Column) -> Column:
    """Whether the field of an object of JSON, given its text, is a number that is no whole one or has too many digits.

    Only a number is read as double. So a text of digits is none.
    """
    number = sql.from_json(line, StructType([StructField(name, DoubleType())])).getField(name)
    is_whole = text.rlike(r"^-?[0-9]+\z")
    is_inexact = ~is_whole | (sql.abs(number) >= meter_ids.FIRST_INEXACT)
    # Spark takes the words NaN and Infinity, as texts, for numbers too.
    return number.isNotNull() & text.rlike("^-?[0-9]") & is_inexact


def _by_role(
    layout: DescribedLayout, header: tuple[str, ...], value: Callable[[str, int], Column], exact: bool = False
) -> list[Column]:
    """A column for each role: `value` of the role and of the place in the header that is mapped to it, or null."""
    found = []
    for role in ROLES:
        name = layout.description.columns.get(role)
        place = None if name is None else position_of(name, header, exact)
        cell = sql.lit(None).cast("string") if place is None else value(role, place)
        found.append(cell.alias(role))
    return found


def _of_kind(role: str, text: Column, kind: str) -> Column:
    """A field of Avro, given its text, as what its logical type means."""
    number = text.cast("long")
    logical, _, unit = kind.rpartition("-")
    if logical in ("timestamp", "local-timestamp") and unit in ("millis", "micros"):
        instant = sql.timestamp_millis(number) if unit == "millis" else sql.timestamp_micros(number)
        return instant if logical == "timestamp" else instant.cast("timestamp_ntz")
    if logical == "decimal":
        return _of_bytes(text, int(unit))
    if kind == "date":
        return _time_or_text(role, sql.date_from_unix_date(text.cast("int")), kind)
    return text


def _of_bytes(text: Column, scale: int) -> Column:
    """A decimal of up to eight bytes, the highest first, each given as the character of its number."""
    digits = sql.hex(sql.encode(text, "ISO-8859-1"))
    sign = sql.when(digits >= "8", "F" * 16).otherwise("0" * 16)
    whole = sql.conv(sql.right(sql.concat(sign, digits), sql.lit(16)), 16, -10)
    scaled = whole.cast("decimal(20,0)") / sql.lit(10**scale).cast("decimal(20,0)")
    return sql.when(sql.length(digits) <= 16, scaled).cast("string")


def _time_or_text(role: str, cell: Column, kind: str) -> Column:
    """Instants and wall clocks stay what they are; a date that is to be a time is its midnight."""
    if kind in ("timestamp", "timestamp_ntz"):
        return cell
    return cell.cast("timestamp_ntz") if kind == "date" and role == "date_time" else cell.cast("string")


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
