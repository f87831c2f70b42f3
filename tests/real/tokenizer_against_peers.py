#!/usr/bin/env python3
"""Ids against tiktoken (cl100k, o200k), sentencepiece (the models in the folder of real data) and Hugging Face tokenizers (files that
llmkit writes), on a corpus, the Universal Declaration in every language, naughty strings and random ones.

    tokenizer_against_peers.py LLMKIT BENCH [CORPUS.txt] [--mb N]     (LLMKIT_REAL_DATA; BENCH: bench_tokenizer_encode, which converts)
Prints one line a comparison with the number of documents that differ and the first difference; exit code 1 if any does.
"""
import argparse
import base64
import gzip
import json
import os
import pathlib
import random
import runpy
import subprocess
import sys
import tempfile
import zipfile

DATA = os.environ.get("LLMKIT_REAL_DATA", "")
HERE = pathlib.Path(__file__).parent
PATTERNS = runpy.run_path(str(HERE.parent / "bench/tokenizer_encode/against_peers"))["PATTERNS"]


def documents(corpus, limit):
    out, size = [], 0
    if corpus:
        block, block_bytes = [], 0
        for line in open(corpus, encoding="utf-8", errors="ignore", newline="\n"):
            block.append(line)
            block_bytes += len(line.encode())
            if block_bytes > 30000:
                out.append("".join(block))
                size += block_bytes
                block, block_bytes = [], 0
            if size > limit:
                break
    with zipfile.ZipFile(f"{DATA}/langid/udhr2.zip") as archive:
        for name in archive.namelist():
            if name.endswith(".txt"):
                out.append(archive.read(name).decode("utf-8", "ignore"))
    naughty = pathlib.Path(DATA, "unicode/blns.json")
    if naughty.exists():
        out += json.loads(naughty.read_text())
    rng = random.Random(1)
    alphabet = [chr(c) for c in range(0x20, 0x3000)] + [" ", "\n", "\t", "\r\n", "'", "'s", "'LL", "1", "中", "😀", "\u3000", "\u0085"] * 40
    out += ["".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 60))) for _ in range(20000)]
    return [text.replace("\0", "") for text in out]


def first_difference(ours, theirs, decode):
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    return f"id {at}: {ours[at:at + 4]} for {theirs[at:at + 4]} {decode(theirs[max(0, at - 2):at + 4])!r}"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("llmkit")
    p.add_argument("bench")
    p.add_argument("corpus", nargs="?")
    p.add_argument("--mb", type=float, default=100)
    p.add_argument("--only", default="")
    args = p.parse_args()
    if not DATA:
        return print("skip tokenizer_against_peers: LLMKIT_REAL_DATA is not set")
    scratch = tempfile.mkdtemp()
    texts = documents(args.corpus, args.mb * 1e6)
    print(f"{len(texts)} documents, {sum(len(t.encode()) for t in texts) / 1e6:.1f} MB", flush=True)
    with open(f"{scratch}/texts.jsonl", "w", encoding="utf-8") as out:
        for text in texts:
            out.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
    failed = 0

    def compare(name, tokenizer, encode, decode):
        nonlocal failed
        if args.only not in name:
            return
        subprocess.run([args.llmkit, "tokenize", "encode", f"{scratch}/texts.jsonl", "--tokenizer", tokenizer, "-o",
                        f"{scratch}/ids.jsonl", "--force", "-q"], check=True)
        different, example = 0, ""
        with open(f"{scratch}/ids.jsonl") as lines:
            for line, text in zip(lines, texts, strict=True):
                ours, theirs = json.loads(line)["ids"], encode(text)
                if ours != theirs:
                    different += 1
                    example = example or first_difference(ours, theirs, decode)
        failed += different > 0
        print(f"{'FAIL' if different else 'ok  '} {name}: {different} of {len(texts)} documents differ {example}", flush=True)

    def convert(source, target):
        subprocess.run([args.bench, "convert", source, target], check=True)
        return target

    try:
        import tiktoken
    except ImportError:
        tiktoken = None
    try:
        import tokenizers
    except ImportError:
        tokenizers = None
    for name in ("cl100k", "o200k"):
        raw = gzip.open(f"{DATA}/tokenizer/{name}_base.tiktoken.gz").read()
        file = f"{scratch}/{name}.tiktoken"
        pathlib.Path(file).write_bytes(raw)
        if tiktoken:
            ranks = {base64.b64decode(a): int(b) for a, b in (line.split() for line in raw.splitlines())}
            encoding = tiktoken.Encoding(name, pat_str=PATTERNS[name], mergeable_ranks=ranks, special_tokens={})
            compare(f"{name} tiktoken {tiktoken.__version__}", file, encoding.encode_ordinary, encoding.decode)
        if tokenizers:
            hf = tokenizers.Tokenizer.from_file(convert(file, f"{scratch}/{name}.json"))
            compare(f"{name} tokenizers {tokenizers.__version__}", f"{scratch}/{name}.json",
                    lambda t, hf=hf: hf.encode(t, add_special_tokens=False).ids, hf.decode)
    for gguf in ("gpt-2", "llama-spm", "bert-bge"):
        if tokenizers:
            source = f"{DATA}/tokenizer/ggml-vocab-{gguf}.gguf.zst"
            hf = tokenizers.Tokenizer.from_file(convert(source, f"{scratch}/{gguf}.json"))
            hf.encode_special_tokens = True  # "<s>" in a text is text
            compare(f"{gguf} tokenizers {tokenizers.__version__}", f"{scratch}/{gguf}.json",
                    lambda t, hf=hf: hf.encode(t, add_special_tokens=False).ids, hf.decode)
    try:
        import sentencepiece
    except ImportError:
        return failed > 0
    for model in ("spm_test_model", "spm_chinese", "llama"):
        file = f"{DATA}/tokenizer/{model}.model"
        if model == "llama":
            file = convert(f"{DATA}/tokenizer/ggml-vocab-llama-spm.gguf.zst", f"{scratch}/llama.model")
        spm = sentencepiece.SentencePieceProcessor(model_file=file)
        compare(f"{model} sentencepiece {sentencepiece.__version__}", file, spm.encode, spm.decode)
        again = sentencepiece.SentencePieceProcessor(model_file=convert(file, f"{scratch}/{model}.again.model"))
        compare(f"{model} written again, sentencepiece {sentencepiece.__version__}", file, again.encode, again.decode)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
