"""One household: who lives there, and what its meter counts in each half hour.

The year's consumption is given, and spent on: a base load that never sleeps, sessions (light, screens), kettles,
meals, laundry and showers that people switch on when they are at home and awake, and electric heating where there is
some. Events have the energy of real appliances in every home; a home that uses more has more of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sample_data.conditions import SLOTS, Conditions, Floats

MEDIAN_KWH, LOG_SPREAD = 3700.0, 0.66
TIME_OF_USE_SHARE = 0.2
HABIT, WEEKDAY_HABIT = 0.72, 0.30  # spread of the logarithm of a home's own pattern around everyone's
# Shares of the fleet, in the order in which a home's place decides: the rest are ordinary homes heated by gas.
EMPTY, SELDOM_USED, STORAGE_HEATED, DIRECT_HEATED = 0.017, 0.035, 0.06, 0.05
# Irrational steps spread any number of homes evenly over a range (a Kronecker sequence), so that even small fleets
# have the right share of each kind.
GOLDEN_STEPS = (0.6180339887, 0.7548776662, 0.8191725134, 0.8566748838)


@dataclass(frozen=True)
class Household:
    """What stays the same over the years; energy in kWh, hours on a London clock."""

    kind: str  # ordinary, empty, seldom used, storage heated, direct heated
    yearly_kwh: float
    time_of_use: bool
    base_share: float
    rises_at: float
    home_by: float
    at_home: float  # 0: out on workdays, 1: in all day


@dataclass(frozen=True)
class Appliance:
    """What one use takes: kWh per half hour from `low` to `high`, for `shortest` to `longest` half hours."""

    share: float  # of what people switch on
    low: float
    high: float
    shortest: int
    longest: int
    peaked: float  # 1: spread like people's activity, above 1: at its peaks


APPLIANCES = (
    Appliance(0.60, 0.03, 0.13, 3, 10, 1.0),  # light, television, computer
    Appliance(0.08, 0.04, 0.12, 1, 1, 1.0),  # kettle, toaster
    Appliance(0.14, 0.20, 0.85, 1, 3, 1.6),  # cooker
    Appliance(0.11, 0.20, 0.60, 2, 4, 1.0),  # washing machine, dryer, dishwasher
    Appliance(0.07, 0.25, 0.80, 1, 1, 1.3),  # shower, immersion heater
)


def household(number: int, offset: Floats, rng: np.random.Generator) -> Household:
    """The household of a place in the fleet; `offset` (4 numbers in 0..1) differs between fleets."""
    kind_at, size_at, tariff_at, base_at = (number + 1) * np.array(GOLDEN_STEPS) + offset
    kind = kind_of(kind_at % 1)
    yearly = MEDIAN_KWH * np.exp(LOG_SPREAD * NormalDist().inv_cdf(0.005 + 0.99 * (size_at % 1)))
    return Household(
        kind=kind,
        yearly_kwh={"empty": 35.0, "seldom used": 0.35 * yearly}.get(kind, yearly),
        time_of_use=tariff_at % 1 < TIME_OF_USE_SHARE,
        base_share=0.11 + 0.42 * (base_at % 1),
        rises_at=rng.normal(7.6, 0.9),
        home_by=rng.normal(18.0, 1.1),
        at_home=rng.beta(1.2, 0.9),
    )


def kind_of(place: float) -> str:
    for kind, share in (
        ("empty", EMPTY),
        ("seldom used", SELDOM_USED),
        ("storage heated", STORAGE_HEATED),
        ("direct heated", DIRECT_HEATED),
    ):
        if place < share:
            return kind
        place -= share
    return "ordinary"


def watt_hours(home: Household, around: Conditions, rng: np.random.Generator) -> NDArray[np.int64]:
    """What the meter counts: watt-hours of each half hour, shape (days × SLOTS,)."""
    people = presence(home, around.days, rng)
    active = activity(home, around) * habits(around, rng) * people[:, None]
    half_hours = around.days * SLOTS
    budget = home.yearly_kwh * around.days / 365.25
    heating = np.zeros(half_hours)
    if home.kind.endswith("heated"):
        heat = heat_demand(home, around, active, rng)
        heating = heat.ravel() * 0.5 * budget / max(heat.sum(), 1e-9)
        budget *= 0.5
    base = base_load(home, around, people, rng) * home.base_share * budget / half_hours
    switched = sum(
        uses(appliance, (1 - home.base_share) * budget * appliance.share, active, rng) for appliance in APPLIANCES
    )
    return np.rint(1000 * (base + switched + heating)).astype(np.int64)


def presence(home: Household, days: int, rng: np.random.Generator) -> Floats:
    """How much people do on each day: 1 on average when they are there, 0 when they are away."""
    level = np.empty(days)
    state = rng.normal()
    for day, shock in enumerate(rng.normal(0.0, np.sqrt(1 - 0.6**2), days)):
        state = 0.6 * state + shock
        level[day] = np.exp(0.22 * state)
    away_share = {"empty": 0.995, "seldom used": 0.55}.get(home.kind, 0.035)
    spell = 6
    while (level == 0).mean() < away_share - 0.5 * spell / max(days, 1) and (level > 0).any():
        first = int(rng.integers(-3, days))
        level[max(first, 0) : max(first, 0) + int(rng.integers(2, 2 * spell))] = 0.0
    return level


def activity(home: Household, around: Conditions) -> Floats:
    """Relative activity of people who are there, by local time, weekday, light and cold; shape (days, SLOTS)."""
    hour = around.local_hour

    def bump(centre: Floats | float, width: float) -> Floats:
        away = (hour - centre + 12) % 24 - 12
        return np.exp(-0.5 * (away / width) ** 2)

    late = np.where(around.weekend, 1.4, 0.0)
    in_all_day = np.where(around.weekend, np.maximum(home.at_home, 0.75), home.at_home)
    evening = 0.85 if home.time_of_use else 1.0
    curve = (
        0.03
        + 0.68 * bump(home.rises_at + late, 1.0)
        + 1.05 * in_all_day * bump(12.4, 3.6)
        + 0.72 * evening * bump(home.home_by, 1.7)
        + 0.70 * bump(home.home_by + 2.6, 1.8)
        + 0.26 * bump(0.7, 1.1)
    )
    return curve * (0.72 + 0.28 * around.dark) * (1 + 0.022 * around.cold)


def habits(around: Conditions, rng: np.random.Generator) -> Floats:
    """What this home does more or less than others at the same time of day and of the week; shape (days, SLOTS)."""
    every_day, by_weekday = rng.normal(0, 1, (1, SLOTS)), rng.normal(0, 1, (7, SLOTS))
    smooth = [np.roll(each, 1, 1) + 2 * each + np.roll(each, -1, 1) for each in (every_day, by_weekday)]
    weekday = (around.start.weekday() + np.arange(around.days)) % 7
    return np.exp((HABIT * smooth[0] + WEEKDAY_HABIT * smooth[1])[weekday] / np.sqrt(6))


def base_load(home: Household, around: Conditions, people: Floats, rng: np.random.Generator) -> Floats:
    """Fridge, standby, router, boiler pump: mean about 1, switched off where nobody lives."""
    half_hours = around.days * SLOTS
    phase = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(2 * np.pi / rng.uniform(2.2, 4.5), 0.25, half_hours))
    load = np.clip(1 + 0.25 * np.sin(phase) + rng.normal(0, 0.12, half_hours), 0.2, None)
    load *= 1 + 0.02 * (around.cold.ravel() - around.cold.mean())
    if home.kind in ("empty", "seldom used"):
        load *= np.repeat(people > 0, SLOTS)
    return load


def heat_demand(home: Household, around: Conditions, active: Floats, rng: np.random.Generator) -> Floats:
    """Relative electric heat: storage heaters charge on the night tariff, direct heaters follow people."""
    warmth = around.cold * (0.4 + 0.6 * (active > 0.1))
    if home.kind == "direct heated":
        return warmth * (0.15 + active) * rng.gamma(2.0, 0.5, warmth.shape)
    daily = around.cold.mean(axis=1, keepdims=True) * (active.sum(axis=1, keepdims=True) > 0)
    charging = (around.local_hour > 0.4) & (around.local_hour < 7.1)
    full_after = rng.uniform(3.5, 6.8, (around.days, 1))
    return daily * charging * np.where(around.local_hour < full_after, 1.0, 0.15)


def uses(appliance: Appliance, kwh: float, active: Floats, rng: np.random.Generator) -> Floats:
    """`kwh` spent in single uses at times drawn in proportion to activity; shape (days × SLOTS,)."""
    rate = active.ravel() ** appliance.peaked
    half_hours = len(rate)
    each = 0.25 * (appliance.low + appliance.high) * (appliance.shortest + appliance.longest)
    count = int(rng.poisson(kwh / each)) if rate.any() else 0
    cumulated = np.cumsum(rate)
    begins = np.searchsorted(cumulated, rng.random(count) * cumulated[-1], side="right")
    energy = rng.uniform(appliance.low, appliance.high, count)
    lasts = rng.integers(appliance.shortest, appliance.longest + 1, count)
    total = np.zeros(half_hours)
    for step in range(appliance.longest):
        still = (lasts > step) & (begins + step < half_hours)
        total += np.bincount(begins[still] + step, weights=energy[still], minlength=half_hours)
    return total
