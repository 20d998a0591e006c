"""How good and how dear the deployed forecasts are, beside forecasts that need no model and LightGBM."""

import os
import warnings

# Before numpy and torch are loaded: threads that wait for one another would count as CPU time.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
# GluonTS proposes faster JSON and indexes in torch's old way; neither is anything that a reader can act on.
for category in (FutureWarning, UserWarning):
    warnings.filterwarnings("ignore", category=category, module="gluonts")
