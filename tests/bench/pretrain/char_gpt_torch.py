"""The tinyshakespeare-char recipe in PyTorch, the yardstick of `llmkit pretrain --config tinyshakespeare-char`.

Same model (GPT-2 shape, no biases, tied head), same optimiser, schedule, batch and step count, the same validation
(the whole last 10 %, side by side windows). Prints one JSON line. Usage: char_gpt_torch.py TEXT SEED [STEPS] [THREADS]
"""
import json
import math
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

text_path, seed = sys.argv[1], int(sys.argv[2])
steps = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
threads = int(sys.argv[4]) if len(sys.argv) > 4 else 2
layers, heads, width, context, batch = 4, 4, 128, 64, 12
peak_lr, low_lr, warmup = 1e-3, 1e-4, 100

torch.set_num_threads(threads)
torch.manual_seed(seed)
text = open(text_path, encoding="utf-8").read()
characters = sorted(set(text))
data = torch.tensor([characters.index(c) for c in text])
cut = int(0.9 * len(data))
train, validation = data[:cut], data[cut:]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = (p.view(b, t, heads, -1).transpose(1, 2) for p in self.qkv(self.norm1(x)).split(width, 2))
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(a.transpose(1, 2).reshape(b, t, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.position = nn.Embedding(len(characters), width), nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block() for _ in range(layers))
        self.norm = nn.LayerNorm(width, bias=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                scaled = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(p, 0, 0.02 / math.sqrt(2 * layers) if scaled else 0.02)

    def forward(self, tokens, targets, reduction="mean"):
        x = self.token(tokens) + self.position(torch.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.norm(x), self.token.weight)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1), reduction=reduction)


model = Model()
groups = [{"params": [p for p in model.parameters() if p.dim() == 2], "weight_decay": 0.1},
          {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=peak_lr, betas=(0.9, 0.99), fused=True)


def learning_rate(step):
    if step < warmup:
        return peak_lr * (step + 1) / (warmup + 1)
    return low_lr + 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) * (peak_lr - low_lr)


started = time.perf_counter()
for step in range(steps):
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(step)
    starts = torch.randint(len(train) - context, (batch,))
    x = torch.stack([train[s:s + context] for s in starts])
    y = torch.stack([train[s + 1:s + 1 + context] for s in starts])
    loss = model(x, y)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
seconds = time.perf_counter() - started

with torch.no_grad():
    windows = (len(validation) - 1) // context
    x = validation[:windows * context].view(windows, context)
    y = validation[1:windows * context + 1].view(windows, context)
    total = sum(model(a, b, "sum").item() for a, b in zip(x.split(64), y.split(64)))
    count = windows * context
    if windows * context < len(validation) - 1:
        rest = validation[windows * context:]
        total += model(rest[None, :-1], rest[None, 1:], "sum").item()
        count += len(rest) - 1
print(json.dumps({"torch": torch.__version__, "seed": seed, "steps": steps, "threads": threads,
                  "val_loss": total / count, "train_seconds": round(seconds, 2),
                  "tokens_per_second": round(steps * batch * context / seconds)}))
