#!/usr/bin/env python3
"""Float training curves of the same model on the same batches: llmkit against PyTorch, and PyTorch against itself.

Two runs of PyTorch with 1 and 2 threads add in other orders, and so do we: our curve may differ from PyTorch's by three
times as much as PyTorch's own do; where PyTorch adds in the same order with both, its second run has the sequences of
each batch in reverse, which is the same step added in another order. Also trains in bf16 and f16 and compares the last
losses with f32's; a page shows the curves of the three together.
Usage: training_against_pytorch.py LLMKIT TEXT [STEPS [REPORT.html]]      (torch 2.x, transformers 5.x; exit code 1 above a bar)
"""
import json, math, os, subprocess, sys, tempfile

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.pop(name, None)
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

llmkit, text_path = sys.argv[1], sys.argv[2]
steps = int(sys.argv[3]) if len(sys.argv) > 3 else 300
report = sys.argv[4] if len(sys.argv) > 4 else None
BATCH, CONTEXT, PEAK, FLOOR, WARMUP = 8, 64, 1e-3, 1e-4, 20
SHARE = 0.1
text = open(text_path, encoding="utf-8").read()
characters = sorted(set(text))
ids = torch.tensor([characters.index(c) for c in text])
train = ids[: len(ids) - int(len(ids) * SHARE)]
windows = (len(train) - 1) // CONTEXT
MODELS = {
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(vocab_size=len(characters), n_embd=128, n_layer=4, n_head=4, n_positions=CONTEXT,
            attn_pdrop=0, resid_pdrop=0, embd_pdrop=0, bos_token_id=0, eos_token_id=0)),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(vocab_size=len(characters), hidden_size=128, intermediate_size=320, num_hidden_layers=4,
            num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=CONTEXT, tie_word_embeddings=True, rms_norm_eps=1e-5, bos_token_id=0, eos_token_id=0)),
}


def rate(step):
    if step < WARMUP:
        return PEAK * (step + 1) / WARMUP
    progress = (step - WARMUP) / (steps - WARMUP - 1)
    return FLOOR + (PEAK - FLOOR) * 0.5 * (1 + math.cos(math.pi * progress))


def batch(step, reverse):
    rows = [(step * BATCH + r) % windows * CONTEXT for r in range(BATCH)]
    if reverse:
        rows.reverse()
    return torch.stack([train[s: s + CONTEXT] for s in rows]), torch.stack([train[s + 1: s + CONTEXT + 1] for s in rows])


def train_torch(make, folder, threads, reverse=False):
    torch.set_num_threads(threads)
    model = type(make()).from_pretrained(folder)
    model.train()
    decay = [p for p in model.parameters() if p.ndim >= 2]
    rest = [p for p in model.parameters() if p.ndim < 2]
    adamw = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], betas=(0.9, 0.95), eps=1e-8)
    losses = []
    for step in range(steps):
        for group in adamw.param_groups:
            group["lr"] = rate(step)
        x, y = batch(step, reverse)
        adamw.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(input_ids=x).logits.flatten(0, 1), y.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adamw.step()
        losses.append(loss.item())
    return losses


def train_llmkit(folder, run, precision):
    subprocess.run([llmkit, "pretrain", "--model", folder, "--data", text_path, "--tokenizer", "char", "--order", "sequential",
                    "--context", str(CONTEXT), "--batch", str(BATCH), "--steps", str(steps), "--lr", str(PEAK), "--min-lr", str(FLOOR),
                    "--warmup", str(WARMUP), "--validation-share", str(SHARE), "--weight-decay", "0.1", "--beta2", "0.95",
                    "--precision", precision, "--eval-every", "0", "--checkpoint-every", "0", "--sample-tokens", "0",
                    "--peak-gflops", "1", "-q", "-o", run], check=True)
    lines = [json.loads(line) for line in open(run + "/metrics.jsonl")]
    losses = [l["loss"] for l in lines if "loss" in l]
    return losses, next(l["val_loss"] for l in reversed(lines) if "val_loss" in l)


def distance(a, b):
    return sum(abs(x - y) for x, y in zip(a, b)) / len(a)


print(f"torch {torch.__version__}, {steps} steps", flush=True)
failed = False
with tempfile.TemporaryDirectory() as scratch:
    for kind, make in MODELS.items():
        torch.manual_seed(1)
        folder = f"{scratch}/{kind}-base"
        make().save_pretrained(folder)
        one, two = train_torch(make, folder, 1), train_torch(make, folder, 2)
        run = f"{scratch}/runs/{kind}"
        ours, f32 = train_llmkit(folder, run + "-f32", "f32")
        what = "1 and 2 threads"
        if one == two:
            what, one = "batches in order and reversed", train_torch(make, folder, 2, reverse=True)
        own, other = distance(one, two), distance(ours, two)
        ok = other <= 3 * own
        failed |= not ok
        print(f"{kind}: mean |difference| of losses: PyTorch, {what}, {own:.3g}, llmkit and PyTorch {other:.3g}, "
              f"ratio {other / own:.2f} (bar 3): {'ok' if ok else 'ABOVE'}", flush=True)
        for precision in ("bf16", "f16"):
            _, loss = train_llmkit(folder, f"{run}-{precision}", precision)
            ok = abs(loss / f32 - 1) <= 0.005
            failed |= not ok
            print(f"{kind}: val_loss {precision} {loss:.4f}, f32 {f32:.4f}: {100 * (loss / f32 - 1):+.3f} % (bar 0.5 %): {'ok' if ok else 'ABOVE'}", flush=True)
    if report:
        subprocess.run([llmkit, "report", scratch + "/runs", "--force", "-o", report], check=True)
sys.exit(failed)
