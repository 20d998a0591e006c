"""What a meter id is. Ingestion and the API share this definition, so the API can be asked for every meter it loads.

An id passes through files, stores, URL paths and query strings, and must name the same meter in all of them:

- The signs `/ \\ % + ? # & ; = ,` mean something in a URL, and gateways decode paths and queries once, twice or not at
  all. Shells and clients of HTTP expand `$ ! [ ] { }`. Quotation marks and a leading `=` are how spreadsheets force a
  text. An id has none of these.
- Spaces stand inside an id and never two together, because forms and web pages drop the others.
- An id begins with a letter or a digit. Without that rule `.` and `-` would be ids.
- Letters outside ASCII have several encodings. An id has none.

Each Lambda keeps a copy of this file, because it can import nothing outside its folder. A test compares the copies.
"""

from __future__ import annotations

from urllib.parse import unquote

LONGEST = 64  # bytes, as the warehouse's columns
# Without anchors, which differ between engines: the whole id must match, and be no longer than LONGEST.
PATTERN = r"[A-Za-z0-9](?: ?[A-Za-z0-9._:~*@()-]){0,63}"

# A spreadsheet or a program has written a number: 7.221E+12, 7,222E+12, 7E+12, 7.221e12. Its other digits are lost.
# 12E5 and 12E-5 stay ids: programs give an exponent a plus sign or the number a decimal mark.
LOST_DIGITS = r"[+-]?[0-9]+(?:[.,][0-9]*[eE][+-]?|[eE]\+)[0-9]+"
# From here on neighbouring whole numbers share one floating-point number, which is what many writers of JSON keep.
FIRST_INEXACT = 2**53


def asked(given: str) -> str:
    """Returns the id that a request's parameter means, whether the gateway has decoded the parameter or not.

    An id holds no percent sign, so decoding it once more changes nothing.
    """
    return unquote(given)
