from __future__ import annotations

import pandas
import pytest

from local_aws.sagemaker.deepar.frequency import Frequency


@pytest.mark.parametrize(
    ("time_freq", "text"),
    [("1H", "1h"), ("H", "1h"), ("2H", "2h"), ("30min", "30min"), ("D", "1D"), ("W", "1W"), ("1M", "1M")],
)
def test_the_documented_granularities_are_read(time_freq: str, text: str) -> None:
    assert Frequency.parse(time_freq).text == text


@pytest.mark.parametrize("time_freq", ["", "1h", "1S", "1Y", "0H", "-1H", "1.5H", "01H", "H ", "1 H", "1_0H", "１H"])
def test_other_granularities_are_refused(time_freq: str) -> None:
    with pytest.raises(ValueError, match="followed by M, W, D, H or min"):
        Frequency.parse(time_freq)


@pytest.mark.parametrize(
    ("time_freq", "begin", "end"),
    [
        ("1H", "2026-01-02 03:00", "2026-01-02 04:00"),
        ("30min", "2026-01-02 03:40", "2026-01-02 04:10"),
        ("1D", "2026-01-02", "2026-01-03"),
        ("1W", "2025-12-29", "2026-01-05"),  # weeks begin on Monday
        ("1M", "2026-01-01", "2026-02-01"),
    ],
)
def test_a_start_lies_in_the_unit_that_holds_it(time_freq: str, begin: str, end: str) -> None:
    period = Frequency.parse(time_freq).start("2026-01-02 03:40:59")
    assert (period.start_time, (period + 1).start_time) == (pandas.Timestamp(begin), pandas.Timestamp(end))


@pytest.mark.parametrize("text", ["", "NaT", "yesterday evening", "2026-13-01", "2026-01-01T00:00:00Z"])
def test_a_start_that_is_no_time_without_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Frequency.parse("1H").start(text)
