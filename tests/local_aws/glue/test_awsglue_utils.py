from __future__ import annotations

import pytest
from awsglue.job import Job
from awsglue.utils import GlueArgumentError, getResolvedOptions


def test_values_are_read_in_both_ways_of_writing_and_others_are_passed_over() -> None:
    given = ["script.py", "--unknown", "x", "--JOB_NAME", "raw_to_clean", "--batch=b1", "--TempDir", "s3://t/", "loose"]
    options = getResolvedOptions(given, ["JOB_NAME", "batch"])
    assert (options["JOB_NAME"], options["batch"], options["TempDir"]) == ("raw_to_clean", "b1", "s3://t/")
    assert "unknown" not in options


def test_a_missing_option_is_named() -> None:
    with pytest.raises(GlueArgumentError, match="--batch"):
        getResolvedOptions(["script.py", "--JOB_NAME", "x"], ["JOB_NAME", "batch"])


def test_an_empty_value_is_a_value() -> None:
    assert getResolvedOptions(["script.py", "--dates", ""], ["dates"])["dates"] == ""


def test_a_dash_in_a_name_becomes_an_underscore() -> None:
    assert getResolvedOptions(["script.py", "--meter-start", "1"], ["meter-start"])["meter_start"] == "1"


def test_glues_own_options_are_there_without_being_asked_for_and_may_not_be() -> None:
    options = getResolvedOptions(["script.py", "--JOB_RUN_ID", "jr_1"], [])
    assert (options["JOB_RUN_ID"], options["job_bookmark_option"]) == ("jr_1", "job-bookmark-disable")
    with pytest.raises(RuntimeError, match="reserved arguments JOB_RUN_ID"):
        getResolvedOptions(["script.py"], ["JOB_RUN_ID"])


def test_bookmarks_are_refused_rather_than_ignored() -> None:
    job = Job(object())
    with pytest.raises(NotImplementedError, match="bookmarks"):
        job.init("raw_to_clean", {"job_bookmark_option": "job-bookmark-enable"})
    assert not job.isInitialized()
    job.init("raw_to_clean", {"job_bookmark_option": "job-bookmark-disable"})
    job.commit()
    assert job.isInitialized()
