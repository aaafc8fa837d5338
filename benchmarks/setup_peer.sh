#!/bin/sh
# Makes .bench-venv with the peers: SpikingJelly 2.0.0, snnTorch 1.0.0 and NeuroBench 2.3.0 on PyTorch 2.13.0 (CPU). Needs
# python 3.11 or newer and pip. PYTHON chooses the interpreter, BENCH_VENV the folder. Running it again completes or repairs the folder.
# Where pip would find a CUDA build of torch, set PIP_INDEX_URL or PIP_FIND_LINKS to a source of the CPU build first.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${BENCH_VENV:-"$here/../.bench-venv"}
"${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python 3.11 or newer is needed")'
[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet torch==2.13.0
"$venv/bin/python" -m pip install --quiet --no-deps spikingjelly==2.0.0 snntorch==1.0.0 neurobench==2.3.0
# pip names the requirements of these that are left out on purpose: that is a warning, not a failure.
"$venv/bin/python" -m pip install --quiet -r "$here/peer_requirements.txt"
"$venv/bin/python" - <<'PY'
import gymnasium
import neurobench.benchmarks  # noqa: F401
import torch
from spikingjelly.activation_based import functional, layer, neuron  # noqa: F401

print("bench venv ready: torch", torch.__version__, "gymnasium", gymnasium.__version__)
PY
