from __future__ import annotations

from pathlib import Path

import pytest

from local_aws.settings import Settings, SettingsError


def test_the_defaults_are_those_of_an_empty_environment() -> None:
    settings = Settings.from_environment({})
    assert (settings.control_port, settings.s3_port, settings.postgres_port) == (4566, 8333, 5433)
    assert (settings.api_port, settings.airflow_port) == (8088, 8080)
    assert settings.region == "eu-west-1"
    assert settings.home == settings.repository / ".local"


def test_every_setting_can_be_set_by_a_variable(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {"LOCAL_AWS_HOME": str(tmp_path), "LOCAL_AWS_S3_PORT": "9000", "LOCAL_AWS_REGION": "cn-north-1", "OTHER": "x"}
    )
    assert (settings.home, settings.s3_port, settings.region) == (tmp_path, 9000, "cn-north-1")


def test_an_empty_variable_leaves_the_default() -> None:
    assert Settings.from_environment({"LOCAL_AWS_S3_PORT": ""}).s3_port == 8333


def test_a_port_that_is_no_number_is_refused_by_the_variables_name() -> None:
    with pytest.raises(SettingsError, match="LOCAL_AWS_S3_PORT must be a whole number, not 'eight'"):
        Settings.from_environment({"LOCAL_AWS_S3_PORT": "eight"})


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_a_port_outside_the_range_is_refused(port: str) -> None:
    with pytest.raises(SettingsError, match="LOCAL_AWS_API_PORT must be a port"):
        Settings.from_environment({"LOCAL_AWS_API_PORT": port})


def test_the_china_regions_are_in_their_own_partition() -> None:
    assert Settings(region="cn-northwest-1").partition == "aws-cn"
    assert Settings(region="eu-west-1").partition == "aws"


def test_bucket_names_hold_zone_account_and_region() -> None:
    assert Settings().bucket("clean") == "metering-clean-123456789012-eu-west-1"


def test_settings_pass_through_the_environment_of_another_process(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, api_port=1234, spark_driver_memory="2g")
    assert Settings.from_environment(settings.environment()) == settings


def test_clients_are_led_to_this_stack_and_away_from_the_users_own_configuration() -> None:
    variables = Settings(control_port=1, s3_port=2).aws_environment()
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert variables["AWS_ENDPOINT_URL_S3"] == "http://127.0.0.1:2"
    assert variables["AWS_CONFIG_FILE"] == variables["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
