"""A generated fleet looks like homes: numbers measured on London's households, and how near the fleet must come.

LONDON holds what the 60 households of 2013 and the two of 2012 to 2014 show; where those files are at hand they are
measured anew. The tolerances are about what separates one sample of 60 households from another.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from local_aws.environment import shared_data
from sample_data.comparison import NoReadingsError, Portrait, autocorrelation, main, portrait
from sample_data.fleet import Fleet

REAL = shared_data() / "london"

LONDON = Portrait(
    mean=0.2338,
    p50=0.129,
    p90=0.542,
    p99=1.609,
    zero_share=0.0404,
    hour_profile=(
        *(1.073, 0.951, 0.680, 0.622, 0.625, 0.629, 0.753, 0.881, 0.975, 0.975, 0.984, 1.002),
        *(1.011, 0.997, 0.978, 1.050, 1.105, 1.256, 1.398, 1.416, 1.377, 1.290, 1.115, 0.857),
    ),
    weekday_profile=(0.994, 0.969, 0.989, 0.984, 0.979, 1.015, 1.069),
    winter_to_summer=1.561,
    yearly_kwh_p50=3952.6,
    yearly_kwh_p90_to_p10=5.901,
    lag_1=0.6437,
    lag_48=0.3476,
    skewness=2.827,
)


@pytest.fixture(scope="module", params=[7, 2], ids=["the demo's fleet", "another fleet"])
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Portrait:
    folder = tmp_path_factory.mktemp("fleet")
    list(Fleet(meters=60, days=365, seed=request.param, start=date(2013, 1, 1)).write(folder, 250_000))
    return portrait(folder)


def test_the_numbers_of_london_are_those_of_the_real_files() -> None:
    measured = asdict(portrait(REAL)) if REAL.is_dir() else asdict(LONDON)

    for name, value in asdict(LONDON).items():
        assert measured[name] == pytest.approx(value, rel=2e-3), name


@pytest.mark.parametrize("name", ["mean", "p50", "p90", "p99", "skewness"])
def test_half_hour_values_are_spread_like_london_s(fleet: Portrait, name: str) -> None:
    assert getattr(fleet, name) == pytest.approx(getattr(LONDON, name), rel=0.25)


def test_meters_differ_as_much_as_london_s(fleet: Portrait) -> None:
    assert fleet.yearly_kwh_p50 == pytest.approx(LONDON.yearly_kwh_p50, rel=0.2)
    assert fleet.yearly_kwh_p90_to_p10 == pytest.approx(LONDON.yearly_kwh_p90_to_p10, rel=0.25)


def test_as_many_half_hours_are_zero_as_in_london(fleet: Portrait) -> None:
    assert fleet.zero_share == pytest.approx(LONDON.zero_share, abs=0.02)


def test_the_day_has_the_shape_of_london_s(fleet: Portrait) -> None:
    off = np.abs(np.subtract(fleet.hour_profile, LONDON.hour_profile))

    assert off.mean() < 0.12
    assert off.max() < 0.35
    assert 17 <= int(np.argmax(fleet.hour_profile)) <= 20
    assert 2 <= int(np.argmin(fleet.hour_profile)) <= 5


def test_the_week_has_the_shape_of_london_s(fleet: Portrait) -> None:
    assert fleet.weekday_profile == pytest.approx(LONDON.weekday_profile, abs=0.08)
    assert min(fleet.weekday_profile[5:]) > max(fleet.weekday_profile[:5])


def test_winters_are_dearer_than_summers_as_in_london(fleet: Portrait) -> None:
    assert fleet.winter_to_summer == pytest.approx(LONDON.winter_to_summer, rel=0.15)


def test_half_hours_resemble_the_one_and_the_day_before_as_in_london(fleet: Portrait) -> None:
    assert fleet.lag_1 == pytest.approx(LONDON.lag_1, abs=0.08)
    assert fleet.lag_48 == pytest.approx(LONDON.lag_48, abs=0.12)


def test_a_sine_wave_would_not_pass(tmp_path: Path) -> None:
    hours = np.arange(90 * 48)
    kwh = 0.23 * (1 + 0.4 * np.sin(2 * np.pi * (hours / 48 - 0.5)))
    moments = np.datetime64("2013-01-01T00:00") + np.timedelta64(30, "m") * hours
    lines = [
        f"MAC000001,Std,{str(moment).replace('T', ' ')}:00.0000000, {value:.3f} "
        for moment, value in zip(moments, kwh, strict=True)
    ]
    (tmp_path / "wave.csv").write_text("\r\n".join(["LCLid,stdorToU,DateTime,KWH/hh (per half hour) ", *lines, ""]))
    wave = portrait(tmp_path)

    assert wave.mean == pytest.approx(0.23, abs=1e-3)
    assert wave.hour_profile[18] == pytest.approx(1 + 0.4 * np.sin(2 * np.pi * (18.25 / 24 - 0.5)), abs=0.01)
    assert wave.lag_48 == pytest.approx(1.0)
    assert wave.skewness == pytest.approx(0.0, abs=1e-3)
    assert wave.p99 < 0.5 * LONDON.p99


def test_autocorrelation_leaves_gaps_out() -> None:
    kwh = np.array([1.0, 2.0, np.nan, 4.0, 5.0, 7.0])

    # Pairs one apart: (1, 2), (4, 5), (5, 7). Sums of squares 26/3 and 38/3, sum of products 31/3 around the means.
    assert autocorrelation(kwh, 1) == pytest.approx((31 / 3) / ((26 / 3) * (38 / 3)) ** 0.5)


def test_a_folder_without_meter_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoReadingsError, match=str(tmp_path)):
        portrait(tmp_path)


def test_the_command_prints_both_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    list(Fleet(meters=3, days=70, seed=1, start=date(2013, 1, 1)).write(tmp_path, 5000))

    assert main(["--fleet", str(tmp_path), "--real", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["fleet", "real"]
    for line in lines[1:]:
        _, ours, theirs = line.split()
        assert ours == theirs
