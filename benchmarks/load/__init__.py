"""What loading costs, how it grows, and what a query reads: the three Glue jobs beside the predecessor's way."""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# What the platform puts on the path of its own parts: `metering` of the DAGs, `transformers` of the Glue scripts.
for _folder in ("plugins", "include/glue"):
    if str(REPOSITORY / _folder) not in sys.path:
        sys.path.append(str(REPOSITORY / _folder))
