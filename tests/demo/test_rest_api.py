"""What the demo prints of the REST API's answers."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from demo.rest_api import AnswerError, RestApi, consumption, error_readings, hours, judged_days


def test_rows_of_consumption_are_shown_with_their_number() -> None:
    rows = [["MAC000002", "20130101", 5.1], ["MAC000002", "20130102", 4.9], ["MAC000002", "20130103", 5.0]]

    assert consumption(rows[:1]) == '[["MAC000002", "20130101", 5.1]]   1 rows'
    assert consumption([*rows, rows[0]]).endswith("5.0], …]   4 rows")


def test_a_forecast_is_shown_in_the_order_of_time_with_its_interval() -> None:
    # 999 ms has more digits fewer than 1,380,585,600,000: the order is that of numbers, not of texts.
    answer = {
        "consumption": {"1380589200000": 0.5, "999000": 0.25},
        "p10": {"1380589200000": 0.1, "999000": 0.2},
        "p90": {"1380589200000": 0.9, "999000": 0.3},
    }

    shown = hours(answer)

    assert shown.startswith("0.250 (0.200–0.300), 0.500 (0.100–0.900)")
    assert shown.endswith("2 hours, 1970-01-01 00:16 to 2013-10-01 01:00 UTC")


def test_the_most_important_anomalies_are_shown_first() -> None:
    answer = {
        "ds": {"1": "2013-01-02", "2": "2013-01-03", "3": "2013-01-04"},
        "consumption": {"1": 5.0, "2": 9.0, "3": 0.0},
        "yhat_lower": {"1": 4.0, "2": 4.0, "3": 4.0},
        "yhat_upper": {"1": 6.0, "2": 6.0, "3": 6.0},
        "anomaly": {"1": 0, "2": 1, "3": -1},
        "importance": {"1": 0.0, "2": 0.5, "3": 1.0},
    }

    shown = judged_days(answer)

    assert shown == (
        "3 days judged, 2 anomalies: 2013-01-04 0.00 kWh outside 4.00–6.00, 2013-01-03 9.00 kWh outside 4.00–6.00"
    )


def test_error_readings_are_counted_by_meter_and_place() -> None:
    items = [{"meter_id": "A", "lat": 51.5}, {"meter_id": "A", "lat": 51.5}, {"meter_id": "B", "lat": None}]

    assert error_readings(items).startswith("3 error readings of 2 meters, 2 with a place")
    assert error_readings([]).endswith("none")


class _Refusing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404)
        self.end_headers()
        self.wfile.write(b"meter is not known")

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def refusing_api() -> Iterator[RestApi]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield RestApi(f"http://127.0.0.1:{server.server_port}", "key")
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_error_is_told_with_the_question_and_the_words_of_the_api(refusing_api: RestApi) -> None:
    with pytest.raises(AnswerError, match="GET /forecast/X\\?quantiles=p10 answered 404: meter is not known"):
        refusing_api.ask("/forecast/X", quantiles="p10")
