"""The hourly weather of a fleet, in the bytes of Dark Sky's export: its columns, quotes, NULLs and stray line breaks.

The temperature is the one that the fleet's homes were heated by, so that a model can learn from it. What else the file
says is drawn around that: humid when it is mild for the season, windy for some hours at a time.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np

from sample_data.conditions import SLOTS, Floats

HEADER = (
    "visibility,windBearing,temperature,time,dewPoint,pressure,apparentTemperature,windSpeed,precipType,icon,humidity,"
    "summary"
)
NULL_EVERY = 1600  # of the real file's pressures 13 in 21,165 are unknown
HOURS = 24


def rows(start: date, celsius: Floats, rng: np.random.Generator) -> list[bytes]:
    """A row for each hour from 00:00 UTC of `start`; `celsius` has the shape (days, SLOTS)."""
    hours = len(celsius) * HOURS
    air = celsius.reshape(hours, SLOTS // HOURS).mean(axis=1)
    humidity = np.clip(0.78 - 0.018 * (air - season(celsius)) + 0.10 * lasting(hours, 0.93, rng), 0.25, 1.0)
    wind = np.clip(3.9 + 2.0 * lasting(hours, 0.95, rng), 0.1, 15.0)
    bearing = (200 + 80 * lasting(hours, 0.98, rng)) % 360
    pressure = 1014 + 11 * lasting(hours, 0.997, rng)
    visibility = np.clip(16.1 - 24 * np.maximum(humidity - 0.85, 0) - rng.gamma(1.5, 2.0, hours), 0.2, 16.1)
    columns = (
        *(visibility.round(2), bearing.astype(int), air.round(2), dew_point(air, humidity).round(2)),
        *(pressure.round(2), apparent(air, humidity, wind).round(2), wind.round(2), humidity.round(2)),
    )
    unknown = set(rng.choice(hours, hours // NULL_EVERY, replace=False).tolist())
    midnight = datetime.combine(start, time())
    return [
        row(midnight + timedelta(hours=hour), values, hour in unknown)
        for hour, values in enumerate(zip(*(column.tolist() for column in columns), strict=True))
    ]


def row(moment: datetime, values: tuple[float, ...], pressure_unknown: bool) -> bytes:
    visibility, bearing, air, dew, pressure, felt, wind, humidity = values
    word = "Foggy" if humidity > 0.98 else "Breezy" if wind > 8 else "Overcast" if humidity > 0.9 else "Clear"
    icon = {"Foggy": "fog", "Breezy": "wind", "Overcast": "cloudy"}.get(word, "clear-day")
    fields = [
        *(f"{visibility:g}", f"{bearing:g}", f"{air:g}", f'"{moment:%Y-%m-%d %H:%M:%S}"', f"{dew:g}"),
        *("NULL" if pressure_unknown else f"{pressure:.2f}", f"{felt:g}", f"{wind:g}"),
        *("snow" if air < 0.5 else "rain", icon, f"{humidity:g}", f'"{word}\r"'),
    ]
    return ",".join(fields).encode() + b"\n"


def season(celsius: Floats) -> Floats:
    """What is usual on each hour's day: the mean of a month around it; shape (hours,)."""
    daily = celsius.mean(axis=1)
    reach = 15
    padded = np.pad(daily, reach, mode="edge")
    usual = np.convolve(padded, np.ones(2 * reach + 1) / (2 * reach + 1), mode="valid")
    return np.repeat(usual, HOURS)


def lasting(hours: int, persistence: float, rng: np.random.Generator) -> Floats:
    """A standard normal level that drifts from hour to hour: an autoregression of order 1."""
    shocks = rng.normal(0.0, np.sqrt(1 - persistence**2), hours)
    level = np.empty(hours)
    state = rng.normal()
    for hour in range(hours):
        state = persistence * state + shocks[hour]
        level[hour] = state
    return level


def dew_point(air: Floats, humidity: Floats) -> Floats:
    """Degrees Celsius, by Magnus' formula with the coefficients of Alduchov and Eskridge (1996)."""
    gamma = np.log(humidity) + 17.625 * air / (243.04 + air)
    return 243.04 * gamma / (17.625 - gamma)


def apparent(air: Floats, humidity: Floats, wind: Floats) -> Floats:
    """How warm it feels in the shade, degrees Celsius: Steadman (1994), as the Australian Bureau of Meteorology has it;
    wind in m/s."""
    vapour_hpa = humidity * 6.105 * np.exp(17.27 * air / (237.7 + air))
    return air + 0.33 * vapour_hpa - 0.70 * wind - 4.00
