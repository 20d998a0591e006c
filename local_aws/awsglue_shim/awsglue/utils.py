"""Arguments of a job, as Glue's own `awsglue.utils` reads them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

# Names that Glue sets by itself; a script may not ask for them.
RESERVED = ("job_bookmark_option", "job-bookmark-option", "job_bookmark_from", "job-bookmark-from", "job_bookmark_to")
_IDENTITY = ("JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION")
_DIRECTORIES = ("TempDir", "RedshiftTempDir")


class GlueArgumentError(Exception):
    """A required argument is missing or an argument cannot be read."""


class _GlueArgumentParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise GlueArgumentError(message)


def getResolvedOptions(args: Sequence[str], options: Sequence[str]) -> dict[str, Any]:  # noqa: N802 (Glue's name)
    """The values of the named options, all required, from `--name value` or `--name=value` after args[0].

    Other arguments are passed over. As in Glue the answer holds Glue's own options as well (JOB_RUN_ID, TempDir, …;
    None when not given) and a dash in a name becomes an underscore. Raises GlueArgumentError for a missing option,
    RuntimeError for a reserved one.
    """
    parser = _GlueArgumentParser(add_help=False)
    parser.add_argument(
        "--job-bookmark-option",
        choices=["job-bookmark-enable", "job-bookmark-disable", "job-bookmark-pause"],
        default="job-bookmark-disable",
    )
    parser.add_argument("--job-bookmark-from")
    parser.add_argument("--job-bookmark-to")
    parser.add_argument("--encryption-type", choices=["sse-s3"])
    parser.add_argument("--enable-data-lineage")
    for name in (*_IDENTITY, *_DIRECTORIES):
        parser.add_argument(f"--{name}")
    for name in options:
        if name in RESERVED or name in _IDENTITY:
            raise RuntimeError(f"Using reserved arguments {name}")
        if name not in _DIRECTORIES:
            parser.add_argument(f"--{name}", required=True)
    parsed, _ = parser.parse_known_args(list(args[1:]))
    return vars(parsed)
