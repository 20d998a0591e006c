"""A reader is a module of the package, chosen by its name."""

from __future__ import annotations

import pytest
from meter_data import readers
from meter_data.meter_files.lines import UnreadableFileError
from meter_data.readers import london


def test_a_reader_is_found_by_the_name_of_its_module() -> None:
    assert readers.named("london", {}, "the trigger form") == london.LondonReader()


@pytest.mark.parametrize("name", ["paris", "rules", "cleaning", "judged", "", "../london", "london.x", "os"])
def test_an_unknown_name_is_refused_and_the_known_ones_are_named(name: str) -> None:
    with pytest.raises(UnreadableFileError, match=r"There is no transformer .+ \(the trigger form\)\. Set transformer"):
        readers.named(name, {}, "the trigger form")
