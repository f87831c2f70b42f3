#!/usr/bin/env python3
"""Ids against tiktoken (cl100k, o200k), sentencepiece (the models in the folder of real data) and Hugging Face tokenizers (files that
llmkit writes), on a corpus, the Universal Declaration in every language, naughty strings, random ones and invalid UTF-8.

    tokenizer_against_peers.py LLMKIT BENCH [CORPUS.txt] [--mb N]     (LLMKIT_REAL_DATA; BENCH: bench_tokenizer_encode, which converts)
Prints one line a comparison. BERT's steps in tokenizers 0.23 have the tables of Unicode 8.0: of the marks, signs and controls that came
with 8.0 or before they know all, of those since 9.0 none. So each code point is compared alone, those that differ are put into classes by
what the peer makes of them, with the versions they came with (a few have another category since), and where documents differ, they must
be equal once these code points are taken out. Exit code 1 if anything else differs, or if there are more than 20 classes.
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
import unicodedata
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


def invalid_documents():
    """Bytes that are no UTF-8, between words."""
    rng = random.Random(2)
    bad = [b"\xff", b"\xfe\xfe", b"\x80", b"\xbf\xbf\xbf", b"\xc0\xaf", b"\xc3", b"\xe4\xb8", b"\xe0\x81\x81", b"\xed\xa0\x80", b"\xf0\x9f\x98",
           b"\xf5\x80\x80\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80"]
    good = ["the", " word", "中文", " ", "\n", "é", "😀", "1", "'s", ". "]
    return [b"".join(rng.choice(bad) if rng.random() < 0.2 else rng.choice(good).encode() for _ in range(rng.randrange(1, 60))) for _ in range(3000)]


def bytewise(raw, stand_in):
    """sentencepiece's rule: U+FFFD, which no later rule changes, for each byte that begins no well-formed character."""
    out, at = [], 0
    while at < len(raw):
        for n in (1, 2, 3, 4):
            try:
                out.append(raw[at:at + n].decode())
                at += n
                break
            except UnicodeDecodeError:
                pass
        else:
            out.append(stand_in)
            at += 1
    return "".join(out)


def rule_of(spm):
    # Where the model's rules change U+FFFD itself, another character that the model does not know stands for it.
    keeps = spm.encode("a\ufffda") != spm.encode("a a") and spm.encode("a\ufffda") != spm.encode("aa")
    return lambda raw: bytewise(raw, "\ufffd" if keeps else "\ue000")


def code_point_classes(hf, ours_of, peer):
    """Code points that alone get other ids, by what the peer's steps make of them: {(what, category): [code points]}."""
    points = [chr(c) for c in range(1, 0x110000) if not 0xD800 <= c <= 0xDFFF]
    probes = ["a" + c + "a" for c in points]
    classes = {}
    for c, probe, ours in zip(points, probes, ours_of(probes)):
        if ours == hf.encode(probe, add_special_tokens=False).ids:
            continue
        normal = hf.normalizer.normalize_str(probe) if hf.normalizer else probe
        pieces = hf.pre_tokenizer.pre_tokenize_str(normal)
        what = "removed" if normal == "aa" else "set apart" if len(pieces) > 1 or " " in normal else "left within the word"
        classes.setdefault((f"{peer}: {what}", unicodedata.category(c)), []).append(c)
    return classes


def ages_of(points):
    """The Unicode version that each code point came with, by Perl's tables: "" where these are older or there is no Perl."""
    script = "print +(Unicode::UCD::charprop(hex, 'Age') =~ /^V?([0-9]+)[._]([0-9]+)/ ? qq($1.$2) : ''), qq(\\n) for split ' ', <STDIN>"
    try:
        done = subprocess.run(["perl", "-MUnicode::UCD", "-e", script], input=" ".join(f"{ord(c):x}" for c in points), capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return [""] * len(points)
    return done.stdout.split("\n")[:-1]


def print_classes(classes):
    for (what, category), points in sorted(classes.items(), key=lambda c: -len(c[1])):
        ages = ages_of(points)
        since = sorted(set(ages) - {""}, key=lambda a: [int(n) for n in a.split(".")])
        counts = ", ".join(f"{ages.count(a)} of Unicode {a}" for a in since) + (f", {ages.count('')} later" if since and "" in ages else "")
        print(f"     class {what}, category {category} in Unicode {unicodedata.unidata_version}: {len(points)} code points ({counts or 'ages unknown'}), "
              f"such as {' '.join(f'U+{ord(c):04X}' for c in points[:6])}; minimal input {'a' + points[0] + 'a'!r}")


def first_difference(ours, theirs, decode):
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    return f"id {at}: {ours[at:at + 4]} for {theirs[at:at + 4]} {decode(theirs[max(0, at - 2):at + 4])!r}"


def write(path, some):
    with open(path, "w", encoding="utf-8") as out:
        for text in some:
            out.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")


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
    invalid = invalid_documents()
    print(f"{len(texts)} documents, {sum(len(t.encode()) for t in texts) / 1e6:.1f} MB; {len(invalid)} of invalid UTF-8", flush=True)
    write(f"{scratch}/texts.jsonl", texts)
    failed = classes_seen = 0

    def ours_of(tokenizer, path):
        subprocess.run([args.llmkit, "tokenize", "encode", path, "--tokenizer", tokenizer, "-o", f"{scratch}/ids.jsonl", "--force", "-q"], check=True)
        with open(f"{scratch}/ids.jsonl") as lines:
            for line in lines:
                yield json.loads(line)["ids"]

    def ours_of_texts(tokenizer, some):
        write(f"{scratch}/some.jsonl", some)
        return list(ours_of(tokenizer, f"{scratch}/some.jsonl"))

    # Where the peer takes text only, invalid bytes are what Python makes of them; else `encode_invalid` gets them, and `rule` says what for.
    def compare(name, tokenizer, encode, decode, rule=lambda raw: raw.decode("utf-8", "replace"), encode_invalid=None, hf=None):
        nonlocal failed, classes_seen
        if args.only not in name:
            return
        wrong, example = [], ""
        for ours, text in zip(ours_of(tokenizer, f"{scratch}/texts.jsonl"), texts, strict=True):
            theirs = encode(text)
            if ours != theirs:
                wrong.append(text)
                example = example or first_difference(ours, theirs, decode)
        replaced = [rule(raw) for raw in invalid]
        wrong_invalid = sum(ours != (encode_invalid(raw) if encode_invalid else encode(text))
                            for ours, text, raw in zip(ours_of_texts(tokenizer, replaced), replaced, invalid))
        explained = ""
        if wrong and hf:
            classes = code_point_classes(hf, lambda some: ours_of_texts(tokenizer, some), name)
            known = {ord(c): " " for points in classes.values() for c in points}
            without = [text.translate(known) for text in wrong]
            left = sum(ours != encode(text) for ours, text in zip(ours_of_texts(tokenizer, without), without))
            classes_seen += len(classes)
            explained = f", {left} of them without the {len(known)} code points on which the tables differ"
            print_classes(classes)
            ok = left == 0
        else:
            ok = not wrong
        ok = ok and wrong_invalid == 0
        failed += not ok
        print(f"{'ok  ' if ok else 'FAIL'} {name}: {len(wrong)} of {len(texts)} documents differ{explained} {example}; "
              f"{wrong_invalid} of {len(invalid)} of invalid UTF-8", flush=True)

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
                    lambda t, hf=hf: hf.encode(t, add_special_tokens=False).ids, hf.decode, hf=hf if gguf == "bert-bge" else None)
    try:
        import sentencepiece
    except ImportError:
        return failed > 0 or classes_seen > 20
    for model in ("spm_test_model", "spm_chinese", "llama"):
        file = f"{DATA}/tokenizer/{model}.model"
        if model == "llama":
            file = convert(f"{DATA}/tokenizer/ggml-vocab-llama-spm.gguf.zst", f"{scratch}/llama.model")
        spm = sentencepiece.SentencePieceProcessor(model_file=file)
        compare(f"{model} sentencepiece {sentencepiece.__version__}", file, spm.encode, spm.decode, rule_of(spm), spm.encode)
        again = sentencepiece.SentencePieceProcessor(model_file=convert(file, f"{scratch}/{model}.again.model"))
        compare(f"{model} written again, sentencepiece {sentencepiece.__version__}", file, again.encode, again.decode, rule_of(again), again.encode)
    return failed > 0 or classes_seen > 20


if __name__ == "__main__":
    sys.exit(main())
