from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from local_aws.sagemaker.deepar import channel
from local_aws.sagemaker.deepar.errors import ClientError
from local_aws.sagemaker.deepar.frequency import Frequency
from local_aws.sagemaker.deepar.series import Series

HOUR = Frequency.parse("1H")


def line(*target: float | None) -> str:
    return json.dumps({"start": "2026-01-01 00:00:00", "target": list(target)})


def read(folder: Path) -> list[Series]:
    return channel.read(folder, "train", HOUR)


def refusal(folder: Path) -> str:
    with pytest.raises(ClientError) as caught:
        read(folder)
    return str(caught.value)


def test_all_files_below_the_folder_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text(f"{line(4)}\n")
    (tmp_path / "a.json").write_text(f"{line(1)}\n\n  \n{line(2)}")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "part-0.json.gz").write_bytes(gzip.compress(f"{line(5)}\n{line(6)}\n".encode()))
    (tmp_path / "aa.jsonl.gz").write_bytes(gzip.compress(line(3).encode()))
    assert [series.target.tolist() for series in read(tmp_path)] == [[1], [2], [3], [4], [5], [6]]


def test_a_parquet_file_gives_a_series_a_row(tmp_path: Path) -> None:
    table = pyarrow.table(
        {
            "start": ["2026-01-01 00:00:00", "2026-02-01 07:00:00"],
            "target": [[1.5, None, 3.0], [4.0]],
            "cat": [[0], [1]],
            "dynamic_feat": [[[1.0, 2.0, 3.0]], [[4.0]]],
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "part-0.snappy.parquet")
    first, second = read(tmp_path)
    np.testing.assert_array_equal(first.target, [1.5, np.nan, 3])
    assert (str(second.start), second.target.tolist(), second.categories) == ("2026-02-01 07:00", [4], (1,))
    assert first.dynamic is not None
    assert first.dynamic.tolist() == [[1, 2, 3]]


def test_a_parquet_start_may_be_a_timestamp(tmp_path: Path) -> None:
    table = pyarrow.table({"start": [datetime(2026, 1, 1, 5)], "target": [[1, 2]]})  # noqa: DTZ001
    pyarrow.parquet.write_table(table, tmp_path / "part-0.parquet")
    [series] = read(tmp_path)
    assert (str(series.start), series.target.tolist()) == ("2026-01-01 05:00", [1, 2])


def test_what_spark_leaves_beside_its_output_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "part-0.json").write_text(line(1))
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / ".part-0.json.crc").write_bytes(b"crc")
    assert len(read(tmp_path)) == 1


def test_a_channel_that_was_not_given_is_missed_by_name(tmp_path: Path) -> None:
    message = refusal(tmp_path / "train")
    assert message == "ClientError: Unable to read data channel 'train'. The channel was not given"


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_channel_without_a_series_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "part-0.json").write_text(text)
    assert refusal(tmp_path).endswith("data channel 'train'. It holds no time series")


@pytest.mark.parametrize(
    "damaged",
    [
        '{"start": "2026-01-01 00:00:00", "target": [1, 2',
        "start,target",
        '{"start": "2026-01-01 00:00:00", "target": [1 2]}',
        "[" * 100_000,
        f'{{"start": "2026-01-01 00:00:00", "target": [{"9" * 5_000}]}}',
    ],
    ids=["cut", "csv", "comma missing", "too deep", "too many digits"],
)
def test_a_damaged_line_is_named_with_its_file_and_number(tmp_path: Path, damaged: str) -> None:
    (tmp_path / "part-0.json").write_text(line(1))
    (tmp_path / "part-1.json").write_text(f"{line(1)}\n\n{damaged}\n")
    assert "data channel 'train'. File part-1.json: line 3: Error when parsing json" in refusal(tmp_path)


def test_a_line_that_is_no_series_is_named_with_its_file_and_number(tmp_path: Path) -> None:
    (tmp_path / "part-0.json").write_text(f'{line(1)}\n\n{{"target": [1]}}\n')
    assert refusal(tmp_path).endswith("File part-0.json: line 3: the field 'start' is missing")


def test_a_file_cut_within_its_compression_is_named(tmp_path: Path) -> None:
    whole = gzip.compress("\n".join(line(number, number / 3) for number in range(100)).encode())
    (tmp_path / "part-0.json.gz").write_bytes(whole[: len(whole) // 2])
    assert "File part-0.json.gz: it is damaged" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("part-0.json.gz", b"no gzip at all", "it is damaged"),
        ("part-0.json", b'{"start": "\xff"}', "it is damaged"),
        ("part-0.parquet", b"no parquet at all", "it is no Parquet file"),
        ("part-0.csv", b"1,2", "its extension is none of .json, .jsonl, .json.gz, .jsonl.gz, .parquet"),
    ],
)
def test_a_file_of_another_format_is_named(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert f"File {name}: {problem}" in refusal(tmp_path)
