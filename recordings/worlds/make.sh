#!/usr/bin/env bash
# Makes the recordings of this folder anew, and their README. Needs `neuroloop` with PyBullet on the PATH, and two minutes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$scratch"' EXIT
cd "$scratch" # so that commands name no folder of this machine

record() { # NAME AGENT OPTIONS...
  local name=$1
  shift
  neuroloop run "$@" --record "$name.mcap" --save checkpoint.zip --checkpoint-every 0
  mv "$name.mcap" "$here/"
}

record cartpole cartpole --seed 1 --steps 300
record pole pole --seed 1 --steps 200
record lane-keeping lane-keeping --seed 1 --steps 90
record arm-reaching arm-reaching --seed 1 --steps 200
record target-tracking target-tracking --seed 1 --steps 150
record obstacle-avoidance obstacle-avoidance --seed 1 --steps 240 --set warm_up.decisions=20
record pole-in-real-time pole --seed 1 --steps 150 --realtime

mkdir -m 700 plant
neuroloop serve neuroloop/PoleBalance-v0 --bind ipc://plant/plant.ipc --realtime &
until [ -S plant/plant.ipc ]; do sleep 0.1; done
record pole-over-a-link pole --seed 1 --steps 150 --connect ipc://plant/plant.ipc

neuroloop_python=$(dirname "$(command -v neuroloop)")/python
"$neuroloop_python" - "$here" > "$here/README.md" <<'END'
import json
import sys
from pathlib import Path

from neuroloop import Recording

print("""# Recordings of our own worlds

Short runs as they were. `tests/recording/test_committed.py` replays each of them, so that a change of behaviour is seen. Where one is
meant, `recordings/worlds/make.sh` makes all of them, and this page, anew. What is in one: `neuroloop info FILE`,
[recordings](../../docs/recordings.md).

| recording | kB | decisions | made by | of, with | on |
|---|---|---|---|---|---|""")
for path in sorted(Path(sys.argv[1]).glob("*.mcap")):
    recording = Recording(path)
    meta = recording.meta
    versions, machine = json.loads(meta["versions"]), json.loads(meta["machine"])
    made_with = ", ".join(f"{name} {version}" for name, version in versions.items())
    ticks, env = recording.column("tick").size, meta["env"]
    print(f"| [{path.stem}]({path.name}) | {path.stat().st_size / 1e3:.0f} | {ticks} | `{meta['command']}` | {env}; {made_with} | "
          f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; {meta['started'][:10]} |")
END
