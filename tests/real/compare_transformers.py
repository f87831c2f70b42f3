"""Compares llmkit's evaluation of an exported model with Hugging Face transformers, item by item.

usage: compare_transformers.py LLMKIT MODEL_FOLDER EVAL_FOLDER DATA_FOLDER WORK_FOLDER
Reads EVAL_FOLDER/samples.jsonl (the requests and our answers), scores the first 200 items of each task again with
transformers in float32, and generates greedily from 200 prompts with both. Fails where a log-likelihood differs by more
than 1e-3 or a generated id differs. Written for transformers 5.23 and torch 2.15.
"""
import json
import subprocess
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

llmkit, model_folder, eval_folder, data, work = sys.argv[1:6]
ITEMS = 200
torch.set_grad_enabled(False)
tokenizer = AutoTokenizer.from_pretrained(model_folder)
model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32).eval()
failures = 0


def loglikelihood(ids, start):
    logits = model(torch.tensor([ids[:-1]])).logits[0].double()
    logp = torch.log_softmax(logits, -1)
    return sum(logp[i - 1, ids[i]].item() for i in range(start, len(ids)))


seen = {}
worst = {}
for line in open(f"{eval_folder}/samples.jsonl", encoding="utf-8"):
    sample = json.loads(line)
    task = sample["task"]
    if seen.get(task, 0) >= ITEMS:
        continue
    seen[task] = seen.get(task, 0) + 1
    for request, response in zip(sample["requests"], sample["responses"]):
        ids, start = request["tokens"], request["from"]
        # The ids must be what Hugging Face's tokenizer makes of the same text.
        text = request.get("context", "") + request.get("continuation", "")
        if ids[-len(tokenizer(text, add_special_tokens=False)["input_ids"]):] != tokenizer(text, add_special_tokens=False)["input_ids"][-len(ids):]:
            print(f"{task}: other token ids for {text[:60]!r}")
            failures += 1
        difference = abs(loglikelihood(ids, start) - response["logprob"])
        worst[task] = max(worst.get(task, 0.0), difference)
        if difference > 1e-3:
            failures += 1
for task, difference in worst.items():
    print(f"{task}: {seen[task]} items, largest difference of a log-likelihood {difference:.2e}")

prompts = []
for line in open(f"{work}/eval/samples.jsonl", encoding="utf-8"):
    for request in json.loads(line)["requests"][:1]:
        if request.get("context"):
            prompts.append(request["context"])
    if len(prompts) == ITEMS:
        break
lines = "".join(json.dumps({"id": str(i), "prompt": p}) + "\n" for i, p in enumerate(prompts))
ours = subprocess.run([llmkit, "generate", "--model", model_folder, "--jsonl", "--temperature", "0", "--max-tokens", "24", "--ids"],
                      input=lines, capture_output=True, text=True, check=True).stdout
different = 0
for line, prompt in zip(ours.splitlines(), prompts):
    ids = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"]
    ids = ids[:, -(model.config.max_position_embeddings - 24):]
    theirs = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=24)[0, ids.shape[1]:].tolist()
    mine = json.loads(line)["ids"]
    eos = tokenizer.eos_token_id
    theirs = theirs[: theirs.index(eos)] if eos in theirs else theirs
    different += mine != theirs
print(f"greedy generation: {len(prompts)} prompts, {different} differ")
failures += different
sys.exit(1 if failures else 0)
