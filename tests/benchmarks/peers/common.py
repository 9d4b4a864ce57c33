"""What every peer script shares with our own benchmarks: the files of the cases, which need NumPy only."""

import importlib.util
import os
import sys
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # before numpy loads

_FOLDER = Path(__file__).parents[3] / "neuroloop" / "evaluation"
for _name in ("engine_cases", "sensor_cases"):
    _spec = importlib.util.spec_from_file_location(_name, _FOLDER / f"{_name}.py")
    _cases = sys.modules[_name] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(_cases)
    globals().update({key: value for key, value in vars(_cases).items() if not key.startswith("_")})
