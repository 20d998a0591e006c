"""A plan of a training and the record of a model, as the tasks of a run hand them on."""

from __future__ import annotations

from typing import Any

from tests.dags.task_run import BATCH

IMAGE = "390948362332.dkr.ecr.cn-north-1.amazonaws.com.cn/forecasting-deepar:1"
MODEL = f"consumption-{BATCH}-1"

HYPERPARAMETERS = {
    "time_freq": "1H",
    "prediction_length": "168",
    "context_length": "168",
    "epochs": "400",
    "early_stopping_patience": "40",
    "mini_batch_size": "48",
    "learning_rate": "0.0005",
    "likelihood": "negative-binomial",
    "num_cells": "40",
    "num_layers": "2",
    "dropout_rate": "0.1",
    "embedding_dimension": "10",
    "cardinality": "auto",
    "num_dynamic_feat": "auto",
    "num_eval_samples": "100",
    "test_quantiles": "[0.1, 0.5, 0.9]",
}

PLAN: dict[str, Any] = {
    "image": IMAGE,
    "endpoint_name": "metering-forecast",
    "model_name": "consumption",
    "data_start": "auto",
    "data_end": "auto",
    "training_samples": 50,
    "test_windows": 3,
    "prediction_length": 168,
    "context_length": 168,
    "likelihood": "negative-binomial",
    "unit": "Wh",
    "scale": 0.001,
    "test_quantiles": [0.1, 0.5, 0.9],
    "intervals_per_hour": 2,
    "with_weather": False,
    "hyperparameters": HYPERPARAMETERS,
    "training_instance_type": "ml.c5.2xlarge",
    "endpoint_instance_type": "ml.m5.xlarge",
    "endpoint_instance_count": 1,
    "min_improvement": 0,
    "skill_tolerance": 0.05,
    "force": False,
    "tune": False,
    "tuning_jobs": 10,
    "parallel_tuning_jobs": 2,
}

RECORD: dict[str, Any] = {
    "endpoint_name": "metering-forecast",
    "endpoint_config_name": MODEL,
    "model_name": MODEL,
    "training_job_name": MODEL,
    "image": IMAGE,
    "unit": "Wh",
    "scale": 0.001,
    "time_freq": "1H",
    "context_length": 168,
    "prediction_length": 168,
    "quantiles": [0.1, 0.5, 0.9],
    "likelihood": "negative-binomial",
    "intervals_per_hour": 2,
    "weather": None,
    "trained_at": "2026-01-02T09:30:00+00:00",
    "data_start": "2013-06-01",
    "data_end": "2014-01-01",
    "metrics": {"test:mean_wQuantileLoss": 0.3, "test:RMSE": 250.0},
    "baseline": {"seasonal_naive": 0.5, "climatology": 0.4},
    "superseded": [],
}

WEATHER = {"features": [{"name": "temperature", "mean": 9.5, "std": 6.1}]}
BATCHES = [
    {"number": 1, "uri": f"s3://the-working/forecast/{BATCH}/batches/0001.jsonl", "meters": 25},
    {"number": 2, "uri": f"s3://the-working/forecast/{BATCH}/batches/0002.jsonl", "meters": 24},
]

# What tasks hand on, by task id.
XCOMS: dict[str, Any] = {
    "choose_dates": ["20130101-20130131"],
    "plan_training": PLAN,
    "describe_tuning_job": {"HyperParameterTuningJobName": f"tune-{BATCH}"},
    "describe_training_job": {"TrainingJobName": f"consumption-{BATCH}"},
    "train_model": {"Training": {"TrainingJobName": MODEL}},
    "choose_model": RECORD,
    "list_batches": BATCHES,
}
