# A small pre-training run and what must be equal between two of them; read by the scripts of tests/fault.
# Sets up $work (removed at exit); expects $llmkit and $root.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
steps=240

train() {  # RUN THREADS [MORE…]; in a subshell that becomes the program, so that a signal to it reaches the program
  local run=$1 threads=$2
  shift 2
  exec "$llmkit" pretrain --data "$root/data-samples/text/stories.jsonl" --tokenizer byte --arch llama --layers 2 --heads 4 \
    --kv-heads 2 --width 64 --context 32 --dropout 0.1 --batch 4 --accumulation 2 --steps $steps --lr 3e-3 \
    --eval-every 60 --eval-tokens 300 --checkpoint-every 16 --sample-every 80 --sample-tokens 12 --peak-gflops 1 \
    --statistics-every 30 --anomaly rewind --spike-sigmas 4.8 --rewind-around 1 --seed 5 --threads "$threads" -q -o "$run" "$@"
}

steps_logged() { if [ -f "$1/metrics.jsonl" ]; then grep -c '"loss"' "$1/metrics.jsonl"; else echo 0; fi; }

# Starts a run in the background and sends `signal` once it has logged `at` steps. Sets `code`; 0 = it was done before.
break_off() {  # RUN THREADS SIGNAL AT [MORE…]
  local run=$1 threads=$2 signal=$3 at=$4
  shift 4
  train "$run" "$threads" "$@" & local process=$!
  while kill -0 $process 2>/dev/null && [ "$(steps_logged "$run")" -lt "$at" ]; do :; done
  kill -s "$signal" $process 2>/dev/null
  wait $process 2>/dev/null
  code=$?
}

# The event file holds clocks, but its length does not depend on them.
same() {  # RUN NAME [WHOLE]
  local whole=${3:-$work/whole}
  for file in metrics.jsonl samples.txt model/model.safetensors model/config.json \
      checkpoints/step-000$steps/{model.safetensors,optimizer.safetensors,state.json,manifest.json}; do
    cmp "$whole/$file" "$1/$file" || { echo "FAILED: $2: $file differs from the uninterrupted run"; exit 1; }
  done
  [ "$(stat -c %s "$whole/events.out.tfevents.llmkit")" = "$(stat -c %s "$1/events.out.tfevents.llmkit")" ] ||
    { echo "FAILED: $2: the event file has another length"; exit 1; }
}
