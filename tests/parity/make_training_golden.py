#!/usr/bin/env python3
"""Writes training_golden.json: a hundred training steps of a small GPT-2 and a small Llama in PyTorch, in double.

AdamW, weight decay of matrices alone, cosine schedule with warm-up, gradient clipping. Weights and tokens come from
formulas that training_test.cpp repeats. Losses and norms of every step are kept, and probes of the last weights.
"""
import json, math
import torch
from make_golden import double_everything, fill, loss_of, probe, versions
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

VOCABULARY, ROWS, LENGTH, STEPS = 31, 4, 16, 100
PEAK, FLOOR, WARMUP, CLIP = 0.003, 0.0003, 10, 1.0
SCALE = 0.2  # of the formula, for matrices: their usual size at the start of a training
COMMON = dict(vocab_size=VOCABULARY, bos_token_id=0, eos_token_id=1, pad_token_id=None)
MODELS = {
    "gpt2": (GPT2Config, GPT2LMHeadModel, dict(COMMON, n_embd=24, n_layer=2, n_head=3, n_positions=LENGTH, n_inner=None,
             activation_function="gelu_new", attn_pdrop=0.0, resid_pdrop=0.0, embd_pdrop=0.0, tie_word_embeddings=True)),
    "llama": (LlamaConfig, LlamaForCausalLM, dict(COMMON, hidden_size=24, intermediate_size=40, num_hidden_layers=2,
              num_attention_heads=4, num_key_value_heads=2, head_dim=6, max_position_embeddings=LENGTH, hidden_act="silu",
              rms_norm_eps=1e-5, rope_theta=500.0, attention_bias=False, mlp_bias=False, tie_word_embeddings=False)),
}


def tokens_of(step):
    """A stream that can be half learnt: squares and the step disturb a fixed stride."""
    rows = [[(7 * i + 11 * r + step * (i * i % 3)) % VOCABULARY for i in range(LENGTH + 1)] for r in range(ROWS)]
    t = torch.tensor(rows)
    return t[:, :-1], t[:, 1:]


def rate(step):
    if step < WARMUP:
        return PEAK * (step + 1) / WARMUP
    progress = (step - WARMUP) / (STEPS - WARMUP - 1)
    return FLOOR + (PEAK - FLOOR) * 0.5 * (1 + math.cos(math.pi * progress))


out = {"versions": versions(), "steps": STEPS, "models": {}}
for kind, (config_class, model_class, settings) in MODELS.items():
    model = model_class(config_class(**settings, attn_implementation="sdpa")).double().eval()
    fill(model)
    with torch.no_grad():
        for p in model.parameters():
            if p.ndim >= 2:
                p.mul_(SCALE)
    if kind == "llama":
        double_everything(model, settings["rope_theta"], settings["head_dim"])
    decay = [p for p in model.parameters() if p.ndim >= 2]
    rest = [p for p in model.parameters() if p.ndim < 2]
    adamw = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}],
                              betas=(0.9, 0.95), eps=1e-8, fused=False, foreach=False)
    trace = []
    for step in range(STEPS):
        for group in adamw.param_groups:
            group["lr"] = rate(step)
        adamw.zero_grad()
        _, loss = loss_of(model, *tokens_of(step))
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        adamw.step()
        trace.append([loss.item(), norm.item()])
    print(kind, "first", trace[0], "last", trace[-1], "clipped", sum(n > CLIP for _, n in trace))
    out["models"][kind] = {"config": dict(settings, model_type=kind), "scale": SCALE, "shapes": {n: list(p.shape) for n, p in model.named_parameters()},
                           "losses_and_norms": trace, "weights": {n: probe(p) for n, p in model.named_parameters()}}
json.dump(out, open(__file__.replace("make_training_golden.py", "training_golden.json"), "w"), separators=(",", ":"))
