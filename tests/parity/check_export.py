#!/usr/bin/env python3
"""Loads the folders that the parity test exports with transformers and compares logits.

    LLMKIT_EXPORT_DIR=/some/folder .build/release/tests/parity -tc="export for transformers"
    python3 tests/parity/check_export.py /some/folder
"""
import json, pathlib, sys
import torch, transformers
from transformers import AutoModelForCausalLM

worst = 0.0
for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    ours = json.loads((folder / "llmkit_logits.json").read_text())
    model, info = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    if info["missing_keys"] or info["unexpected_keys"]:
        sys.exit(f"{folder}: missing {info['missing_keys']}, unexpected {info['unexpected_keys']}")
    with torch.no_grad():
        theirs = model.eval()(input_ids=torch.tensor([ours["tokens"]])).logits.reshape(-1)
    difference = (theirs - torch.tensor(ours["logits"])).abs().max().item()
    worst = max(worst, difference)
    print(f"{folder.name:10} {model.__class__.__name__:20} largest logit {theirs.abs().max():.3f}  largest difference {difference:.2e}")
print(f"transformers {transformers.__version__}, torch {torch.__version__}")
sys.exit(0 if worst < 1e-4 else "differs by more than 1e-4")
