from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.environment import shared_data
from local_aws.settings import REPOSITORY, Settings, SettingsError


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody who runs the tests has set is left out."""
    for name in list(os.environ):
        if name.startswith(("LOCAL_AWS_", "METERING_", "SHARED_DATA")):
            monkeypatch.delenv(name)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    """A file `.env` that does not exist yet."""
    return tmp_path / ".env"


def problems(env_file: Path) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment(env_file)
    return str(raised.value).splitlines()


def test_the_defaults_are_those_of_an_empty_environment(env_file: Path) -> None:
    settings = Settings.from_environment(env_file)
    assert (settings.control_port, settings.s3_port, settings.postgres_port) == (4566, 8333, 5433)
    assert (settings.api_port, settings.airflow_port) == (8088, 8080)
    assert settings.region == "eu-west-1"
    assert settings.home == settings.repository / ".local"
    assert settings == Settings()


def test_every_setting_can_be_set_by_a_variable(
    env_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_AWS_HOME", str(tmp_path))
    monkeypatch.setenv("LOCAL_AWS_S3_PORT", "9000")
    monkeypatch.setenv("LOCAL_AWS_REGION", "cn-north-1")
    monkeypatch.setenv("METERING_JOB_RETRIES", "3")
    settings = Settings.from_environment(env_file)
    assert (settings.home, settings.s3_port, settings.region) == (tmp_path, 9000, "cn-north-1")
    assert settings.job_retries == 3


def test_what_env_says_holds_and_the_environment_wins_over_it(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text("# mine\nLOCAL_AWS_S3_PORT=9000\nexport LOCAL_AWS_API_PORT='9001' # theirs\nOTHER_TOOL=1\n")
    monkeypatch.setenv("LOCAL_AWS_API_PORT", "9002")
    settings = Settings.from_environment(env_file)
    assert (settings.s3_port, settings.api_port) == (9000, 9002)


def test_an_empty_variable_of_the_environment_leaves_what_env_says(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text("LOCAL_AWS_S3_PORT=9000\nLOCAL_AWS_API_PORT=\n")
    monkeypatch.setenv("LOCAL_AWS_S3_PORT", "")
    settings = Settings.from_environment(env_file)
    assert (settings.s3_port, settings.api_port) == (9000, 8088)


def test_a_relative_folder_begins_at_the_file_that_names_it(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text("LOCAL_AWS_HOME=data/here\nSHARED_DATA=../elsewhere\n")
    assert Settings.from_environment(env_file).home == env_file.parent / "data" / "here"
    assert shared_data(env_file) == env_file.parent.parent / "elsewhere"
    monkeypatch.setenv("LOCAL_AWS_HOME", "there")
    monkeypatch.chdir("/tmp")
    assert Settings.from_environment(env_file).home == Path("/tmp/there").resolve()


def test_the_london_files_are_beside_the_repository_unless_somebody_says_otherwise(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shared_data(env_file) == (REPOSITORY.parent / "shared" / "data").resolve()
    monkeypatch.setenv("SHARED_DATA", "/data")
    assert shared_data(env_file) == Path("/data")


def test_settings_made_by_hand_read_neither_env_nor_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_AWS_S3_PORT", "9000")
    assert Settings().s3_port == 8333


def test_another_file_can_take_the_place_of_env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.write_text("LOCAL_AWS_S3_PORT=9000\nSHARED_DATA=/data\n")
    monkeypatch.setenv("LOCAL_AWS_ENV_FILE", str(other))
    assert Settings.from_environment().s3_port == 9000
    assert shared_data() == Path("/data")


def test_a_wrong_value_is_named_with_its_variable_and_its_place(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text("\n\nLOCAL_AWS_S3_PORT=eight\nMETERING_RETRIES=-1\n")
    monkeypatch.setenv("LOCAL_AWS_API_PORT", "65536")
    assert sorted(problems(env_file)) == [
        "LOCAL_AWS_API_PORT must be a port between 1 and 65535, not '65536' (environment)",
        "LOCAL_AWS_S3_PORT must be a port between 1 and 65535, not 'eight' (.env, line 3)",
        "METERING_RETRIES must be a whole number, 0 or more, not '-1' (.env, line 4)",
    ]


@pytest.mark.parametrize("port", ["0", "65536", "-1", "8080.5"])
def test_a_port_outside_the_range_is_refused(port: str, env_file: Path) -> None:
    env_file.write_text(f"LOCAL_AWS_API_PORT={port}\n")
    with pytest.raises(SettingsError, match="LOCAL_AWS_API_PORT must be a port"):
        Settings.from_environment(env_file)


def test_variables_of_aws_may_stand_in_env(env_file: Path) -> None:
    names = ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ACCOUNT_ID"]
    env_file.write_text("".join(f"{name}=x\n" for name in names))
    assert Settings.from_environment(env_file) == Settings()


def test_a_setting_in_small_letters_is_told(env_file: Path) -> None:
    env_file.write_text("local_aws_s3_port=9000\n")
    assert problems(env_file) == ["local_aws_s3_port is not a setting (.env, line 1). Did you mean LOCAL_AWS_S3_PORT?"]


def test_a_setting_of_the_dags_that_has_another_name_here_is_told(env_file: Path) -> None:
    env_file.write_text("METERING_POLL_SECONDS=10\n")
    assert problems(env_file) == [
        "METERING_POLL_SECONDS is not a setting (.env, line 1). Did you mean LOCAL_AWS_POLL_SECONDS?"
    ]


def test_a_file_that_is_not_utf_8_is_told(env_file: Path) -> None:
    env_file.write_bytes("# für S3\nLOCAL_AWS_S3_PORT=9000\n".encode("cp1252"))
    assert problems(env_file) == [f"{env_file} is not UTF-8. Save it as UTF-8"]


def test_a_misspelt_variable_is_told_with_the_nearest_setting(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text("LOCAL_AWS_S3_PROT=9000\nSHARD_DATA=/data\nHTTP_PROXY=http://proxy\n")
    monkeypatch.setenv("LOCAL_AWS_COLOUR_OF_THE_SKY", "blue")
    monkeypatch.setenv("SHARED_DATAS", "of another program")
    assert sorted(problems(env_file)) == [
        "LOCAL_AWS_COLOUR_OF_THE_SKY is not a setting (environment). .env.example lists all settings.",
        "LOCAL_AWS_S3_PROT is not a setting (.env, line 1). Did you mean LOCAL_AWS_S3_PORT?",
        "SHARD_DATA is not a setting (.env, line 2). Did you mean SHARED_DATA?",
    ]


def test_two_settings_with_one_port_are_told(env_file: Path) -> None:
    env_file.write_text("LOCAL_AWS_S3_PORT=8088\n")
    assert problems(env_file) == [
        "LOCAL_AWS_API_PORT and LOCAL_AWS_S3_PORT are the same port, 8088: "
        "give each one of its own in .env or in the environment"
    ]


def test_a_line_of_env_that_sets_nothing_is_told(env_file: Path) -> None:
    env_file.write_text("LOCAL_AWS_S3_PORT=9000\n\nLOCAL_AWS_API_PORT\nLOCAL_AWS_REGION='eu\n")
    assert problems(env_file) == [
        ".env, line 3 sets no variable. Write NAME=value, or # before a remark",
        ".env, line 4 sets no variable. Write NAME=value, or # before a remark",
    ]


def test_the_names_and_defaults_are_readable_before_anything_is_installed() -> None:
    """`-S` leaves out what is installed, `-I` what the environment adds."""
    code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); import local_aws.settings, local_aws.ports"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


def test_the_china_regions_are_in_their_own_partition() -> None:
    assert Settings(region="cn-northwest-1").partition == "aws-cn"
    assert Settings(region="eu-west-1").partition == "aws"


def test_bucket_names_hold_zone_account_and_region() -> None:
    assert Settings().bucket("clean") == "metering-clean-123456789012-eu-west-1"


def test_settings_pass_through_the_environment_of_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, api_port=1234, spark_driver_memory="2g", retries=1)
    for name, text in settings.environment().items():
        monkeypatch.setenv(name, text)
    assert Settings.from_environment() == settings


def test_another_process_with_the_same_settings_reads_no_env_of_its_own() -> None:
    assert Settings().environment()["LOCAL_AWS_ENV_FILE"] == "/dev/null"


def test_clients_are_led_to_this_stack_and_away_from_the_users_own_configuration() -> None:
    variables = Settings(control_port=1, s3_port=2).aws_environment()
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert variables["AWS_ENDPOINT_URL_S3"] == "http://127.0.0.1:2"
    assert variables["AWS_CONFIG_FILE"] == variables["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
