from __future__ import annotations

import os

# At import the SDK warns that there is a newer major version of it.
os.environ["SAGEMAKER_SUPPRESS_V2_WARNING"] = "1"
