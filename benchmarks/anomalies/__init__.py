"""How well and at what cost unusual days are found, beside Prophet on the same days."""

import os

# Before numpy is loaded: threads of BLAS that wait for one another would count as CPU time.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
