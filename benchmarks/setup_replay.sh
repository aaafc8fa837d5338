#!/bin/sh
# Adds to .bench-venv what reads NIR graphs beside SpikingJelly: snnTorch and Norse, without their dependencies, which would pull
# another torch; what they need of them is nir, nirtorch and h5py. Running it again completes or repairs the folder.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${BENCH_VENV:-"$here/../.bench-venv"}
sh "$here/setup_peer.sh"
# pip names the requirements that are left out on purpose: that is a warning, not a failure.
"$venv/bin/python" -m pip install --quiet --no-deps -r "$here/replay_requirements.txt"
"$venv/bin/python" - <<'PY'
import norse.torch  # noqa: F401
import snntorch
from snntorch.import_nir import import_from_nir  # noqa: F401
from spikingjelly.activation_based.nir_exchange import import_from_nir as theirs  # noqa: F401

print("replay peers ready: snntorch", snntorch.__version__)
PY
