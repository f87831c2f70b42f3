#!/usr/bin/env python3
"""Writes golden.json: what Hugging Face tokenizers makes of data-samples/chat.jsonl and of difficult strings.

    make_golden.py > golden.json        (needs the Python package tokenizers 0.23)
"""
import json
import pathlib

import tokenizers
from make_pretokenizer_golden import PATTERNS
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

ROOT = pathlib.Path(__file__).resolve().parents[3]
FAMILY = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
STRINGS = [
    "", " ", "  ", "\n", "\t\n ", "a", " a", "Hello world", "Hello  world ", "I'll we'LL she'S 'ſ it's 'tis O'Neil",
    "x = y+1;  // comment\r\n\r\n\tif (a[0] != b) { return -1.5e10; }", "1234567 12 1 3.14 ¼ Ⅻ ١٢٣",
    "你好，世界！今天天气很好。", "日本語のテキスト、カタカナ", "한국어 문장입니다.", "Привет, как дела?", "مرحبا بالعالم", "שלום עולם",
    "สวัสดีชาวโลก", "नमस्ते दुनिया", "naïve café résumé", "e\u0301 a\u0308", "😀👍🏽 👨‍👩‍👧‍👦 🇩🇪", "\u00a0\u2003x\u3000y\u200bz\ufeffw",
    "a\u0085b\u2028c\u2029d", "...!!!???", "-----=====_____", "<|endoftext|> <|im_start|>user", "A" * 70, "ab" * 60, "  \n  \n  x",
    "http://example.com/a?b=c&d=%20#e", "don’t “quote” — dash…", "\u0130 ǅ ʰ ª º", "\U00010400\U00010428 \U0001d54f", "end with spaces   ",
]


def splitting(digits):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(FAMILY % digits), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])


def by_patterns(name):
    steps = [pre_tokenizers.Split(Regex(p), "isolated") for p in PATTERNS[name]]
    return pre_tokenizers.Sequence(steps + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


PRETOKENIZERS = {
    "cl100k": lambda: by_patterns("cl100k"),
    "deepseek": lambda: by_patterns("deepseek"),
    "digits": lambda: pre_tokenizers.Sequence([pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)]),
    "gpt2": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False),
    "llama3": lambda: splitting(r"\p{N}{1,3}"),
    "none": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    "o200k": lambda: by_patterns("o200k"),
    "qwen2": lambda: splitting(r"\p{N}"),
}


def main():
    lines = (ROOT / "data-samples/chat.jsonl").read_text(encoding="utf-8").splitlines()
    texts = ["\n".join(m["content"] for m in json.loads(line)["messages"]) for line in lines]
    golden = {"tokenizers": tokenizers.__version__, "strings": STRINGS, "cases": []}
    for name, make in PRETOKENIZERS.items():
        t = Tokenizer(models.BPE())
        t.pre_tokenizer, t.decoder = make(), decoders.ByteLevel()
        t.train_from_iterator(texts, trainers.BpeTrainer(
            vocab_size=520, min_frequency=2, special_tokens=["<|endoftext|>", "<|im_start|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
        merges = [" ".join(pair) for pair in json.loads(t.to_str())["model"]["merges"]]
        parsed = [t.encode(s, add_special_tokens=False).ids for s in STRINGS]
        t.encode_special_tokens = True
        plain = [t.encode(s, add_special_tokens=False).ids for s in STRINGS]
        golden["cases"].append({"pretokenizer": name, "merges": merges, "plain": plain, "parsed": parsed})
    print(json.dumps(golden, ensure_ascii=False, separators=(",", ":")))


main()
