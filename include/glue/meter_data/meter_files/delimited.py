"""The one rule by which lines of delimited text are cut into fields, headers and rows alike.

A field is quoted when it begins with a quotation mark and ends with one, spaces aside, and holds others only doubled. A
quoted field may hold delimiters. Any other quotation mark is a sign like others. A line whose quoted field never ends,
or goes on after its end, is cut at every delimiter.

The rule works on bytes. It gives the same for UTF-8 and for encodings of one byte a sign, because the bytes of a
delimiter, of spaces and of quotation marks are never found within another sign.
"""

from __future__ import annotations

MARK, DOUBLED, SPACE = b'"', b'""', b" "


def cut(line: bytes, delimiter: bytes) -> list[bytes]:
    """Returns the fields of a line, without the quotation marks around them. `delimiter` holds no quotation mark."""
    if MARK not in line:
        return line.split(delimiter)
    return [_without_marks(field) for field in _fields(line, delimiter)]


def _fields(line: bytes, delimiter: bytes) -> list[bytes]:
    parts = line.split(delimiter)
    found: list[bytes] = []
    opened: list[bytes] = []  # the parts so far of a quoted field that has not ended
    for part in parts:
        begin = part.lstrip(SPACE)
        if not opened and not begin.startswith(MARK):
            found.append(part)
            continue
        single = (part if opened else begin[1:]).replace(DOUBLED, b"")
        if MARK not in single:
            opened.append(part)
        elif not opened or (single.count(MARK) == 1 and single.rstrip(SPACE).endswith(MARK)):
            found.append(delimiter.join([*opened, part]))
            opened = []
        else:
            return parts
    return parts if opened else found


def _without_marks(field: bytes) -> bytes:
    trimmed = field.strip(SPACE)
    if len(trimmed) > 1 and trimmed.startswith(MARK) and trimmed.endswith(MARK):
        return trimmed[1:-1].replace(DOUBLED, MARK)
    return field
