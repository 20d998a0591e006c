"""Files of suppliers become rows that the tables of the catalog find by place."""

from __future__ import annotations

import gzip

import pytest
from metering import reference_tables
from metering.reference_tables import ReferenceFileError

# As Dark Sky's export has them: camel case, a line break inside quotes, NULL, a comma inside quotes.
DARK_SKY = (
    b"visibility,windBearing,temperature,time,dewPoint,pressure,apparentTemperature,windSpeed,precipType,icon,humidity,"
    b"summary\n"
    b'4.88,99,9.76,"2011-11-11 01:00:00",8.83,NULL,8.24,2.95,rain,fog,0.94,"Breezy, ""dry""\r"\n'
    b'5.97,104,10.24,"2011-11-11 00:00:00",8.86,1016.76,10.24,2.77,rain,clear-night,0.91,"Clear"\n'
)
DARK_SKY_TABLE = (
    "2011-11-11 00:00:00\t10.24\t10.24\t0.91\t5.97\t104\t8.86\t1016.76\t2.77\train\tclear-night\tClear\n"
    "2011-11-11 01:00:00\t9.76\t8.24\t0.94\t4.88\t99\t8.83\t\t2.95\train\tfog\tBreezy, dry\n"
)


def weather(*lines: str, header: str = "time,temperature,apparentTemperature,humidity") -> str:
    content = "\n".join([header, *lines]).encode()
    return reference_tables.text_of(reference_tables.weather("w.csv", content))


def positions(text: str) -> str:
    return reference_tables.text_of(reference_tables.positions("g.csv", text.encode()))


def test_weather_comes_out_in_the_order_of_the_table_and_of_time() -> None:
    assert reference_tables.text_of(reference_tables.weather("w.csv", DARK_SKY)) == DARK_SKY_TABLE


def test_a_compressed_file_and_one_with_a_byte_order_mark_are_read_alike() -> None:
    for content in (gzip.compress(DARK_SKY), b"\xef\xbb\xbf" + DARK_SKY, DARK_SKY.replace(b"\n", b"\r\n")):
        assert reference_tables.text_of(reference_tables.weather("w.csv", content)) == DARK_SKY_TABLE


def test_weather_of_four_columns_is_enough() -> None:
    assert weather("2013-01-01 00:00:00,5,3.5,0.8") == "2013-01-01 00:00:00\t5\t3.5\t0.8" + 8 * "\t" + "\n"


@pytest.mark.parametrize(
    ("time", "hour"),
    [
        ("2013-07-01 12:00:00", "2013-07-01 12"),
        ("2013-07-01T12:00:00Z", "2013-07-01 12"),
        ("2013-07-01 12:00:00+01:00", "2013-07-01 11"),
        ("2013-07-01 12:00", "2013-07-01 12"),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(time: str, hour: str) -> None:
    assert weather(f"{time},1,1,1").startswith(f"{hour}:00:00\t1\t")


def test_a_row_off_the_hour_is_left_out_and_the_last_row_of_an_hour_counts() -> None:
    table = weather("2013-01-01 00:00:00,1,1,1", "2013-01-01 00:30:00,2,2,2", "2013-01-01 00:00:00,3,3,3")

    assert [line.split("\t")[:2] for line in table.splitlines()] == [["2013-01-01 00:00:00", "3"]]


def test_a_column_of_another_name_is_passed_over() -> None:
    header = "ozone,humidity,time,temperature,apparenttemperature"

    assert weather("300,0.8,2013-01-01 00:00:00,5,3", header=header).split("\t")[:4] == [
        "2013-01-01 00:00:00",
        "5",
        "3",
        "0.8",
    ]


def test_weather_without_a_needed_column_is_refused_by_name() -> None:
    with pytest.raises(ReferenceFileError, match=r"^w\.csv has no column apparenttemperature, humidity\."):
        weather("2013-01-01 00:00:00,5", header="time,temperature")
    with pytest.raises(ReferenceFileError, match=r"no column time"):
        reference_tables.weather("empty.csv", b"\n")


def test_bad_lines_are_told_by_their_number() -> None:
    with pytest.raises(ReferenceFileError) as error:
        weather("yesterday,5,3,0.8", "2013-01-01 01:00:00,5,3,0.8", "2013-01-01 02:00:00,warm,3,0.8", "2013,5")

    assert "3 lines" in str(error.value)
    assert "line 2: time is no yyyy-MM-dd HH:mm:ss" in str(error.value)
    assert "line 4: temperature is no number" in str(error.value)
    assert "line 5: 2 fields instead of 4" in str(error.value)


@pytest.mark.parametrize("value", ["nan", "inf", "1_0", "0x1", "1,0", "--1"])
def test_what_only_python_takes_for_a_number_is_none(value: str) -> None:
    with pytest.raises(ReferenceFileError, match="humidity is no number"):
        weather(f'2013-01-01 00:00:00,5,3,"{value}"')


def test_only_a_few_of_many_bad_lines_are_shown() -> None:
    with pytest.raises(ReferenceFileError, match=r"12 lines .*line 6: .* and 7 more\."):
        weather(*["never,1,1,1"] * 12)


@pytest.mark.parametrize(
    "text",
    [
        "MAC2,-51.5,-0.125\r\nMAC1,51.4,0\r\n",
        "meter_id,lat,long\nMAC2,-51.5,-0.125\nMAC1,51.4,0\n",
        "Lat,Long,Town,Meter_ID\n-51.5,-0.125,London,MAC2\n51.4,0,London,MAC1",
        "MAC2,1,1\n\n MAC1 ,51.4,0\nMAC2,-51.5,-0.125",
    ],
)
def test_positions_are_read_with_and_without_header_and_the_last_of_a_meter_counts(text: str) -> None:
    assert positions(text) == "MAC1\t51.4\t0\nMAC2\t-51.5\t-0.125\n"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("MAC1,90.5,0", "line 2: lat is no number from -90 to 90"),
        ("MAC1,0,-180.1", "line 2: long is no number from -180 to 180"),
        ("MAC1,,0", "line 2: lat is no number"),
        (",51.5,0", "line 2: meter_id is empty"),
        ("MAC1;51.5;0", "line 2: 1 fields instead of 3"),
    ],
)
def test_a_position_that_cannot_be_fails_its_file(line: str, reason: str) -> None:
    with pytest.raises(ReferenceFileError, match=reason):
        positions(f"MAC0,1,1\n{line}\n")


def test_a_message_does_not_say_where_a_meter_is() -> None:
    with pytest.raises(ReferenceFileError) as error:
        positions("MAC1,51.4711,0.1234.5\n")

    assert "51.4711" not in str(error.value)
    assert "MAC1" not in str(error.value)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00meter", b"\x1f\x8bno gzip", gzip.compress(b"MAC1,1,1", mtime=0)[:-4]]
)
def test_a_file_that_is_no_text_is_refused(content: bytes) -> None:
    with pytest.raises(ReferenceFileError, match=r"g\.csv is no text in UTF-8"):
        reference_tables.positions("g.csv", content)
