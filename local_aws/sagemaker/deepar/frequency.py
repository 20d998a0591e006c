"""The granularity of series, time_freq."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas

_TIME_FREQ = re.compile(r"(?P<multiple>[1-9]\d*)?(?P<unit>min|H|D|W|M)")


@dataclass(frozen=True)
class Frequency:
    """`text` as pandas and GluonTS write it: 30min, 1h, 1D, 1W, 1M."""

    text: str

    @classmethod
    def parse(cls, time_freq: str) -> Frequency:
        """Read a time_freq such as 1H or 30min. Raises ValueError."""
        match = _TIME_FREQ.fullmatch(time_freq)
        if match is None:
            raise ValueError(f"{time_freq!r} is not an integer followed by M, W, D, H or min")
        return cls(f"{match['multiple'] or 1}{match['unit'].replace('H', 'h')}")

    def start(self, text: str) -> pandas.Period:
        """Read the time of a first value, cut to whole units. Raises ValueError."""
        time = pandas.Timestamp(text)
        if time is pandas.NaT:
            raise ValueError(f"{text!r} is no time")
        if time.tzinfo is not None:
            raise ValueError(f"{text!r} has a time zone")
        return time.to_period(self.text)
