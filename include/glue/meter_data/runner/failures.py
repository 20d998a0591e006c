"""The last words of a job that fails: printable and short.

Glue keeps the last exception of a script as the ErrorMessage of its run, and shows it in its console, in the API and,
by way of the API, in Airflow's database. An exception may quote a file, a file's name or a description, which may hold
any character, NUL among them, and be very long.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Callable

MOST_CHARACTERS = 4_000
MOST_CHARACTERS_OF_A_TRACE = 100_000
# Lines of a stack of Java. An error of Spark has hundreds of them, and its causes in between.
_JAVA_STACK = re.compile(r"^\s+(?:at \S+\(.*\)|\.\.\. \d+ more)\n?", re.MULTILINE)


class JobFailedError(RuntimeError):
    """A job failed with a message that cannot be shown as it is; this one can."""


def run(main: Callable[[], None]) -> None:
    """Calls the job's `main`, and sees to it that the message of an exception can be shown, with its notes.

    The whole trace of an exception whose message is changed goes to the log.
    """
    try:
        main()
    except Exception as error:
        said = "\n".join([str(error), *getattr(error, "__notes__", [])])
        if printable(said) == str(error):
            raise
        sys.stderr.write(printable(traceback.format_exc(), MOST_CHARACTERS_OF_A_TRACE))
        text = printable(_JAVA_STACK.sub("", said))
        raise JobFailedError(f"{type(error).__name__}: {text}") from None


def printable(text: str, most: int = MOST_CHARACTERS) -> str:
    r"""Returns the text with every character that cannot be printed written as its escape, e.g. \x00.

    Line ends and tabs stay. Of a text longer than `most` characters, the beginning and the end are kept.
    """
    if len(text) > most:
        kept = most // 2
        text = f"{text[:kept]} … ({len(text) - 2 * kept:,} characters are left out) … {text[-kept:]}"
    return "".join(sign if sign.isprintable() or sign in "\n\t" else _escape(sign) for sign in text)


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")
