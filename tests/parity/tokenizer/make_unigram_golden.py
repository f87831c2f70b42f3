#!/usr/bin/env python3
"""Writes unigram_golden.json: a text of ours and the Unigram vocabulary that SentencePiece 0.1.97 (Debian's spm_train) learns from it.

usage: make_unigram_golden.py FILE… > unigram_golden.json      (plain text that we wrote)
"""
import json
import subprocess
import sys
import tempfile

VOCAB = 700


def main():
    lines = [line.rstrip("\n") for name in sys.argv[1:] for line in open(name, encoding="utf-8")]
    text = "\n".join(line for line in lines if line.strip() and "▁" not in line and "\t" not in line) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/text", "w", encoding="utf-8") as file:
            file.write(text)
        subprocess.run(["spm_train", f"--input={folder}/text", f"--model_prefix={folder}/m", f"--vocab_size={VOCAB}", "--num_threads=1",
                        "--normalization_rule_name=identity", "--minloglevel=2", "--character_coverage=1.0"], check=True)
        with open(folder + "/m.vocab", encoding="utf-8") as file:
            pieces = [line.rstrip("\n").rpartition("\t") for line in file]
    version = subprocess.run(["spm_train", "--version"], capture_output=True, text=True)
    json.dump({"made_by": (version.stdout + version.stderr).strip(), "vocab_size": VOCAB, "text": text,
               "pieces": [[p, float(s)] for p, _, s in pieces[3:]]}, sys.stdout, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
