"""Quality and speed on public sets, beside plain baselines. Run `python -m benchmarks`."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the page has it
