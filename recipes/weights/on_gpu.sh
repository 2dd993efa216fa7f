#!/bin/sh
# Train a recipe on a machine with a GPU, from data that were packed where they are:
#
#     edgemat data pack recipes/weights/live-3.toml packed
#     sh recipes/weights/on_gpu.sh packed results [RECIPE] [--device cpu] [--set KEY=VALUE ...]
#
# The recipe is recipes/weights/live-3.toml unless one is named. `results` gets the float artefact with
# its curves (artifacts/*/training.jsonl), and while it trains the checkpoint (work/*/checkpoint.pt):
# cut short, the same command goes on. Needs Python with what `pip install "edgemat[train]"` brings.
# Each worker keeps all pictures decoded: 1 to 2 GB.
set -eu
if [ $# -lt 2 ]; then
	echo "usage: sh $0 PACKED RESULTS [RECIPE] [OPTION ...]" >&2
	exit 2
fi
house=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$2"
packed=$(cd "$1" && pwd)
results=$(cd "$2" && pwd)
shift 2
recipe=$house/recipes/weights/live-3.toml
case ${1-} in
*.toml)
	recipe=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
	shift
	;;
esac
cd "$packed"
PYTHONPATH=$house${PYTHONPATH:+:$PYTHONPATH} exec "${PYTHON:-python3}" -m edgemat.cli train \
	"$recipe" --output "$results" "$@"
