"""JSON Lines objects by number, `0001.jsonl`, as a job that reads one object at a time wants them."""

from __future__ import annotations

import re

from meter_data.lake.store import Store

_NAME = re.compile(r"/(\d{4,})\.jsonl(?:\.out)?$")


def uri_of(folder: str, number: int) -> str:
    """Returns the name of an object in a folder."""
    return f"{folder}{number:04d}.jsonl"


def found(store: Store, folder: str) -> dict[int, str]:
    """Returns the objects `0001.jsonl` or `0001.jsonl.out` in a folder by their numbers, in order."""
    by_number = {int(match[1]): each.uri for each in store.listed(folder) if (match := _NAME.search(each.uri))}
    return dict(sorted(by_number.items()))
