"""Meter files as they were seen in the field: those of SHARED_DATA, or files generated like them where it has none.

The readings are invented: 48 half hours of 2024-03-04 with 0.5 kWh each, 24.0 kWh a meter and day.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED_DATA = Path(os.environ.get("SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
FIELD_FILES = SHARED_DATA / "field_files"

CLOCKS = [f"{half // 2:02}:{30 * (half % 2):02}" for half in range(48)]
DAY_KWH, ROWS = 24.0, 48
POINT = {"transformer": "default", "meter_id_column": "Point", "date_time_column": "Start", "value_column": "kWh"}
METER = {"transformer": "default", "meter_id_column": "Meter", "date_time_column": "When", "value_column": "kWh"}
GERMAN = {
    "transformer": "default",
    "delimiter": ";",
    "decimal_mark": ",",
    "meter_id_column": "Zählpunkt",
    "date_time_column": "Zeit",
    "value_column": "kWh",
    "timestamp_pattern": "dd.MM.yyyy HH:mm",
}
IDS = [
    *["22 0000 4836 192", "BUG20/1", "BUG20+7", "#BUG20", '="00BUG20"', "'00BUG20", "1-0:1.8.0*255", "0000BUG20"],
    "BUG20%2F1",
]
NAMES = [
    *["NEM12#0000001#MDPX#RETX.csv", "export (1).csv", "März 2024.csv", "a+b.csv", "100%.csv", "x%20y.csv"],
    *["Q1=a&b;c.csv", "two  spaces.CSV", "[2024] {a,b}.csv", "_hidden.csv", ".hidden.csv"],
]


def rows(*meters: str, header: str = "Point,Start,kWh", end: str = "\n") -> bytes:
    """A file of a day of each meter."""
    lines = [f"{meter},2024-03-04 {clock},0.5" for meter in meters for clock in CLOCKS]
    return "".join(f"{line}{end}" for line in (header, *lines)).encode()


def german(meter: str) -> str:
    """A file with signs outside ASCII in its header and its rows."""
    lines = [f"{meter};04.03.2024 {clock};0,5;gültig" for clock in CLOCKS]
    return "".join(f"{line}\r\n" for line in ("Zählpunkt;Zeit;kWh;Prüfung", *lines))


def quoted(meter: str) -> bytes:
    lines = [f'"{meter}","2024-03-04 {clock}","0.5",,' for clock in CLOCKS]
    return "".join(f"{line}\n" for line in ('"Meter","When","kWh",,', *lines)).encode()


def archive(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return packed.getvalue()


def scientific(text: str, delimiter: str, decimal_mark: str) -> bytes:
    """Two meters whose ids have become one text."""
    lines = [
        f"{text}{delimiter}2024-03-04 {clock}:00{delimiter}0{decimal_mark}{kwh}"
        for kwh in ("25", "75")
        for clock in CLOCKS
    ]
    return "".join(f"{line}\n" for line in (delimiter.join(("Point", "When", "kWh")), *lines)).encode()


def told_apart_by_a_word() -> bytes:
    """Export and import of one meter, the rows of import behind those of export."""
    kwh = ["0.53", *["0.2"] * 47]
    lines = [
        f"BUG10,33,{value},Active {kind} Interval (kWh),04-03-2024 {clock}"
        for clock, imported in zip(CLOCKS, kwh, strict=True)
        for kind, value in (("Export", "0"), ("Import", imported))
    ]
    return "".join(f"{line}\n" for line in ("Point,Serial,Value,Kind,End", *lines)).encode()


def estimated_first() -> bytes:
    """Estimates of a day, and below them what was measured, which is less."""
    estimated = [f"BUG14,2024-03-04 {clock},0.7,S,1" for clock in CLOCKS]
    final = [f"BUG14,2024-03-04 {clock},{'0.292' if clock == '00:00' else '0.3'},A,2" for clock in CLOCKS]
    return "".join(f"{line}\n" for line in ("Point,Start,kWh,Quality,Version", *estimated, *final)).encode()


def registers() -> bytes:
    lines = [f"BUG26,2024-03-{4 + day:02} 00:00,{1028.5 + 7 * day}" for day in range(8)]
    return "".join(f"{line}\n" for line in ("Point,Stamp,Stand", *lines)).encode()


_POINT_AND_WHEN = POINT | {"date_time_column": "When"}
_XML = b'<?xml version="1.0" encoding="UTF-8"?>\n<feed><IntervalBlock xmlns="http://naesb.org/espi"/></feed>\n'
_BESIDE = {"good.csv": rows("BUG15")}
_GENERATED: dict[str, tuple[dict[str, Any], dict[str, bytes]]] = {
    "05_ids_in_scientific_notation/point": (_POINT_AND_WHEN, {"readings.csv": scientific("7.221E+12", ",", ".")}),
    "05_ids_in_scientific_notation/comma": (
        _POINT_AND_WHEN | {"delimiter": ";", "decimal_mark": ","},
        {"readings.csv": scientific("7,222E+12", ";", ",")},
    ),
    "10_import_and_export_rows": (
        POINT | {"date_time_column": "End", "value_column": "Value", "timestamp_pattern": "dd-MM-yyyy HH:mm"},
        {"io.csv": told_apart_by_a_word()},
    ),
    "14_estimate_then_final/one": (POINT, {"both.csv": estimated_first()}),
    "15_archive_and_xml_beside_good_files/xml": (POINT, _BESIDE | {"usage.xml": _XML}),
    "15_archive_and_xml_beside_good_files/zip": (POINT, _BESIDE | {"usage.zip": archive("usage.csv", rows("A"))}),
    "15_archive_and_xml_beside_good_files/zip_csv": (POINT, {"usage.csv": archive("usage.csv", rows("A"))}),
    "19_encodings/cp1252": (GERMAN, {"a.csv": german("BUG19L").encode("cp1252")}),
    "19_encodings/cp1252pos": (GERMAN | {"meter_id_column": "1"}, {"a.csv": german("BUG19P").encode("cp1252")}),
    "19_encodings/utf8bom": (GERMAN, {"a.csv": german("BUG19B").encode("utf-8-sig")}),
    "20_ids_with_signs": (POINT, {"ids.csv": rows(*IDS)}),
    "21_quoted_header_with_empty_names/head": (METER, {"q.csv": quoted("BUG21Q")}),
    "21_quoted_header_with_empty_names/plain": (METER, {"q.csv": quoted("BUG21P").replace(b'"', b"")}),
    "22_odd_file_names": (
        POINT,
        {name: rows(f"BUG22N{at}") for at, name in enumerate(NAMES)}
        | {"empty.csv": b"", "only_bom.csv": "\ufeff".encode(), "only_head.csv": b"Point,Start,kWh\n"},
    ),
    "26_registers_only": (
        POINT | {"reading_type": "AGG", "date_time_column": "Stamp", "value_column": "Stand"},
        {"r.csv": registers()},
    ),
}


def delivery(name: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The description of a folder of such files, and the files' contents by name."""
    folder = FIELD_FILES / name
    if not folder.is_dir():
        return _GENERATED[name]
    found = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    described = json.loads(found.pop("_transformer.json"))
    return described, {name: content for name, content in found.items() if not name.endswith((".md", ".json"))}
