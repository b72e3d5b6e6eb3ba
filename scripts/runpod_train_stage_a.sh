#!/usr/bin/env bash
# Stage A on a rented GPU, in one command: MIDI → roles → base → styles → solos → evaluation → artifacts.
#
#   MIDI=s3://bucket/midi.zip STYLES="swing ballad" OUT=s3://bucket/stage-a scripts/runpod_train_stage_a.sh
#   scripts/runpod_train_stage_a.sh --dry-run          # everything, tiny, on a CPU, in minutes
#
# Nothing to edit: MIDI (folder, archive, snapshot, or practice:200), STYLES (samples' styles, one LoRA each), OUT (folder
# or s3://), PRESET, MINUTES (for each training; 0: the preset's), SEED, SAMPLES (solos to hear), NAMING (prepare-roles'),
# JAMFLOW_HOME. Stopped at any point it goes on when it is run again: what is done comes from the cache, and a training
# from its last checkpoint (kept below OUT when that is a bucket). Run twice, it changes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

dry=false
[ "${1:-}" = --dry-run ] && dry=true && shift
[ $# = 0 ] || { echo "stage a: unknown $1; there is --dry-run, and the environment (see the top of $0)." >&2; exit 2; }

say() { printf 'stage a: %s\n' "$*"; }
fail() { printf 'stage a: %s\n' "$*" >&2; exit 1; }

if $dry; then
  MIDI=${MIDI:-practice:20} PRESET=${PRESET:-tiny} STYLES=${STYLES-swing} SAMPLES=${SAMPLES:-1} BARS=${BARS:-4}
fi
MIDI=${MIDI:-} PRESET=${PRESET:-studio} STYLES=${STYLES:-} OUT=${OUT:-stage-a} MINUTES=${MINUTES:-0} SEED=${SEED:-0}
SAMPLES=${SAMPLES:-8} BARS=${BARS:-32} NAMING=${NAMING:-} FREE_GB=${FREE_GB:-$($dry && echo 1 || echo 20)}
BIN=${JAMFLOW_BIN:-.venv/bin}
export JAMFLOW_HOME=${JAMFLOW_HOME:-$HOME/.jamflow}
here=$OUT
if [[ $OUT == s3://* ]]; then
  here=$JAMFLOW_HOME/stage-a
  export JAMFLOW_WORK=${JAMFLOW_WORK:-$OUT/checkpoints}
fi

# First the GPU, the disk and the data: an hour is paid for, whether it fails or not.
[ -x "$BIN/jamflow" ] || fail "no $BIN/jamflow; run make setup, or set JAMFLOW_BIN."
[ -n "$MIDI" ] || fail "MIDI is not set; give a folder, an archive or s3://…, or practice:200."
case $MIDI in practice* | *://*) ;; *) [ -e "$MIDI" ] || fail "MIDI is $MIDI; there is no such file or folder." ;; esac
if ! $dry; then
  command -v nvidia-smi >/dev/null && nvidia-smi -L | grep -q GPU ||
    fail "no NVIDIA GPU to be seen; rent one, or try --dry-run."
  "$BIN/python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' ||
    fail "torch sees no GPU; install its CUDA build: $BIN/pip install --force-reinstall torch==2.13.0"
fi
mkdir -p "$JAMFLOW_HOME" "$here"
for place in "$JAMFLOW_HOME" "$here"; do
  free=$(($(df -Pk "$place" | awk 'NR==2 {print $4}') / 1048576))
  [ "$free" -ge "$FREE_GB" ] || fail "$place: $free GB free; $FREE_GB are needed. Free some, or set OUT and JAMFLOW_HOME."
done

run() { say "$1"; "$BIN/jamflow" run "$@" --plain; }
common=(--preset "$PRESET" --minutes "$MINUTES" --seed "$SEED" --naming "$NAMING")

run prepare-roles --midi "$MIDI" --seed "$SEED" --naming "$NAMING" --out-dir "$here/roles"
run train-jam-base --midi "$MIDI" "${common[@]}"
for style in $STYLES; do
  run train-jam-style --midi "$MIDI" --style "$style" "${common[@]}"
done
heard=0
for meta in "$here"/roles/lead/*/meta.json; do
  [ "$heard" -lt "$SAMPLES" ] || break
  grep -q '"split": "test"' "$meta" || continue
  heard=$((heard + 1)) sample=$(dirname "$meta")
  for style in any $STYLES; do
    run generate --conditioning "$sample/conditioning.mid" --style "$style" --bars "$BARS" --seed "$SEED" \
      --primer-max-tokens 64 --out "$here/solos/$(basename "$sample")-$style.mid"
  done
done
run eval-soloist --roles "$here/roles" --bars "$BARS" --style "${STYLES%% *}" --out-dir "$here/evaluation-$SEED"
if [[ $OUT == s3://* ]]; then
  "$BIN/python" -c 'import sys; from backstage.storage import save_snapshot; save_snapshot(*sys.argv[1:])' "$here" "$OUT/artifacts"
fi
say "done: $OUT"
