"""
# Load reference data

## Purpose
Loads what else is known of the fleet: hourly weather, where the meters are, and who is supplied at them (CIS).

## When it runs
On Mondays at 06:00 UTC, and by hand after a delivery. One run at a time. What was not delivered is skipped. All files
of a folder are the data together: overwrite or delete a file to take its rows out.

## Reads
Below `reference/` in the landing bucket, files in UTF-8:

- `weather/`: CSV with a header that names at least time (hourly, UTC), temperature, apparenttemperature and humidity
- `geodata/`: CSV meter_id, lat, long; in this order when there is no header
- `cisdata/`: customer_id; name; zip; city; state; street; phone; meter_id, in this order, separated by semicolons

## Writes
The tables `weather` and `geodata` of the catalog, each hour and each meter once (the newest delivery wins), and the
tables `geo_data` and `cis_data` of Redshift, each replaced in one transaction. Emits the asset `reference`.

## Parameters
For runs by hand only: which kinds of data. Empty: all that were delivered.

## On failure
Every table holds what it held before, or all of the new data; the kinds of data do not wait for each other. Every task
can be cleared as often as needed.

- `publish_weather`, `publish_geodata`: the message names the file and its bad lines. Mend it in the landing bucket and
  clear the task.
- `replace_cis_data`: the log ends with Redshift's message; the lines it refused are in its `sys_load_error_detail`.
  Customer data is personal: do not copy it into tickets or logs. Is a table missing? Run `set_up_warehouse`.
- `find_reference_files` in a run by hand: a kind was asked for that was never delivered.

Otherwise ask the data platform's engineer on call, with the link of the alert.
"""

from airflow.sdk import Param, chain, dag, task
from airflow.timetables.trigger import CronTriggerTimetable
from metering import glue, reference, warehouse
from metering.assets import REFERENCE
from metering.defaults import DAG_OPTIONS
from metering.deployment import BUSINESS_BUCKET, LANDING_BUCKET
from metering.operators import CrawlOperator, RedshiftTransactionOperator

PARAMS = {
    "kinds": Param(
        [],
        type="array",
        items={"type": "string", "enum": ["weather", "geodata", "cisdata"]},
        examples=["weather", "geodata", "cisdata"],
        section="Files",
        description="Which data to load. Empty: all that were delivered.",
    ),
}


@dag(
    schedule=CronTriggerTimetable("0 6 * * 1", timezone="UTC"),
    params=PARAMS,
    tags=["reference"],
    doc_md=__doc__,
    **DAG_OPTIONS,
)
def load_reference_data():
    @task(outlets=[REFERENCE], trigger_rule="none_failed_min_one_success")
    def announce_reference():
        """All kinds of data that were found are loaded."""

    def crawl(name):
        return CrawlOperator(task_id=name, config={"Name": name}, **glue.CRAWL)

    def replace(task_id):
        return RedshiftTransactionOperator(
            task_id=task_id, sql=warehouse.REPLACEMENTS[task_id], **warehouse.TRANSACTION
        )

    found = task.branch(reference.find_reference_files)(LANDING_BUCKET)
    geodata = task(reference.publish_geodata)(LANDING_BUCKET, BUSINESS_BUCKET)
    chain(
        found,
        [task(reference.publish_weather)(LANDING_BUCKET, BUSINESS_BUCKET), geodata],
        [crawl("crawl_weather"), crawl("crawl_geodata")],
        announced := announce_reference(),
    )
    chain(geodata, replace("replace_geo_data"), announced)
    chain(found, [crawl("crawl_cisdata"), replace("replace_cis_data")], announced)


load_reference_data()
