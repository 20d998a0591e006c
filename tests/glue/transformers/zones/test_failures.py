"""The last words of a job that fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers.zones import failures
from transformers.zones.failures import JobFailedError

SCRIPTS = sorted((Path(__file__).resolve().parents[4] / "include" / "glue").glob("*.py"))


class UnknownHeaderError(ValueError):
    """An error of a job."""


def failing(text: str) -> None:
    def main() -> None:
        raise UnknownHeaderError(text)

    failures.run(main)


def test_a_readable_error_goes_on_as_it_is() -> None:
    with pytest.raises(UnknownHeaderError) as failure:
        failing("März 2024.csv has the columns\n\tLCLid, tstp")

    assert str(failure.value) == "März 2024.csv has the columns\n\tLCLid, tstp"


def test_what_a_file_holds_is_shown_by_its_escapes_and_the_kind_of_error_stays() -> None:
    with pytest.raises(JobFailedError) as failure:
        failing("usage.csv has the columns\n  PK\x03\x04\x00\ud800")

    assert str(failure.value) == "UnknownHeaderError: usage.csv has the columns\n  PK\\x03\\x04\\x00\\ud800"
    assert failure.value.__suppress_context__, "a trace would repeat what cannot be printed"


def test_a_header_of_a_million_columns_makes_a_short_message() -> None:
    with pytest.raises(JobFailedError) as failure:
        failing("wide.csv has the columns\n  " + "kwh, " * 1_000_000 + "\nChoose another transformer.")

    text = str(failure.value)
    assert text.startswith("UnknownHeaderError: wide.csv has the columns\n  kwh, kwh")
    assert text.endswith("kwh, \nChoose another transformer.")
    assert len(text) < 4_200


def test_an_error_of_spark_keeps_its_causes_without_the_stacks_of_java(capsys: pytest.CaptureFixture[str]) -> None:
    stack = "".join(f"\tat org.apache.spark.rdd.RDD.compute{line}(RDD.scala:{line})\n" for line in range(100))
    cause = f"Caused by: java.io.IOException: a damaged page\n  at offset 4\n{stack}\t... 24 more\n"
    causes = f"{cause}\nDriver stacktrace:\n{stack}"

    with pytest.raises(JobFailedError) as failure:
        failing(f"Job aborted: task 1 failed 4 times\n{stack}{causes}")

    assert str(failure.value) == (
        "UnknownHeaderError: Job aborted: task 1 failed 4 times\n"
        "Caused by: java.io.IOException: a damaged page\n  at offset 4\n\nDriver stacktrace:\n"
    )
    assert "compute99" in capsys.readouterr().err, "the log holds the stacks"


def test_the_log_tells_in_which_line_of_the_job_an_unprintable_error_arose(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(JobFailedError):
        failing("usage.csv has the columns PK\x03\x00")

    log = capsys.readouterr().err
    assert "raise UnknownHeaderError(text)" in log
    assert "PK\\x03\\x00" in log


def test_a_job_that_succeeds_says_nothing() -> None:
    done: list[int] = []

    failures.run(lambda: done.append(1))

    assert done == [1]


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.name for script in SCRIPTS])
def test_every_job_ends_by_it(script: Path) -> None:
    assert script.read_text(encoding="utf-8").endswith('if __name__ == "__main__":\n    failures.run(main)\n'), (
        f"End {script.name} with failures.run(main): its message may quote a file."
    )
