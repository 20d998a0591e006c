"""What the templates name is what the code is called: jobs and scripts, tables and columns, functions and folders."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import awsglue.utils
import pytest
from metering import reference_tables

from api_lambdas.authorize import handler as authorize
from api_lambdas.get_anomalies import handler as get_anomalies
from api_lambdas.get_consumption import handler as get_consumption
from api_lambdas.get_forecast import handler as get_forecast
from api_lambdas.get_outages import handler as get_outages
from tests.infra.conftest import Deployment

REPOSITORY = Path(__file__).resolve().parents[2]
LAMBDAS = REPOSITORY / "api_lambdas"
# Each job with the arguments that belong to a run; a DAG passes these, and these only.
JOBS = {
    "raw_to_clean": {"batch", "manifest", "transformer"},
    "clean_to_business": {"batch", "run", "grain"},
    "aggregate_consumption": {"run", "dates", "intervals_per_hour"},
    "prepare_training_set": {
        "run",
        "data_start",
        "data_end",
        "training_samples",
        "prediction_length",
        "context_length",
        "test_windows",
        "quantiles",
        "scale",
        "intervals_per_hour",
        "with_weather",
    },
    "prepare_forecast_batches": {
        "batch",
        "data_start",
        "data_end",
        "meter_start",
        "meter_end",
        "batch_size",
        "prediction_length",
        "context_length",
        "scale",
        "intervals_per_hour",
        "with_weather",
        "weather",
    },
    "store_forecasts": {"batch", "model_name", "scale", "quantiles", "prediction_length"},
    "detect_anomalies": {"run", "data_end", "days", "country", "intervals_per_hour", "with_weather", "level"},
}
TABLES = {
    "readings_clean": (
        "meter_id string, reading_value double, reading_type string, reading_date_time timestamp, date_str string, "
        "obis_code string, error_code string, iso_year int, week_of_year int, day_of_month int, month int, year int, "
        "hour int, minute int, source_file string, delivered_at timestamp, source_row bigint, "
        "source_batch string | batch string"
    ),
    "daily": (
        "meter_id string, reading_value double, reading_date_time timestamp, date_str string, obis_code string, "
        "error_code string, iso_year int, week_of_year int, day_of_month int, year int, hour int, minute int, "
        "delivered_at timestamp | reading_type string, month string"
    ),
    "aggregated_daily": ("meter_id string, date_str string, consumption double, interval_count int | month string"),
    "aggregated_weekly": (
        "meter_id string, week_start string, week_of_year int, consumption double, interval_count int | iso_year int"
    ),
    "aggregated_monthly": (
        "meter_id string, month_start string, month int, consumption double, interval_count int | year int"
    ),
    "completeness": (
        "meter_id string, date_str string, expected int, received int, estimated int, rejected int, duplicates int, "
        "first_reading timestamp, last_reading timestamp | month string"
    ),
    "anomaly": (
        "meter_id string, ds date, consumption double, yhat_lower double, yhat_upper double, anomaly int, "
        "importance double, temperature double, apparenttemperature double | month string"
    ),
    "forecast": (
        "meter_id string, datetime timestamp, p10 double, p50 double, p90 double, model_name string | run string"
    ),
}
CUSTOMER_COLUMNS = ("customer_id", "name", "zip", "city", "state", "street", "phone", "meter_id")
CRAWLERS = {
    "crawl_landing": "readings_raw",
    "crawl_clean": "readings_clean",
    "crawl_forecast": "forecast",
    "crawl_weather": "weather",
    "crawl_geodata": "geodata",
    "crawl_cisdata": "cisdata",
}
LAZY_SIMPLE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"


def table_named(deployment: Deployment, name: str) -> dict[str, Any]:
    (table,) = [
        made.properties["TableInput"]
        for made in deployment.of("AWS::Glue::Table")
        if made.properties["TableInput"]["Name"] == name
    ]
    return table


def test_every_job_is_called_like_its_script(deployment: Deployment) -> None:
    jobs = {made.properties["Name"]: made.properties["Command"] for made in deployment.of("AWS::Glue::Job")}

    assert jobs.keys() == JOBS.keys()
    for name, command in jobs.items():
        assert command["ScriptLocation"] == f"s3://metering-scripts-123456789012-{deployment.region}/glue/{name}.py"
        assert (REPOSITORY / "include" / "glue" / f"{name}.py").is_file()


def test_every_job_runs_on_glue_5_once_at_a_time_within_limits(deployment: Deployment) -> None:
    for made in deployment.of("AWS::Glue::Job"):
        job = made.properties
        assert (job["GlueVersion"], job["Command"]["Name"], job["WorkerType"]) == ("5.0", "glueetl", "G.1X")
        assert (job["MaxRetries"], job["ExecutionProperty"]) == (0, {"MaxConcurrentRuns": 1})
        assert 0 < job["Timeout"] <= 480


@pytest.mark.parametrize(("meters", "workers"), [("1-50000", 2), ("50001-and-more", 40)])
def test_the_size_of_the_fleet_sizes_the_jobs(deploy: type[Deployment], meters: str, workers: int) -> None:
    made = deploy("eu-west-1", NoOfMeters=meters)

    assert {job.properties["NumberOfWorkers"] for job in made.of("AWS::Glue::Job")} == {workers}


def test_every_job_is_given_what_the_deployment_knows(deployment: Deployment) -> None:
    suffix = f"123456789012-{deployment.region}"
    for made in deployment.of("AWS::Glue::Job"):
        arguments = made.properties["DefaultArguments"]
        assert {name: arguments[name] for name in arguments if "_" in name or name == "--database"} == {
            "--landing_bucket": f"metering-landing-{suffix}",
            "--clean_bucket": f"metering-clean-{suffix}",
            "--business_bucket": f"metering-business-{suffix}",
            "--working_bucket": f"metering-working-{suffix}",
            "--database": "metering",
            "--spread_above_rows": "100000000",
        }
        assert arguments["--extra-py-files"] == f"s3://metering-scripts-{suffix}/glue/meter_data.zip"
        assert all(isinstance(value, str) for value in arguments.values())


def test_raw_to_clean_brings_the_module_that_glue_lacks_along_and_asks_no_index(deployment: Deployment) -> None:
    pins = (REPOSITORY / "environments" / "glue.txt").read_text(encoding="utf-8").splitlines()
    by_job = {made.properties["Name"]: made.properties["DefaultArguments"] for made in deployment.of("AWS::Glue::Job")}

    (job,) = (name for name, arguments in by_job.items() if "--additional-python-modules" in arguments)
    uri = by_job[job]["--additional-python-modules"]
    name, version, python, _, platform = uri.rpartition("/")[2].removesuffix(".whl").split("-")
    assert job == "raw_to_clean"
    assert uri.startswith(by_job[job]["--extra-py-files"].partition("meter_data.zip")[0] + "wheels/")
    assert f"{name}=={version}" in pins, "the tests and the stand-in use another version: make lock"
    # What Glue 5.0 runs on: Python 3.11 and a C library of version 2.34.
    assert (python, "manylinux_2_28_x86_64" in platform.split(".")) == ("cp311", True)
    assert "--no-index" in by_job[job]["--python-modules-installer-option"].split()


@pytest.mark.parametrize("name", JOBS)
def test_every_argument_of_a_script_comes_from_its_job_or_its_run(
    deployment: Deployment, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class AskedError(Exception):
        """Carries the names that the script asks for; nothing after that is run."""

    def asked(_: list[str], names: list[str]) -> None:
        raise AskedError(names)

    (job,) = [made.properties for made in deployment.of("AWS::Glue::Job") if made.properties["Name"] == name]
    defaults = {argument.removeprefix("--") for argument in job["DefaultArguments"]}
    monkeypatch.setattr(awsglue.utils, "getResolvedOptions", asked)
    with pytest.raises(AskedError) as error:
        importlib.import_module(name).main()
    (names,) = error.value.args

    assert set(names) - defaults == JOBS[name]


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_have_the_columns_of_the_zones(deployment: Deployment, name: str) -> None:
    table = table_named(deployment, name)

    def listed(columns: list[dict[str, str]]) -> str:
        return ", ".join(f"{column['Name']} {column['Type']}" for column in columns)

    assert f"{listed(table['StorageDescriptor']['Columns'])} | {listed(table['PartitionKeys'])}" == TABLES[name]
    assert table["Parameters"]["classification"] == "parquet"
    zone = "clean/clean" if name == "readings_clean" else f"business/{name}"
    bucket, _, folder = zone.partition("/")
    location = table["StorageDescriptor"]["Location"]
    assert location == f"s3://metering-{bucket}-123456789012-{deployment.region}/{folder}/"


@pytest.mark.parametrize(
    ("name", "columns", "delimiter", "place"),
    [
        ("weather", reference_tables.WEATHER_COLUMNS, "\t", "business/weather"),
        ("geodata", reference_tables.POSITION_COLUMNS, "\t", "business/geodata"),
        ("cisdata", CUSTOMER_COLUMNS, ";", "landing/reference/cisdata"),
    ],
)
def test_reference_data_is_found_by_place_as_it_is_written(
    deployment: Deployment, name: str, columns: tuple[str, ...], delimiter: str, place: str
) -> None:
    table = table_named(deployment, name)
    storage = table["StorageDescriptor"]
    bucket, _, folder = place.partition("/")

    assert tuple(column["Name"] for column in storage["Columns"]) == columns
    assert storage["SerdeInfo"] == {"SerializationLibrary": LAZY_SIMPLE, "Parameters": {"field.delim": delimiter}}
    assert storage["Location"] == f"s3://metering-{bucket}-123456789012-{deployment.region}/{folder}/"
    assert "skip.header.line.count" not in table["Parameters"]
    numbers = set(columns) - {"time", "meter_id", *reference_tables.WEATHER_TEXTS, *CUSTOMER_COLUMNS}
    assert {column["Name"] for column in storage["Columns"] if column["Type"] == "double"} == numbers
    assert {column["Type"] for column in storage["Columns"]} <= {"double", "string"}


def test_the_crawlers_look_where_there_is_something_to_discover(deployment: Deployment) -> None:
    tables = {made.properties["TableInput"]["Name"] for made in deployment.of("AWS::Glue::Table")}
    crawled = {}
    for made in deployment.of("AWS::Glue::Crawler"):
        (target,) = made.properties["Targets"]["CatalogTargets"]
        (crawled[made.properties["Name"]],) = target["Tables"]
        assert target["DatabaseName"] == "metering"
        # Columns stay as they are declared: headers of suppliers would name them otherwise.
        assert made.properties["SchemaChangePolicy"] == {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}

    assert crawled == CRAWLERS
    assert set(crawled.values()) <= tables


def test_the_workgroup_keeps_its_results_in_the_bucket_made_for_them(deployment: Deployment) -> None:
    workgroup = deployment.named("WorkGroup")

    assert workgroup["Name"] == "metering"
    configuration = workgroup["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    results = configuration["ResultConfiguration"]
    assert results["OutputLocation"] == f"s3://metering-athena-123456789012-{deployment.region}/results/"
    assert results["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}


def test_every_function_is_a_folder_with_a_handler(deployment: Deployment) -> None:
    functions = {made.properties["FunctionName"]: made.properties for made in deployment.of("AWS::Lambda::Function")}

    assert functions.keys() == {f"metering-{folder.parent.name}" for folder in LAMBDAS.glob("*/handler.py")}
    for name, function in functions.items():
        folder = name.removeprefix("metering-")
        assert function["Runtime"] == "python3.12"
        assert function["Handler"] == "handler.handler"
        assert function["Code"] == {"S3Bucket": "artefacts", "S3Key": f"metering/api_lambdas/{folder}.zip"}
        assert function["LoggingConfig"]["LogGroup"] == f"/aws/lambda/{name}"
        for file in ("handler.py", "requirements.txt", "event.json"):
            assert (LAMBDAS / folder / file).is_file()


def settings_of(deployment: Deployment, logical_id: str, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the function reads from the environment that the template gives it."""
    for name, value in deployment.named(logical_id)["Environment"]["Variables"].items():
        monkeypatch.setenv(name, value)
    module.Settings.from_environment.cache_clear()
    try:
        return module.Settings.from_environment()
    finally:
        module.Settings.from_environment.cache_clear()


def test_the_functions_find_their_settings(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = f"arn:{deployment.partition}:secretsmanager:{deployment.region}:123456789012:metering"
    athena = get_forecast.Athena("metering", "metering")
    expected = {
        "Authorize": (authorize, (f"{secrets}/api-key",)),
        "GetConsumption": (get_consumption, ("redshift-cluster-1", "meter-data", f"{secrets}/redshift", 20.0)),
        "GetForecast": (get_forecast, (athena, 16.0, "/metering")),
        "GetAnomalies": (get_anomalies, (athena, 20.0, False)),
        "GetOutages": (get_outages, (athena, 20.0)),
    }
    for logical_id, (module, values) in expected.items():
        assert settings_of(deployment, logical_id, module, monkeypatch) == module.Settings(*values), logical_id


def test_anomalies_are_told_with_the_weather_where_the_deployment_has_it(
    deploy: type[Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = deploy("eu-west-1", WithWeather="1")

    assert settings_of(made, "GetAnomalies", get_anomalies, monkeypatch).with_weather is True


def test_forecasts_are_asked_of_the_models_that_the_dags_record(deployment: Deployment) -> None:
    variable = json.loads(deployment.named("DeploymentVariable")["Value"])

    assert (
        deployment.named("GetForecast")["Environment"]["Variables"]["MODEL_PARAMETERS"]
        == (variable["model_parameters"])
    )


def test_the_routes_of_the_guide_are_answered_behind_the_api_key(deployment: Deployment) -> None:
    functions = {}
    for made in deployment.of("AWS::ApiGatewayV2::Route"):
        route = made.properties
        integration = deployment.named(route["Target"].removeprefix("integrations/"))
        functions[route["RouteKey"]] = integration["IntegrationUri"].rpartition(":")[2]
        assert route["AuthorizationType"] == "CUSTOM"
        assert route["AuthorizerId"] == "api-key"
        assert integration["PayloadFormatVersion"] == "2.0"

    assert functions == {
        "GET /consumption/{aggregation}/{year}/{meter_id}": "metering-get_consumption",
        "GET /forecast/{meter_id}": "metering-get_forecast",
        "GET /anomaly/{meter_id}": "metering-get_anomalies",
        "GET /outage": "metering-get_outages",
    }
    assert deployment.named("ApiKeyAuthorizer")["IdentitySource"] == ["$request.header.x-api-key"]


def test_the_sample_events_are_of_the_routes(deployment: Deployment) -> None:
    routes = {made.properties["RouteKey"] for made in deployment.of("AWS::ApiGatewayV2::Route")}
    events = [json.loads(path.read_text()) for path in LAMBDAS.glob("*/event.json")]

    assert {event["routeKey"] for event in events} == routes


def test_iam_is_the_other_choice_of_authentication(deploy: type[Deployment]) -> None:
    routes = [made.properties for made in deploy("cn-north-1", ApiAuthentication="IAM").of("AWS::ApiGatewayV2::Route")]

    assert len(routes) == 4
    for route in routes:
        assert (route["AuthorizationType"], "AuthorizerId" in route) == ("AWS_IAM", False)
