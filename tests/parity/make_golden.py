#!/usr/bin/env python3
"""Writes golden.json: what PyTorch and transformers compute for tiny models whose weights a formula gives.

Run with torch 2.x and transformers 5.x; the versions used are in the file. transformers computes the rotary tables,
RMSNorm and softmax in float32 even for a double model; here they are put into double, so that the comparison can be
tight. `logits_f32` are those of the unchanged float32 model.
"""
import json, math, sys
import torch, transformers
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM

COMMON = dict(vocab_size=17, bos_token_id=0, eos_token_id=1, pad_token_id=None)
LLAMA = dict(COMMON, hidden_size=16, intermediate_size=20, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             max_position_embeddings=12, hidden_act="silu", rms_norm_eps=1e-5, tie_word_embeddings=False)
MODELS = {
    "gpt2": (GPT2Config, GPT2LMHeadModel, dict(COMMON, n_embd=12, n_layer=2, n_head=3, n_positions=10, n_inner=None,
             activation_function="gelu_new", attn_pdrop=0.0, resid_pdrop=0.0, embd_pdrop=0.0, tie_word_embeddings=True)),
    "llama": (LlamaConfig, LlamaForCausalLM, dict(LLAMA, head_dim=6, rope_theta=500.0, attention_bias=False, mlp_bias=False)),
    "mistral": (MistralConfig, MistralForCausalLM, dict(LLAMA, head_dim=4, rope_theta=10000.0, sliding_window=3)),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM, dict(LLAMA, rope_theta=10000.0, tie_word_embeddings=True, use_sliding_window=False)),
}
TOKENS = [[3, 16, 0, 7, 7, 2], [5, 1, 9, 12, 4, 8]]
TARGETS = [[16, 0, 7, 7, 2, 11], [1, 9, -100, 4, 8, 6]]


def formula(name, shape):
    n = math.prod(shape)
    phase = 0.01 * sum(name.encode())
    v = torch.tensor([0.25 * math.sin(0.7 * i + phase) for i in range(n)], dtype=torch.float64)
    if len(shape) == 1 and name.endswith("weight"):
        v = v + 1.0
    return v.reshape(shape)


def fill(model):
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(formula(name, tuple(p.shape)).to(p.dtype))


def double_everything(model, theta, head_dim):
    class Rotary(torch.nn.Module):
        def forward(self, x, position_ids):
            inv = torch.tensor([theta ** (-2.0 * j / head_dim) for j in range(head_dim // 2)], dtype=torch.float64)
            angle = position_ids[:, :, None].double() * inv
            both = torch.cat([angle, angle], -1)
            return both.cos(), both.sin()
    model.model.rotary_emb = Rotary()
    for module in model.modules():
        if module.__class__.__name__.endswith("RMSNorm"):
            def forward(x, m=module):
                return m.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + m.variance_epsilon)
            module.forward = forward


def loss_of(model, tokens, targets):
    logits = model(input_ids=tokens).logits
    return logits, torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=-100)


def versions():
    return {"torch": torch.__version__, "transformers": transformers.__version__, "python": sys.version.split()[0]}


def probe(t):
    f = t.detach().double().reshape(-1)
    return [f.norm().item()] + f[:: max(1, len(f) // 4)][:5].tolist()


if __name__ == "__main__":
    out = {"versions": versions(),
           "tokens": TOKENS, "targets": [[-1 if t < 0 else t for t in row] for row in TARGETS], "models": {}}
    tokens, targets = torch.tensor(TOKENS), torch.tensor(TARGETS)
    for kind, (config_class, model_class, settings) in MODELS.items():
        config = config_class(**settings, attn_implementation="sdpa")
        model = model_class(config).eval()
        fill(model)
        logits_f32 = model(input_ids=tokens).logits
        model = model.double()
        fill(model)
        if kind != "gpt2":
            double_everything(model, settings["rope_theta"], settings.get("head_dim", settings["hidden_size"] // settings["num_attention_heads"]))
        logits, loss = loss_of(model, tokens, targets)
        loss.backward()
        entry = {"config": dict(settings, model_type=kind), "logits": logits.detach().reshape(-1).tolist(),
                 "logits_f32": logits_f32.detach().reshape(-1).tolist(), "loss": loss.item(),
                 "shapes": {n: list(p.shape) for n, p in model.named_parameters()},
                 "gradients": {n: probe(p.grad) for n, p in model.named_parameters()}}
        decay = [p for p in model.parameters() if p.ndim >= 2]
        rest = [p for p in model.parameters() if p.ndim < 2]
        adamw = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], lr=0.01, betas=(0.9, 0.95), eps=1e-8)
        losses = []
        for _ in range(3):
            adamw.zero_grad()
            _, loss = loss_of(model, tokens, targets)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            adamw.step()
            losses.append([loss.item(), norm.item()])
        entry["adamw"] = {"losses_and_norms": losses, "weights": {n: probe(p) for n, p in model.named_parameters()}}
        out["models"][kind] = entry
    json.dump(out, open(__file__.replace("make_golden.py", "golden.json"), "w"), separators=(",", ":"))
