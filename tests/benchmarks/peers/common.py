"""What every peer script shares with our own benchmark: the file of the cases, which needs NumPy only."""

import importlib.util
import os
import sys
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # before numpy loads

_FILE = Path(__file__).parents[3] / "neuroloop" / "evaluation" / "engine_cases.py"
_SPEC = importlib.util.spec_from_file_location("engine_cases", _FILE)
_CASES = sys.modules["engine_cases"] = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_CASES)
globals().update(vars(_CASES))
