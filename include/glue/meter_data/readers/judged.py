"""What a reader says of the rows of a meter file, and what it is asked to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from meter_data.lake.schemas import TYPES as TYPES  # their places are the codes of JudgedRows.reading_type
from meter_data.lake.store import Store
from meter_data.meter_files.manifest import MeterFile


@dataclass(frozen=True)
class AmbiguousTimes:
    """Rows whose wall clock was shown twice, because the clocks went back. JudgedRows has the earlier instant of each.

    rows        int64: the places of these rows among the judged rows, ascending; none of them has a reason
    wall_clock  int64: the time that the file says, in milliseconds since 1970 of a clock that shows UTC
    later       int64: the later of the two instants, milliseconds since 1970 UTC
    is_register bool: whether the row is a register reading before errors are looked at
    """

    rows: npt.NDArray[np.int64]
    wall_clock: npt.NDArray[np.int64]
    later: npt.NDArray[np.int64]
    is_register: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class JudgedRows:
    """Consecutive rows of a meter file, judged. Arrays named in the singular have an entry a row.

    row           int64: the row's place in its file, ascending; a line's number for text files
    meter_ids     pa.StringArray, ascending, each id once
    meter         int32: the place of the row's id in meter_ids, or -1 if the row has no valid id
    times         int64, milliseconds since 1970 UTC, ascending, each once
    time          int32: the place of the row's time in times, or -1 if it has no time at which a meter can have read
    kwh           float64: not-a-number for error readings; means nothing if there is a reason
    reading_type  uint8: the place in TYPES; means nothing if there is a reason
    obis_codes    pa.StringArray, ascending, each code once;  obis: int32, the place there or -1 for none
    error_codes   pa.StringArray, ascending, each code once;  error: int32, the place there or -1 for none
    reason        uint8: the place in the reader's reasons of the first reason to reject the row, or rules.NO_REASON
    misshapen     int64: the places in the file of further rows that cannot be cut into fields, ascending
    ambiguous     the rows whose instant is still to be decided; None if there are none

    As meter_ids and times are ascending, rows ordered by the codes `meter` and `time` are ordered by meter and time.
    """

    row: npt.NDArray[np.int64]
    meter_ids: pa.StringArray
    meter: npt.NDArray[np.int32]
    times: npt.NDArray[np.int64]
    time: npt.NDArray[np.int32]
    kwh: npt.NDArray[np.float64]
    reading_type: npt.NDArray[np.uint8]
    obis_codes: pa.StringArray
    obis: npt.NDArray[np.int32]
    error_codes: pa.StringArray
    error: npt.NDArray[np.int32]
    reason: npt.NDArray[np.uint8]
    misshapen: npt.NDArray[np.int64]
    ambiguous: AmbiguousTimes | None = None


@dataclass(frozen=True)
class Rejects:
    """Rejected rows as they came, in the order of the file, and what can be read of them: an entry a row.

    lines      bytes of lines of text, or the texts that stand for rows of another format
    reasons    pa.StringArray
    meter_ids  pa.StringArray, null where none can be read
    dates      pa.StringArray, yyyyMMdd in UTC, null where none can be read
    """

    lines: Sequence[bytes | str]
    reasons: pa.StringArray
    meter_ids: pa.StringArray
    dates: pa.StringArray


class OpenedFile(Protocol):
    """A meter file whose layout is known."""

    @property
    def reasons(self) -> Sequence[str]:
        """The reasons of JudgedRows.reason."""

    def judged(self) -> Iterator[JudgedRows]:
        """Yields the rows of the file in bounded parts, headers left out. Raises UnreadableFileError."""

    def rejects(self, rows: JudgedRows) -> Iterator[Rejects]:
        """Yields the rejected and the misshapen rows of a part as they came, in bounded numbers.

        It may read the file again. A row that turns out to be a header that was pasted into the file is left out.
        """


class Reader(Protocol):
    """Reads meter files of one kind. It can be pickled."""

    def can_be_cut(self, file: MeterFile) -> bool:
        """Tells, by the file's name, whether it is plain text of which parts can be read by themselves."""

    def open(self, store: Store, file: MeterFile) -> OpenedFile | None:
        """Returns the file with its layout; None for a file that holds nothing.

        Raises UnreadableFileError with a message that says what the file is and what to do.
        """
