"""Meter files of a delivery into the clean zone, bad rows into quarantine.

    --batch              the delivery
    --manifest           s3 URI of its list of files, and of the run's description of them for the transformer `default`
    --transformer        module of meter_data.readers that knows the files' layouts. A file _transformer.json beside
                         files describes these instead, and may name another transformer for them.
    --clean_bucket
    --spread_above_rows  more rows than these are spread over Spark's workers

Writes clean/batch=<batch>/, the list of its row groups, quarantine/batch=<batch>/ and, last,
_summaries/<batch>/raw_to_clean.json. Run again it replaces all of them; if it fails, what a former run has written is
still there. Every row of a file ends as a reading or in
quarantine. A file that cannot be read at all is set aside: the summary has the reason, and the other files are loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from meter_data.cleaning import items as cleaning
from meter_data.cleaning import undecided
from meter_data.lake import store as lake_store
from meter_data.lake.store import Store
from meter_data.lake.summaries import summary_uri
from meter_data.meter_files import manifest
from meter_data.meter_files.manifest import Manifest
from meter_data.runner import failures, work

JOB = "raw_to_clean"


def main() -> None:
    from awsglue.utils import getResolvedOptions

    given = getResolvedOptions(sys.argv, ["batch", "manifest", "transformer", "clean_bucket", "spread_above_rows"])
    store = lake_store.connect()
    delivery = manifest.read(store, given["manifest"], given["batch"])
    convert(
        store,
        delivery,
        given["transformer"],
        given["clean_bucket"],
        given["batch"],
        int(given["spread_above_rows"]),
        lake_store.connect,
    )


def convert(
    store: Store,
    delivery: Manifest,
    transformer: str,
    clean_bucket: str,
    batch: str,
    spread_above_rows: int,
    connect: Callable[[], Store],
) -> None:
    """Cleans the files of a delivery, and writes the summary. `connect` gives each item of work a store of its own."""
    plan = cleaning.plan(store, delivery, transformer, clean_bucket, batch)
    cleaned = work.run(cleaning.clean, plan.items, spread_above_rows, connect)
    files = cleaning.by_file(store, delivery, [*plan.set_aside, *cleaned])
    waiting = cleaning.undecided_item(files, clean_bucket, batch)
    decided = work.in_process(cleaning.decide, [waiting], connect)[0] if waiting else None
    cleaning.delete_leftovers(store, files, decided, clean_bucket, batch)
    cleaning.write_row_groups(store, files, decided, clean_bucket, batch)
    store.delete_folder(undecided.folder(clean_bucket, batch))
    store.write_json(summary_uri(clean_bucket, batch, JOB), cleaning.summary(batch, delivery, files, decided))


if __name__ == "__main__":
    failures.run(main)
