"""The gate: how many rejected rows are too many, and what the operator is told."""

from __future__ import annotations

from typing import Any

import pytest
from metering import rejects

BATCH = "20260102T090000-3fa2c1"


def summary(rows: int, rejected: int) -> dict[str, Any]:
    return {
        "batch": BATCH,
        "rows": rows,
        "good": rows - rejected,
        "rejected": rejected,
        "rejected_by_reason": {"bad time": 1, "no number": rejected - 1},
        "files": [
            {"uri": "s3://landing/readings/good.csv", "rows": rows // 2, "rejected": 0},
            {"uri": "s3://landing/readings/bad.csv", "rows": rows // 2, "rejected": rejected},
        ],
    }


def check(rows: int, rejected: int, max_share: float = 0.01) -> str:
    return rejects.check(summary(rows, rejected), max_share=max_share, clean_bucket="clean")


@pytest.mark.parametrize(("rows", "rejected", "max_share"), [(1000, 10, 0.01), (1000, 0, 0), (10, 10, 1), (0, 0, 0)])
def test_a_share_up_to_the_allowed_one_passes(rows: int, rejected: int, max_share: float) -> None:
    assert f"{rejected} of {rows:,} rows" in check(rows, rejected, max_share)


@pytest.mark.parametrize(("rows", "rejected", "max_share"), [(1000, 11, 0.01), (1000, 1, 0), (2, 2, 0.99)])
def test_a_larger_share_stops_the_batch(rows: int, rejected: int, max_share: float) -> None:
    with pytest.raises(rejects.RejectedShareError):
        check(rows, rejected, max_share)


def test_the_message_says_how_bad_why_where_and_what_to_do() -> None:
    with pytest.raises(rejects.RejectedShareError) as failure:
        check(10_000, 230)

    text = str(failure.value)
    assert f"230 of 10,000 rows of batch {BATCH} were rejected (2.30%, allowed: 1.00%)." in text
    assert "Worst reasons: no number (229), bad time (1)." in text
    assert "Worst files: s3://landing/readings/bad.csv (230 of 5,000)." in text
    assert f"s3://clean/quarantine/batch={BATCH}/" in text
    assert "max_rejected_share" in text


def test_a_name_of_several_lines_is_one_line_of_the_message() -> None:
    found = summary(100, 50)
    found["files"][1]["uri"] = "s3://landing/readings/bad\n.csv"
    with pytest.raises(
        rejects.RejectedShareError, match=r"Worst files: 's3://landing/readings/bad\\n\.csv' \(50 of 50\)\."
    ):
        rejects.check(found, max_share=0.01, clean_bucket="clean")


def test_rejected_rows_that_pass_are_pointed_at() -> None:
    assert check(1000, 2).endswith(f"s3://clean/quarantine/batch={BATCH}/")


def test_files_without_rows_are_named() -> None:
    names = [f"s3://landing/readings/{name}.csv" for name in "abcdefg"]
    files = [{"uri": name, "rows": int(name.endswith("g.csv")), "rejected": 0} for name in names]
    files.append({"uri": "unread.zip", "rows": 0, "rejected": 0, "set_aside": {"reason": "a ZIP archive"}})
    summary = {"batch": "b1", "rows": 1, "rejected": 0, "rejected_by_reason": {}, "files": files}

    said = rejects.check(summary, max_share=0.01, clean_bucket="clean")

    shown = ", ".join(names[:5])
    assert said == (
        f"0 of 1 rows of batch b1 were rejected (0.00%, allowed: 1.00%). These files hold no rows: {shown} and 1 more."
    )
