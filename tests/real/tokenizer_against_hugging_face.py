#!/usr/bin/env python3
"""Trains on real books with llmkit and with Hugging Face tokenizers and compares merges, ids on more than 50 MB of text
in many scripts, and the time. Also: files written by either load in the other; chat templates render alike.

    tokenizer_against_hugging_face.py LLMKIT      (LLMKIT_REAL_DATA: the folder of real data; Python packages tokenizers,
                                                   for the templates also transformers)
Prints one line a check; exit code 1 if one fails. Without the data or the packages it skips and says so.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

DATA = os.environ.get("LLMKIT_REAL_DATA", "")
failures = 0


def check(name, ok, note=""):
    global failures
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}{': ' + note if note else ''}", flush=True)


def documents(relative):
    raw = subprocess.run(["zstd", "-dcq", f"{DATA}/{relative}"], check=True, capture_output=True).stdout.decode()
    return [json.loads(line)["text"] for line in raw.split("\n") if line]


def hard_strings():
    strings = json.load(open(f"{DATA}/unicode/blns.json"))
    rng = random.Random(1)
    alphabet = [chr(c) for c in range(0x20, 0x3000)] + [" ", "\n", "\t", "\r\n", "'", "'s", "'LL", "1", "中", "😀", "\u3000", "\u0085"] * 40
    alphabet = [c for c in alphabet if not 0xD800 <= ord(c[0]) <= 0xDFFF]
    strings += ["".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 60))) for _ in range(20000)]
    strings += [" ".join(chr(c) for c in range(start, start + 64)) for start in range(0x100, 0x110000 - 64, 64) if not 0xD7C0 <= start <= 0xDFFF]
    return strings


def write_jsonl(path, texts):
    with open(path, "w", encoding="utf-8") as out:
        for text in texts:
            out.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")


def compare_ids(llmkit, reference, folder, texts, scratch):
    write_jsonl(f"{scratch}/texts.jsonl", texts)
    subprocess.run([llmkit, "tokenize", "encode", f"{scratch}/texts.jsonl", "--tokenizer", folder, "-o", f"{scratch}/ids.jsonl", "--force", "-q"], check=True)
    different = 0
    for line, text in zip(open(f"{scratch}/ids.jsonl"), texts):
        different += json.loads(line)["ids"] != reference.encode(text, add_special_tokens=False).ids
    return different


def main():
    if not DATA:
        return print("skip tokenizer_against_hugging_face: LLMKIT_REAL_DATA is not set")
    try:
        from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers, __version__
    except ImportError:
        return print("skip tokenizer_against_hugging_face: the Python package tokenizers is not installed")
    llmkit, scratch = str(pathlib.Path(sys.argv[1]).resolve()), tempfile.mkdtemp()
    pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    inputs = ["text/en_books_train.jsonl.zst", "text/zh_poetry_train.jsonl.zst", "text/zh_classic_fiction_train.jsonl.zst"]
    books = [text for name in inputs for text in documents(name)]
    special = ["<|endoftext|>", "<|pad|>", "<|im_start|>", "<|im_end|>"]
    for name, pre in {
        "llama3": pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]),
        "gpt2": pre_tokenizers.ByteLevel(add_prefix_space=False),
    }.items():
        start = time.time()
        subprocess.run([llmkit, "train-tokenizer", *[f"{DATA}/{n}" for n in inputs], "--vocab-size", "8192", "--min-frequency", "0",
                        "--pretokenizer", name, "-o", f"{scratch}/{name}", "-q"], check=True)
        ours = time.time() - start
        theirs = Tokenizer(models.BPE())
        theirs.pre_tokenizer, theirs.decoder = pre, decoders.ByteLevel()
        start = time.time()
        theirs.train_from_iterator(books, trainers.BpeTrainer(vocab_size=8192, special_tokens=special, show_progress=False,
                                                              initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
        peer = time.time() - start
        mine = json.load(open(f"{scratch}/{name}/tokenizer.json"))["model"]
        check(f"{name}: merges", mine["merges"] == json.loads(theirs.to_str())["model"]["merges"], f"{len(mine['merges'])} of them")
        check(f"{name}: vocabulary", mine["vocab"] == json.loads(theirs.to_str())["model"]["vocab"])
        print(f"     training: llmkit {ours:.2f} s (with reading), tokenizers {__version__} {peer:.2f} s (without), ratio {peer / ours:.1f}")
        loaded = Tokenizer.from_file(f"{scratch}/{name}/tokenizer.json")
        loaded.encode_special_tokens = True
        hard = hard_strings()
        check(f"{name}: ids of {len(hard)} hard strings", compare_ids(llmkit, loaded, f"{scratch}/{name}", hard, scratch) == 0)
        texts = books + documents("text/en_books_dev.jsonl.zst") + documents("text/fra_novels.jsonl.zst")
        size = sum(len(t.encode()) for t in texts)
        different = compare_ids(llmkit, loaded, f"{scratch}/{name}", texts, scratch)
        check(f"{name}: ids of {size / 1e6:.1f} MB", different == 0, f"{different} of {len(texts)} documents differ")
        theirs.save(f"{scratch}/theirs.json")
        theirs.encode_special_tokens = True
        check(f"{name}: their file in llmkit", compare_ids(llmkit, theirs, f"{scratch}/theirs.json", hard[:3000], scratch) == 0)
    sys.exit(failures > 0)


main()
