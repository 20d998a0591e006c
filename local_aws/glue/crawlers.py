"""Crawlers: their definitions and their crawls, each in a thread of its own."""

from __future__ import annotations

import logging
import statistics
import threading
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.glue.crawl import crawl
from local_aws.glue.crawl_results import CrawlResults
from local_aws.glue.crawler_definition import checked
from local_aws.glue.log_store import LogStore, now
from local_aws.glue.names import CRAWLER, already_exists, key, not_found, page
from local_aws.glue.partitions import GluePartitions
from local_aws.glue.schemas import UnreadableFileError
from local_aws.glue.tables import GlueTables, existing_table
from local_aws.glue.tags import arn, set_tags
from local_aws.service import Request, Response, Service, ServiceError
from local_aws.settings import Settings
from local_aws.state import Document, State

LOG_GROUP = "/aws-glue/crawlers"
LOST = "The crawl ended with the process that served it: local_aws was stopped or died. Start the crawler again."


class GlueCrawlers(Service):
    """Create, Get, Update, Delete, Start and StopCrawler, GetCrawlers, ListCrawlers, GetCrawlerMetrics.

    A crawler's document: {"crawler": as the API shows it, "changed": {created, updated, deleted} of the last crawl,
    "seconds": how long each crawl took}.
    """

    service_name = "glue"

    def __init__(
        self,
        state: State,
        settings: Settings,
        s3: Any,
        logs: LogStore,
        tables: GlueTables,
        partitions: GluePartitions,
    ) -> None:
        self._state = state
        self._settings = settings
        self._s3 = s3
        self._logs = logs
        self._tables = tables
        self._partitions = partitions
        self._crawls: dict[str, threading.Thread] = {}
        self._log = logging.getLogger("local_aws.glue.crawlers")

    def on_start(self) -> None:
        for crawler_key, document in self._state.items(CRAWLER):
            if document["crawler"]["State"] != "READY":
                self._finish(crawler_key, "FAILED", LOST)

    def on_stop(self) -> None:
        for thread in list(self._crawls.values()):
            thread.join(timeout=10)

    def create_crawler(self, request: Request) -> Response:
        name = request["Name"]
        given = checked({member: value for member, value in request.items() if member != "Tags"})
        with self._state.transaction():
            if self._state.get(CRAWLER, key(name)):
                raise already_exists(f"Crawler with name {name} already exists")
            now = datetime.now(UTC)
            own = {"State": "READY", "CrawlElapsedTime": 0, "CreationTime": now, "LastUpdated": now, "Version": 1}
            self._state.put(CRAWLER, key(name), {"crawler": given | own, "changed": {}, "seconds": []})
            set_tags(self._state, self._arn(name), request.get("Tags"))
        return {}

    def get_crawler(self, request: Request) -> Response:
        return {"Crawler": self._existing(request["Name"])["crawler"]}

    def get_crawlers(self, request: Request) -> Response:
        crawlers = [document["crawler"] for document in self._state.list(CRAWLER)]
        chosen, more = page(crawlers, request, largest=1000)
        return {"Crawlers": chosen, **more}

    def list_crawlers(self, request: Request) -> Response:
        names = [document["crawler"]["Name"] for document in self._state.list(CRAWLER)]
        chosen, more = page(names, request, largest=1000)
        return {"CrawlerNames": chosen, **more}

    def update_crawler(self, request: Request) -> Response:
        with self._state.transaction():
            document = self._ready(request["Name"])
            current = document["crawler"]
            own = {"LastUpdated": datetime.now(UTC), "Version": current["Version"] + 1}
            changed = document | {"crawler": checked(current | request) | own}
            self._state.put(CRAWLER, key(request["Name"]), changed)
        return {}

    def delete_crawler(self, request: Request) -> Response:
        with self._state.transaction():
            self._ready(request["Name"])
            self._state.delete(CRAWLER, key(request["Name"]))
            set_tags(self._state, self._arn(request["Name"]), None)
        return {}

    def start_crawler(self, request: Request) -> Response:
        name = request["Name"]
        with self._state.transaction():
            document = self._ready(name)
            document["crawler"] |= {"State": "RUNNING", "CrawlElapsedTime": 0}
            self._state.put(CRAWLER, key(name), document)
        thread = threading.Thread(target=self._run, args=(name,), name=f"crawl-{name}", daemon=True)
        self._crawls[name] = thread
        thread.start()
        return {}

    def stop_crawler(self, request: Request) -> Response:
        """The crawl ends before its next target."""
        with self._state.transaction():
            document = self._existing(request["Name"])
            state = document["crawler"]["State"]
            if state == "READY":
                message = f"Crawler with name {request['Name']} isn't running"
                raise ServiceError("CrawlerNotRunningException", message)
            if state == "STOPPING":
                message = f"Crawler with name {request['Name']} is already stopping"
                raise ServiceError("CrawlerStoppingException", message)
            document["crawler"]["State"] = "STOPPING"
            self._state.put(CRAWLER, key(request["Name"]), document)
        return {}

    def get_crawler_metrics(self, request: Request) -> Response:
        names = request.get("CrawlerNameList")
        documents = [
            document for document in self._state.list(CRAWLER) if not names or document["crawler"]["Name"] in names
        ]
        chosen, more = page(documents, request, largest=1000)
        return {"CrawlerMetricsList": [_metrics(document) for document in chosen], **more}

    def _run(self, name: str) -> None:
        began = time.monotonic()
        crawl_id = str(uuid4())
        document = self._existing(name)
        stream = self._logs.open_stream(LOG_GROUP, name)

        def report(line: str) -> None:
            self._logs.put(stream, [(now(), f"[{crawl_id}] {line}")])

        started = datetime.now(UTC)
        report("BENCHMARK : Running Start Crawl for Crawler " + name)
        results = CrawlResults(self._state, self._tables, self._partitions, document["crawler"], report)
        status, message = "SUCCEEDED", None
        try:
            if not self._crawl_targets(document["crawler"], results, report):
                status = "CANCELLED"
        except (UnreadableFileError, ServiceError, ClientError, BotoCoreError) as error:
            status, message = "FAILED", str(error)
        except Exception as error:  # noqa: BLE001 (a defect here must show as a failed crawl, not as one without end)
            self._log.exception("crawler %s", name)
            status, message = "FAILED", f"local_aws failed: {type(error).__name__}: {error}"
        self._state.update(CRAWLER, key(name), _stopping)
        report(f"ERROR : {message}" if message else f"BENCHMARK : Crawler has finished running: {status}")
        last = {"StartTime": started, "MessagePrefix": crawl_id}
        self._finish(key(name), status, message, last, dict(results.changed), time.monotonic() - began)
        self._crawls.pop(name, None)

    def _crawl_targets(self, crawler: Response, results: CrawlResults, report: Any) -> bool:
        """False when the crawl was stopped in between."""
        targets = crawler["Targets"]
        for target in targets.get("S3Targets", []):
            if self._stopping(crawler["Name"]):
                return False
            results.write_target(target["Path"], crawl(self._s3, target["Path"], target.get("Exclusions", []), report))
        for target in targets.get("CatalogTargets", []):
            for name in target["Tables"]:
                if self._stopping(crawler["Name"]):
                    return False
                table = existing_table(self._state, target["DatabaseName"], name)
                kind = table.get("Parameters", {}).get("classification")
                results.write_table(table, crawl(self._s3, table["StorageDescriptor"]["Location"], (), report, kind))
        return True

    def _stopping(self, name: str) -> bool:
        return self._existing(name)["crawler"]["State"] == "STOPPING"

    def _finish(
        self,
        crawler_key: str,
        status: str,
        message: str | None,
        last: Document | None = None,
        changed: Document | None = None,
        seconds: float | None = None,
    ) -> None:
        def change(document: Document | None) -> Document | None:
            if document is None:
                return None
            ended = {"Status": status, "LogGroup": LOG_GROUP, "LogStream": document["crawler"]["Name"], **(last or {})}
            ended |= {"ErrorMessage": _description(message)} if message else {}
            document["crawler"] |= {"State": "READY", "LastCrawl": ended}
            document["changed"] = changed or {}
            if seconds is not None:
                document["seconds"] = [*document["seconds"][-99:], round(seconds, 3)]
            return document

        self._state.update(CRAWLER, crawler_key, change)
        self._log.info("crawler %s %s %s", crawler_key, status, message or "")

    def _existing(self, name: str) -> Document:
        document = self._state.get(CRAWLER, key(name))
        if document is None:
            raise not_found(f"Crawler with name {name} not found.")
        return document

    def _ready(self, name: str) -> Document:
        document = self._existing(name)
        if document["crawler"]["State"] != "READY":
            raise ServiceError("CrawlerRunningException", f"Crawler with name {name} has already started")
        return document

    def _arn(self, name: str) -> str:
        return arn(self._settings.partition, self._settings.region, self._settings.account_id, f"crawler/{name}")


def _stopping(document: Document | None) -> Document | None:
    if document is not None:
        document["crawler"]["State"] = "STOPPING"
    return document


def _metrics(document: Document) -> Response:
    seconds, changed = document["seconds"], document["changed"]
    return {
        "CrawlerName": document["crawler"]["Name"],
        "TimeLeftSeconds": 0.0,
        "StillEstimating": not seconds and document["crawler"]["State"] == "RUNNING",
        "LastRuntimeSeconds": seconds[-1] if seconds else 0.0,
        "MedianRuntimeSeconds": statistics.median(seconds) if seconds else 0.0,
        "TablesCreated": changed.get("created", 0),
        "TablesUpdated": changed.get("updated", 0),
        "TablesDeleted": changed.get("deleted", 0),
    }


def _description(text: str) -> str:
    """The text as the API's type DescriptionString allows it: no control characters but tab and line ends, no half pair
    of surrogates, 2,048 characters at most.
    """
    return "".join(sign if sign.isprintable() or sign in "\r\n\t" else "?" for sign in text)[:2048]
