"""The steps of detect_anomalies that are no operator of the provider."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from metering import catalog, clients, dates, glue
from metering.batches import RUN
from metering.deployment import HOLIDAYS_COUNTRY, INTERVALS_PER_HOUR, WITH_WEATHER

JOB = "detect_anomalies"
TABLE = "anomaly"

# Countries and nations of the UK whose public holidays the job knows; a test holds them against the job's.
# fmt: off
COUNTRIES = [
    "AE", "AT", "AU", "BE", "BR", "CA", "CH", "CN", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GB-ENG", "GB-NIR",
    "GB-SCT", "GB-WLS", "GR", "HK", "IE", "IN", "IT", "JP", "KR", "MX", "NL", "NO", "NZ", "PL", "PT", "SA", "SE", "SG",
    "US", "ZA",
]
# fmt: on

ARGUMENTS = {
    "--run": RUN,
    "--data_end": "auto",
    "--days": "{{ params.days }}",
    "--country": f"{{% if params.country %}}{{{{ params.country }}}}{{% else %}}{HOLIDAYS_COUNTRY}{{% endif %}}",
    "--intervals_per_hour": INTERVALS_PER_HOUR,
    "--with_weather": WITH_WEATHER,
    "--level": "{{ params.level }}",
}


def find_summed_days(announced: list[dict[str, Any]], database: str) -> list[str]:
    """The dates that were summed anew, as closed ranges: of all CONSUMPTION events, or of a run by hand all there are.

    None when the events are of batches that touch no date (error readings only), or when nothing was ever summed.
    """
    if announced:
        return dates.merge(text for extra in announced for text in extra["dates"])
    published = catalog.locations(clients.glue(), database, "aggregated_daily")
    return dates.of_partitions(month for (month,) in published)


def find_judged_days(batch: str, clean_bucket: str) -> list[str]:
    """The dates that the job has judged, as closed ranges; none when there was nothing new to judge."""
    summary, _ = glue.newest_summary(clients.s3(), clean_bucket, batch, JOB)
    judged: list[str] = summary["days"]
    return judged


def publish_anomalies(batch: str, clean_bucket: str, database: str) -> dict[str, Any]:
    """Point the catalog at the months with the new judgements; what the ANOMALIES event says of them."""
    summary, written_at = glue.newest_summary(clients.s3(), clean_bucket, batch, JOB)
    catalog.publish(
        clients.glue(),
        database=database,
        table=TABLE,
        partitions=summary["partitions"],
        run=summary["run"],
        written_at=written_at,
        published_at=datetime.now(UTC),
    )
    return {"run": summary["run"], "days": summary["days"], **summary["anomalies"]}
