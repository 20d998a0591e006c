"""The questions that the demo puts to the REST API, and how it prints their answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from demo.landing_zone import FirstMeter

SHOWN = 3
TIMEOUT_SECONDS = 60
Say = Callable[[str], None]


class AnswerError(Exception):
    """The REST API answered with an error."""


@dataclass(frozen=True)
class RestApi:
    """The REST API at `url`, asked with its key."""

    url: str
    key: str = field(repr=False)

    def get(self, path: str, **query: str) -> httpx.Response:
        headers = {"x-api-key": self.key}
        return httpx.get(f"{self.url}{path}", params=query, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False)

    def ask(self, path: str, **query: str) -> tuple[str, Any]:
        """The question as typed and the JSON of its answer. Raises AnswerError when the answer is an error."""
        answer = self.get(path, **query)
        asked = f"GET {answer.request.url.raw_path.decode()}"
        if answer.status_code != httpx.codes.OK:
            raise AnswerError(f"{asked} answered {answer.status_code}: {answer.text}")
        return asked, answer.json()


def print_answers(api: RestApi, meter: FirstMeter, say: Say = print) -> None:
    """One question to each of the four resources, about a meter and its readings."""
    meter_id, year = meter.meter_id, meter.year
    for grain in ("daily", "weekly", "monthly"):
        asked, rows = api.ask(f"/consumption/{grain}/{year}/{meter_id}")
        say(f"\n{asked}\n  {consumption(rows)}")
    asked, forecast = api.ask(f"/forecast/{meter_id}", quantiles="p10,p90")
    say(f"\n{asked}\n  {hours(forecast)}")
    asked, columns = api.ask(f"/anomaly/{meter_id}", data_start=f"{year}-01-01", data_end=f"{year + 1}-01-01")
    say(f"\n{asked}\n  {judged_days(columns)}")
    asked, outages = api.ask(
        "/outage",
        start_date_time=f"{meter.first_year}-01-01 00:00:00",
        end_date_time=f"{meter.last_year + 1}-01-01 00:00:00",
    )
    say(f"\n{asked}\n  {error_readings(outages['Items'])}")


def consumption(rows: list[list[Any]]) -> str:
    shown = ", ".join(json.dumps(row) for row in rows[:SHOWN])
    return f"[{shown}{', …' if len(rows) > SHOWN else ''}]   {len(rows)} rows"


def hours(forecast: dict[str, dict[str, float]]) -> str:
    """The first hours of a forecast with its interval, and where it begins and ends."""
    median = forecast["consumption"]
    times = sorted(median, key=int)
    shown = ", ".join(
        f"{median[time]:.3f} ({forecast['p10'][time]:.3f}–{forecast['p90'][time]:.3f})" for time in times[:SHOWN]
    )
    return f"{shown}, … kWh   {len(times)} hours, {utc(times[0])} to {utc(times[-1])} UTC"


def judged_days(columns: dict[str, dict[str, Any]]) -> str:
    """How many days were judged, and the most important anomalies."""
    anomalies = [row for row, anomaly in columns["anomaly"].items() if anomaly]
    worst = sorted(anomalies, key=lambda row: -columns["importance"][row])[:SHOWN]
    shown = ", ".join(
        f"{columns['ds'][row]} {columns['consumption'][row]:.2f} kWh outside "
        f"{columns['yhat_lower'][row]:.2f}–{columns['yhat_upper'][row]:.2f}"
        for row in worst
    )
    return f"{len(columns['ds'])} days judged, {len(anomalies)} anomalies{': ' if worst else ''}{shown}"


def error_readings(items: list[dict[str, Any]]) -> str:
    meters = {item["meter_id"] for item in items}
    placed = sum(item["lat"] is not None for item in items)
    first = json.dumps(items[0]) if items else "none"
    return f"{len(items)} error readings of {len(meters)} meters, {placed} with a place: {first}"


def utc(epoch_milliseconds: str) -> str:
    return f"{datetime.fromtimestamp(int(epoch_milliseconds) / 1000, UTC):%Y-%m-%d %H:%M}"
