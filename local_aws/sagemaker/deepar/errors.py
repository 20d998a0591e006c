"""What ends a training or refuses a request, in SageMaker's words: a failure reason begins with whose fault it is."""

from __future__ import annotations


class DeepARError(Exception):
    """Ends a training: str() is the text of its failure."""

    kind = "AlgorithmError"

    def __str__(self) -> str:
        return f"{self.kind}: {super().__str__()}"


class ClientError(DeepARError):
    """Hyperparameters or data that the algorithm refuses; the message names what to change."""

    kind = "ClientError"


class AlgorithmError(DeepARError):
    """The training itself failed on data that it accepted."""


class BadRequestError(Exception):
    """A request to a served model that is not as documented; str() is the answer."""
