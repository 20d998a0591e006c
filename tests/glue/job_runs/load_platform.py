"""From meter files to published sums by the three scripts as job runs."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow.parquet as parquet

from tests.glue.job_runs.job_platform import JobPlatform


class LoadPlatform(JobPlatform):
    """Meter files come in; sums go out."""

    def deliver(self, batch: str, delivered_at: str, **files: str) -> None:
        """Put files into the landing zone (a name's __ is its dot) and write the manifest of the batch."""
        listed = [
            {**self.put("landing", f"readings/{name.replace('__', '.')}", text.encode()), "delivered_at": delivered_at}
            for name, text in files.items()
        ]
        self.put("clean", f"_manifests/{batch}.json", json.dumps({"batch": batch, "files": listed}).encode())

    def raw_to_clean(self, batch: str) -> str | None:
        manifest = f"s3://{self.buckets['clean']}/_manifests/{batch}.json"
        return self.run("raw_to_clean", batch=batch, manifest=manifest, transformer="london")

    def ingest(self, batch: str) -> dict[str, Any]:
        """raw_to_clean, clean_to_business and publishing; the summary of the second."""
        assert self.raw_to_clean(batch) is None
        assert self.run("clean_to_business", batch=batch, run=f"{batch}-1", grain="month") is None
        summary = self.summary(batch, "clean_to_business")
        self.publish("daily", summary["partitions"], summary["run"])
        return summary

    def aggregate(self, run: str, dates: list[str]) -> None:
        arguments = {"run": run, "dates": ",".join(dates), "intervals_per_hour": "2"}
        assert self.run("aggregate_consumption", **arguments) is None
        self.publish_sums(run)

    def publish_sums(self, run: str) -> None:
        """Publish what a run of aggregate_consumption has written."""
        for table, said in self.summary(run, "aggregate_consumption")["tables"].items():
            self.publish(table, said["partitions"], run)

    def record(self, batch: str) -> None:
        """As the ledger notes that the batch is published."""
        self.put("clean", f"_batches/{batch}.json", b"{}")

    def published(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """The rows of all published partitions, sorted."""
        rows: list[tuple[Any, ...]] = []
        for file in self.published_files(table):
            found = parquet.read_table(io.BytesIO(file))
            rows += zip(*(found[name].to_pylist() for name in columns), strict=True)
        return sorted(rows, key=repr)


def text_of(header: str, *lines: str) -> str:
    return "".join(f"{line}\r\n" for line in (header, *lines))
