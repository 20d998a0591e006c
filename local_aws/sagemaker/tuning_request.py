"""What a tuning job's request may say, and the training jobs that it asks for."""

from __future__ import annotations

from collections.abc import Sequence

from local_aws.sagemaker.container import Container
from local_aws.sagemaker.names import invalid, refuse, unserved
from local_aws.sagemaker.search_space import Range, combinations, ranges
from local_aws.sagemaker.training_request import require_served as require_served_training
from local_aws.service import Request
from local_aws.state import Document

_OF_DEFINITION_ONLY = ("DefinitionName", "TuningObjective", "HyperParameterRanges", "StaticHyperParameters")


def require_served(request: Request, container: Container) -> None:
    """Raises ValidationException for what SageMaker refuses, and for what cannot be kept here."""
    refuse(request, "TrainingJobDefinitions", "WarmStartConfig", "Autotune")
    config, definition = request["HyperParameterTuningJobConfig"], request.get("TrainingJobDefinition")
    refuse(config, "TuningJobCompletionCriteria")
    if definition is None:
        raise unserved("a tuning job without TrainingJobDefinition")
    refuse(definition, "HyperParameterTuningResourceConfig", "HyperParameterRanges", "TuningObjective")
    if config.get("TrainingJobEarlyStoppingType", "Off") != "Off":
        raise unserved("TrainingJobEarlyStoppingType Auto: the objective is known at the end of a training only")
    objective = config.get("HyperParameterTuningJobObjective", {}).get("MetricName")
    if objective not in container.objectives:
        raise invalid(
            f"The objective metric for the hyperparameter tuning job, [{objective}], isn't valid for the"
            f" {container.repository} algorithm. Choose a valid objective metric: {', '.join(container.objectives)}."
        )
    space = ranges(config.get("ParameterRanges", {}))
    most_jobs(config, space)
    both = {entry.name for entry in space} & set(definition.get("StaticHyperParameters", {}))
    if both:
        raise invalid(f"Hyperparameters are both static and tuned: {', '.join(sorted(both))}")
    require_served_training(training_request(definition, request["HyperParameterTuningJobName"], {}))


def most_jobs(config: Document, space: Sequence[Range]) -> int:
    """How many training jobs there may be. Raises ValidationException."""
    given = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if config["Strategy"] != "Grid":
        if given is None:
            raise invalid(f"MaxNumberOfTrainingJobs is required for the strategy {config['Strategy']}")
        return given
    if not all(entry.values for entry in space):
        raise invalid("Grid search takes categorical ranges only")
    if given not in (None, combinations(space)):
        raise invalid(f"MaxNumberOfTrainingJobs must be left out or be {combinations(space)}, the size of the grid")
    return combinations(space)


def training_request(definition: Document, name: str, tuned: dict[str, str]) -> Request:
    """The CreateTrainingJob request of one try."""
    shared = {member: value for member, value in definition.items() if member not in _OF_DEFINITION_ONLY}
    hyperparameters = {**definition.get("StaticHyperParameters", {}), **tuned}
    return {**shared, "TrainingJobName": name, "HyperParameters": hyperparameters}
