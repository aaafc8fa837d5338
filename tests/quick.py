"""The environment of a process that a test starts, and that need not be fast."""

import os

# Compiled without optimisation, as in the tests' own process: less of the suite's time.
QUICK = {**os.environ, "XLA_FLAGS": "--xla_backend_optimization_level=0"}
