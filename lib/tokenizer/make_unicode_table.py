#!/usr/bin/env python3
"""Writes unicode_table.cpp: the pre-tokenizers' character classes of Unicode 16.0, the version that tokenizers 0.23
(Oniguruma) and tiktoken 0.14 use, so that ids agree. Needs the UnicodeData.txt of that version, or the Python package
unicodedata2 16.0.

    make_unicode_table.py [UnicodeData.txt] > unicode_table.cpp
"""
import sys

VERSION = "16.0.0"
CLASSES = ["other", "space", "number", "upper", "lower", "letter", "mark", "punctuation", "symbol"]
WHITE_SPACE = {*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
BLOCK = 256


def categories(path):
    if path is None:
        import unicodedata2

        assert unicodedata2.unidata_version == VERSION, unicodedata2.unidata_version
        return [unicodedata2.category(chr(c)) for c in range(0x110000)]
    result = ["Cn"] * 0x110000
    first = None
    for line in open(path):
        fields = line.split(";")
        code = int(fields[0], 16)
        if fields[1].endswith(", Last>"):
            result[first : code + 1] = [fields[2]] * (code + 1 - first)
        result[code], first = fields[2], code
    return result


def class_of(code, category):
    if code in WHITE_SPACE:
        return "space"
    named = {"Lu": "upper", "Lt": "upper", "Ll": "lower"}
    groups = {"L": "letter", "N": "number", "M": "mark", "P": "punctuation", "S": "symbol"}
    return named.get(category) or groups.get(category[0], "other")


def main():
    found = categories(sys.argv[1] if len(sys.argv) > 1 else None)
    values = [CLASSES.index(class_of(code, category)) for code, category in enumerate(found)]
    blocks, index = {}, []
    for start in range(0, 0x110000, BLOCK):
        index.append(blocks.setdefault(tuple(values[start : start + BLOCK]), len(blocks)))
    assert len(blocks) < 256
    out = [
        f"// Written by make_unicode_table.py from Unicode {VERSION}; do not edit.",
        '#include "tokenizer/unicode_class.h"',
        "",
        "namespace llmkit::tokenizer::detail {",
        "",
        "// clang-format off",
        f"const uint8_t kBlockOf[{len(index)}] = {{",
    ]
    out += ["  " + "".join(f"{i}," for i in index[k : k + 32]) for k in range(0, len(index), 32)]
    out += ["};", f"const uint64_t kClassBlocks[{len(blocks)}][{BLOCK // 16}] = {{"]
    for block in blocks:
        words = [sum(block[w * 16 + i] << (4 * i) for i in range(16)) for w in range(BLOCK // 16)]
        out.append("  {" + ",".join(f"0x{word:x}" for word in words) + "},")
    out += ["};", "// clang-format on", "", "}  // namespace llmkit::tokenizer::detail"]
    print("\n".join(out))


main()
