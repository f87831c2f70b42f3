#!/usr/bin/env python3
"""Writes normalizer_golden.txt: hashes of what other programs make of every code point in context, one a normalizer and
16384 code points: Python's unicodedata2 16.0 for the Unicode forms, Hugging Face tokenizers and
sentencepiece for the rest.

    make_normalizer_golden.py            (packages unicodedata2 16.0, tokenizers 0.23, sentencepiece 0.2.3, xxhash)

Where Hugging Face's tables are of another Unicode version, the code point counts as the one that 16.0 makes of it:
lowercase is Unicode 17's (28 new pairs), strip-accents and bert know Unicode 9 to 12.
"""
import sentencepiece
import unicodedata2
import xxhash
from tokenizers import normalizers

CHUNK = 0x4000
CONTEXT = "a{0}b {0}\u0301{0}\u0345\u0323{0}{0}\u1100{0}\u1161{0}\u11a8 A{0}\u3099\uff9e"


def bert(text):
    out = []
    for c in text:
        kind, code = unicodedata2.category(c), ord(c)
        if c in "\t\n\r" or kind in ("Zs", "Zl", "Zp"):
            out.append(" ")
        elif code == 0 or code == 0xFFFD or kind in ("Cc", "Cf", "Co"):
            continue
        elif any(a <= code <= b for a, b in CHINESE):
            out.append(f" {c} ")
        else:
            out.append(c)
    apart = unicodedata2.normalize("NFD", "".join(out))
    return lower("".join(c for c in apart if unicodedata2.category(c) != "Mn"))


CHINESE = [(0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B81F), (0x2B920, 0x2CEAF), (0xF900, 0xFAFF),
           (0x2F800, 0x2FA1F)]
lowercase = normalizers.Lowercase()


def lower(text):
    assigned = lambda c: unicodedata2.category(c) != "Cn"
    pairs = ((c, lowercase.normalize_str(c)) for c in text)
    return "".join(l if all(map(assigned, c + l)) else c for c, l in pairs)


def main():
    peers = {form.lower(): lambda t, form=form: unicodedata2.normalize(form, t) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    peers["lowercase"] = lower
    peers["nmt"] = normalizers.Nmt().normalize_str
    # U+A7F1 has been a character since Unicode 17 alone, which sentencepiece 0.2.3 knows.
    spm = sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc", add_dummy_prefix=False, remove_extra_whitespaces=False,
                                                escape_whitespaces=False)
    peers["nmt-nfkc"] = lambda t: spm.normalize(t.replace("\ua7f1", "\ue000")).replace("\ue000", "\ua7f1") if "\ua7f1" in t else spm.normalize(t)
    peers["strip-accents"] = lambda t: "".join(c for c in t if unicodedata2.category(c)[0] != "M")
    peers["bert"] = bert
    for name, normalize in peers.items():
        hashes = []
        for first in [*range(0, 0x34000, CHUNK), 0xE0000]:
            digest = xxhash.xxh3_64()
            for code in range(first, first + CHUNK):
                if not 0xD800 <= code < 0xE000:
                    digest.update(normalize(CONTEXT.format(chr(code))).encode() + b"\xff")
            hashes.append(f"{first:x}:{digest.hexdigest()}")
        print(name, *hashes, flush=True)


if __name__ == "__main__":
    main()
