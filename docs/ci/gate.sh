#!/bin/sh
# Make, verify, gate and measure the int8 file of a float artefact: gate.sh MODEL [BASE.json]
# BASE.json is the latency.json of an earlier run; committed beside the model, it is what is compared.
# DATA are the pictures that the float model was scored on: errors of others do not compare.
# EDGEMAT is the command; by default that of the clone that this file lies in.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
edgemat=${EDGEMAT:-"$here/.venv/bin/edgemat"}
model=$1
base=${2:-latency-base.json}
mkdir -p gated
# Errors are compared with the float model's, and that is looked for beside what was made of it.
rm -rf gated/given@float
for float in "$model" "$model"@*; do
	if [ -d "$float" ]; then
		cp -R "$float" gated/given@float
		break
	fi
done

$edgemat quantize "$model" -o gated ${DATA:+--data "$DATA"} ${CALIBRATION:+--calibration "$CALIBRATION"}
quantized=$(ls -d gated/*-quantized@*)
$edgemat convert "$quantized" --target tflite-int8 -o gated
file=$(ls -d gated/*-tflite-int8@*)
$edgemat verify "$file"
# Instructions on one emulated thread, which repeat within a few in a million.
$edgemat bench "$file" --device emulated-arm64 --threads 1 --runs 2 --seconds 0 -o gated/latency.json
$edgemat report gated/latency.json -o gated/latency.html

# Both gates are run, whatever the first says.
status=0
$edgemat gate "$file" --sad +5% --grad +10% --junit gated/errors.xml || status=1
if [ -f "$base" ]; then
	$edgemat gate gated/latency.json "$base" --latency +2% --junit gated/latency.xml || status=1
else
	echo "No $base: latency not compared. Commit gated/latency.json as $base to compare with it."
fi
exit $status
