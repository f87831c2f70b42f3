"""GPT-2 training steps on request in PyTorch, the yardstick of step.cpp: a line on stdin runs one step and prints its seconds.

Arguments: LAYERS WIDTH HEADS VOCABULARY SEQUENCES LENGTH f32|bf16 THREADS eager|compile
Tuned: scaled_dot_product_attention, fused AdamW, bf16 autocast, gradients set to None, fused clipping (foreach).
"""
import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

layers, width, heads, vocabulary, sequences, length = map(int, sys.argv[1:7])
bf16, threads, mode = sys.argv[7] == "bf16", int(sys.argv[8]), sys.argv[9]
torch.set_num_threads(threads)
torch.manual_seed(1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = (p.view(b, t, heads, -1).transpose(1, 2) for p in self.qkv(self.norm1(x)).split(width, 2))
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(a.transpose(1, 2).reshape(b, t, width))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.position = nn.Embedding(vocabulary, width), nn.Embedding(max(length, 1024), width)
        self.blocks = nn.ModuleList(Block() for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        for p in self.parameters():
            if p.dim() == 2:
                nn.init.normal_(p, 0, 0.02)

    def forward(self, tokens, targets):
        x = self.token(tokens) + self.position(torch.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.norm(x), self.token.weight)
        return F.cross_entropy(logits.view(-1, vocabulary), targets.reshape(-1))


model = Model()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.1, fused=True)
forward = torch.compile(model) if mode == "compile" else model
tokens = torch.randint(vocabulary, (sequences, length))
targets = torch.randint(vocabulary, (sequences, length))

loss = None
for _ in sys.stdin:
    begin = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        loss = forward(tokens, targets)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    value = loss.item()
    print(f"{time.perf_counter() - begin:.5f}", flush=True)
print(json.dumps({"loss": value, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                  "version": torch.__version__, "capability": torch.backends.cpu.get_cpu_capability()}))
