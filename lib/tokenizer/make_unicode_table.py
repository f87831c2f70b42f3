#!/usr/bin/env python3
"""Writes the Unicode tables: unicode_table.cpp (classes), unicode_script_table.cpp, unicode_normal_table.cpp
(decompositions, compositions, combining classes, lower case). All are of Unicode 16.0, the version by which
tokenizers 0.23 (Oniguruma) and tiktoken 0.14 cut text, so that ids agree with theirs and never change with a library.

    make_unicode_table.py UCD_FOLDER        (UnicodeData.txt and Scripts.txt of Unicode 16.0; package unicodedata2 16.0)
"""
import pathlib
import sys

import unicodedata2

VERSION = "16.0.0"
HERE = pathlib.Path(__file__).resolve().parent
ALL = 0x110000
CLASSES = ["other", "control", "format", "private_use", "space", "decimal", "letter_number", "other_number", "upper", "lower",
           "letter", "nonspacing_mark", "mark", "connector", "punctuation", "symbol"]
CLASS_OF = {"Cc": "control", "Cf": "format", "Co": "private_use", "Nd": "decimal", "Nl": "letter_number",
            "No": "other_number", "Lu": "upper", "Lt": "upper", "Ll": "lower", "Mn": "nonspacing_mark", "Pc": "connector"}
GROUP_OF = {"L": "letter", "M": "mark", "P": "punctuation", "S": "symbol"}
WHITE_SPACE = {*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
HANGUL = range(0xAC00, 0xAC00 + 11172)
NFD, NFKD, NFC, NFKC, JOINS, LOWER = (1 << i for i in range(6))  # as in unicode_normal.h


def class_of(code):
    if code in WHITE_SPACE:
        return CLASSES.index("space")
    category = unicodedata2.category(chr(code))
    return CLASSES.index(CLASS_OF.get(category) or GROUP_OF.get(category[0], "other"))


def blocks_of(values, size=256):
    blocks, index = {}, []
    for start in range(0, ALL, size):
        index.append(blocks.setdefault(tuple(values[start : start + size]), len(blocks)))
    assert len(blocks) <= 256
    return index, blocks


def array(kind, name, values, columns=32):
    lines = [f"const {kind} {name}[{len(values)}] = {{"]
    lines += ["  " + "".join(f"{v}," for v in values[k : k + columns]) for k in range(0, len(values), columns)]
    return lines + ["};"]


def write(name, header, body):
    lines = [f"// Written by make_unicode_table.py from Unicode {VERSION}; do not edit.", f'#include "tokenizer/{header}"', "",
             "namespace llmkit::tokenizer::detail {", "", "// clang-format off", *body, "// clang-format on", "",
             "}  // namespace llmkit::tokenizer::detail", ""]
    (HERE / name).write_text("\n".join(lines))


def bytes_table(index_name, table_name, values):
    index, blocks = blocks_of(values)
    body = array("uint8_t", index_name, index) + [f"const uint8_t {table_name}[{len(blocks)}][256] = {{"]
    return body + ["  {" + ",".join(map(str, block)) + "}," for block in blocks] + ["};"]


def classes():
    index, blocks = blocks_of([class_of(c) for c in range(ALL)])
    body = array("uint8_t", "kBlockOf", index) + [f"const uint64_t kClassBlocks[{len(blocks)}][16] = {{"]
    for block in blocks:
        words = [sum(block[w * 16 + i] << (4 * i) for i in range(16)) for w in range(16)]
        body.append("  {" + ",".join(f"0x{word:x}" for word in words) + "},")
    write("unicode_table.cpp", "unicode_class.h", body + ["};"])


def scripts(folder):
    text = (folder / "Scripts.txt").read_text(encoding="utf-8")
    assert VERSION in text.splitlines()[0]
    values, names = [0] * ALL, ["Unknown"]
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        codes, script = (part.strip() for part in line.split(";"))
        if script not in names:
            names.append(script)
        first, last = (int(c, 16) for c in (codes.split("..") * 2)[:2])
        values[first : last + 1] = [names.index(script)] * (last + 1 - first)
    body = array("char* const", "kScriptNames", [f'"{n}"' for n in names], 8)
    body += [f"const int kScripts = {len(names)};"]
    write("unicode_script_table.cpp", "unicode_script.h", body + bytes_table("kScriptBlockOf", "kScriptBlocks", values))


def normal(folder):
    lower, given = {0x130: [0x69, 0x307]}, {}
    for line in open(folder / "UnicodeData.txt", encoding="utf-8"):
        fields = line.split(";")
        code = int(fields[0], 16)
        given[code] = fields[5]
        if fields[13] and code != 0x130:
            lower[code] = [int(fields[13], 16)]
    assert all(unicodedata2.decomposition(chr(c)) == d for c, d in given.items()), "not Unicode 16.0"
    full = {form: {} for form in ("NFD", "NFKD")}
    pairs, second = {}, {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}
    for code in range(ALL):
        if 0xD800 <= code < 0xE000 or code in HANGUL:
            continue
        for form, table in full.items():
            expanded = [ord(c) for c in unicodedata2.normalize(form, chr(code))]
            if expanded != [code]:
                table[code] = expanded
        parts = given.get(code, "").split()
        if len(parts) == 2 and parts[0][0] != "<" and unicodedata2.normalize("NFC", chr(code)) == chr(code):
            pairs[int(parts[0], 16) << 32 | int(parts[1], 16)] = code
            second.add(int(parts[1], 16))
    flags = [0] * ALL
    for code in range(ALL):
        if 0xD800 <= code < 0xE000:
            continue
        c, f = chr(code), 0
        f |= NFD * (code in full["NFD"] or code in HANGUL) | NFKD * (code in full["NFKD"] or code in HANGUL)
        starts = {code, full["NFD"].get(code, [code])[0], full["NFKD"].get(code, [code])[0]}
        f |= JOINS * any(unicodedata2.combining(chr(s)) or s in second for s in starts)
        for bit, form in ((NFC, "NFC"), (NFKC, "NFKC")):
            f |= bit * (unicodedata2.normalize(form, c) != c)
        flags[code] = f | LOWER * (code in lower)
    body = bytes_table("kNormalBlockOf", "kNormalBlocks", flags)
    pool = []
    for name, table in (("Canonical", full["NFD"]), ("Compatible", full["NFKD"]), ("Lower", lower)):
        rows = []
        for code, expanded in sorted(table.items()):
            rows.append(f"{{0x{code:x},{len(pool)},{len(expanded)}}}")
            pool += expanded
        body += array("Mapping", f"k{name}", rows, 8) + [f"const size_t k{name}Size = {len(rows)};"]
    assert len(pool) < 65536
    body += array("uint32_t", "kMapped", [hex(c) for c in pool], 16)
    body += array("Composition", "kCompositions", [f"{{0x{k:x},0x{v:x}}}" for k, v in sorted(pairs.items())], 6)
    body += [f"const size_t kCompositionsSize = {len(pairs)};"]
    rows = []
    for code in range(ALL):
        ccc = unicodedata2.combining(chr(code))
        if ccc and rows and rows[-1][1] == code - 1 and rows[-1][2] == ccc:
            rows[-1][1] = code
        elif ccc:
            rows.append([code, code, ccc])
    body += array("CombiningRange", "kCombining", [f"{{0x{a:x},0x{b:x},{c}}}" for a, b, c in rows], 8)
    body += [f"const size_t kCombiningSize = {len(rows)};"]
    write("unicode_normal_table.cpp", "unicode_normal.h", body)


def main():
    assert unicodedata2.unidata_version == VERSION, unicodedata2.unidata_version
    folder = pathlib.Path(sys.argv[1])
    classes()
    scripts(folder)
    normal(folder)


main()
