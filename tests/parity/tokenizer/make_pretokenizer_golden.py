#!/usr/bin/env python3
"""Writes pretokenizer_golden.txt: hashes of the pieces into which Hugging Face tokenizers' regular expressions cut every
code point in context, one a pre-tokenizer and 16384 code points.

    make_pretokenizer_golden.py [--all] [NAME…]
        (packages tokenizers 0.23, xxhash; UCD_FOLDER: where Scripts.txt of Unicode 16.0 is)

Without --all, planes 4 to 13, where nothing is assigned, and most of the private use planes are left out; the unit test
reads what the file has. --versions lists the code points whose class the peer takes from another Unicode version.
"""
import os
import sys

import xxhash
from tokenizers import Regex, pre_tokenizers

CHUNK = 0x4000
CONTEXT = "a{0}b {0}A{0}{0}1{0}1 !{0}!{0}\n{0} '{0}s\n{0}  {0}Aa{0}Bb  {0}/x.{0}'s\t{0}\u4e2d{0}\u3042 \u4e2d\u0301{0}{0}z \u2581{0}\r\n "
FAMILY = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
U, L, C = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]", r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
PATTERNS = {
    "cl100k": [r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+\z|\s*[\r\n]|\s+(?!\S)|\s"],
    "deepseek": [r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
                 r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""],
    "gpt2": [r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"],
    "llama3": [FAMILY % r"\p{N}{1,3}"],
    "o200k": [rf"[^\r\n\p{{L}}\p{{N}}]?{U}*{L}+{C}|[^\r\n\p{{L}}\p{{N}}]?{U}+{L}*{C}|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "qwen2": [FAMILY % r"\p{N}"],
}


def splits(patterns):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(p), "isolated") for p in patterns])


def peers():
    made = {name: splits(patterns).pre_tokenize_str for name, patterns in PATTERNS.items()}
    # Digits asks Rust for numbers: the same as cutting \p{N} out.
    made["digits"] = splits([r"\p{N}"] + PATTERNS["gpt2"]).pre_tokenize_str
    # BertPreTokenizer, whose Unicode is older (version 9: U+2E45 and some fifty more are no punctuation to it).
    bert = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(r"\p{P}|[$+<=>^`|~]"), "isolated")]
    made["bert"] = pre_tokenizers.Sequence(bert).pre_tokenize_str
    made["whitespace"] = pre_tokenizers.WhitespaceSplit().pre_tokenize_str
    made["words"] = pre_tokenizers.Whitespace().pre_tokenize_str
    made["metaspace"] = splits([r"(?=\u2581)[\s\S][^\u2581]*|[^\u2581]+"]).pre_tokenize_str
    made["per-script"] = per_script
    return made


def per_script(text):
    pieces, begin, last = [], 0, None
    for i, c in enumerate(text):
        if c == " ":
            continue
        now = "Han" if c == "\u30fc" else SCRIPTS.get(ord(c), "Unknown")
        if last is not None and now != last:
            pieces.append((text[begin:i], (begin, i)))
            begin = i
        last = now
    return pieces + [(text[begin:], (begin, len(text)))]


def read_scripts():
    for line in open(os.path.join(os.environ["UCD_FOLDER"], "Scripts.txt"), encoding="utf-8"):
        codes, _, script = line.split("#")[0].strip().partition(";")
        if script:
            first, last = (int(c, 16) for c in (codes.strip().split("..") * 2)[:2])
            name = script.strip()
            SCRIPTS.update(dict.fromkeys(range(first, last + 1), "Han" if name in ("Hiragana", "Katakana") else name))


SCRIPTS = {}


def list_versions():
    import unicodedata2 as u
    assert u.unidata_version == "16.0.0"
    made = {k: pre_tokenizers.Split(Regex(rf"\p{{{k}}}"), "isolated") for k in ("L", "M", "N", "P", "S", "Lu", "Lt", "Ll")}
    for code in [*range(0x32000), *range(0xE0000, 0xE4000)]:
        if 0xD800 <= code < 0xE000:
            continue
        category = u.category(chr(code))
        for key, split in made.items():
            cut = len(split.pre_tokenize_str("\x00" + chr(code))) == 2 if code else False
            if cut != category.startswith(key):
                print(f"U+{code:04X} {category} {key} {cut}")


def hash_of(pre_tokenize, first):
    digest = xxhash.xxh3_64()
    for code in range(first, first + CHUNK):
        if 0xD800 <= code < 0xE000:
            continue
        text = CONTEXT.format(chr(code))
        at, offsets = 0, []
        for c in text:
            offsets.append(at)
            at += len(c.encode())
        offsets.append(at)
        digest.update(bytes(offsets[i] for _, span in pre_tokenize(text) for i in span))
        digest.update(b"\xff")
    return digest.hexdigest()


def main():
    arguments = sys.argv[1:]
    if "--versions" in arguments:
        return list_versions()
    chunks = [*range(0, 0x32000, CHUNK), 0xE0000, 0xF0000, 0x10C000]
    if "--all" in arguments:
        chunks = range(0, 0x110000, CHUNK)
    names = [a for a in arguments if a[0] != "-"]
    read_scripts()
    for name, pre_tokenize in sorted(peers().items()):
        if names and name not in names:
            continue
        print(name, *(f"{first:x}:{hash_of(pre_tokenize, first)}" for first in chunks), flush=True)


if __name__ == "__main__":
    main()
