#!/usr/bin/env bash
# Swap two consenting people, from two clips to the scan of a marked result.
#
# Usage: examples/swap_two_people.sh CLIP_A CLIP_B [OUT]
#
# Paints B's face into clip A and writes everything to OUT (swap_out if absent). Run it again after
# an interruption: finished stages are kept and the training goes on.
#
#   BUDGET     training time (15m)         MODEL  network (tiny)
#   SUBJECT_A, SUBJECT_B                   who is shown (the clips' names)
#   BASIS      ground of the permission: written, self, public-domain or dataset-licence
#   REFERENCE  where the proof is kept, for example the licence of the data set
set -euo pipefail

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
    echo "usage: $0 CLIP_A CLIP_B [OUT]" >&2
    exit 2
fi
clip_a=$1 clip_b=$2 out=${3:-swap_out}
read -ra generator <<<"${GENERATOR:-generator}"
read -ra forensics <<<"${FORENSICS:-forensics}"
read -ra more <<<"${TRAIN_OPTIONS:-}"
mkdir -p "$out"

person() { # letter, clip, name
    [ -e "$out/consent_$1.toml" ] || "${generator[@]}" consent new \
        --subject "$3" --basis "${BASIS:-dataset-licence}" \
        --scope "face swaps for research, marked as synthetic" \
        --reference "${REFERENCE:-licence of the data set that $(basename "$2") is from}" \
        --out "$out/consent_$1.toml"
    [ -e "$out/faces_$1/index.json" ] || "${generator[@]}" extract "$2" \
        --out "$out/faces_$1" --consent "$out/consent_$1.toml"
}
person a "$clip_a" "${SUBJECT_A:-$(basename "$clip_a")}"
person b "$clip_b" "${SUBJECT_B:-$(basename "$clip_b")}"

"${generator[@]}" train "$out/faces_a" "$out/faces_b" --model "${MODEL:-tiny}" \
    --budget "${BUDGET:-15m}" --out "$out/model" ${more[@]+"${more[@]}"}
echo "preview: $out/model/preview.png, losses: $out/model/loss.png"

"${generator[@]}" swap "$clip_a" --model "$out/model" --paint b --out "$out/swap.mp4"

# The scan ends with 1 here: the swap is declared synthetic, and may be suspect besides.
"${forensics[@]}" scan "$out/swap.mp4" --format json --out "$out/scan.json" || [ $? -eq 1 ]
if ! grep -q '"declared_synthetic"' "$out/scan.json"; then
    echo "the scan did not find the marks of the swap: see $out/scan.json" >&2
    exit 1
fi
echo "the scan reads: declared synthetic"
echo "done: $out/swap.mp4, $out/scan.json"
