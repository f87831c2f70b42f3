// SentencePiece's precompiled rules: a double-array trie (Aoe 1989, in the layout of Darts-clone) of the byte strings
// that are replaced, and their replacements. At every place the longest one is taken; what is not UTF-8 becomes U+FFFD.
// The blob: the trie's size in bytes and its 32-bit units, little endian, then the replacements, each ended by a zero.
#include <cstring>

#include "base/error.h"
#include "base/json_writer.h"
#include "tokenizer/normalizers/mapped_text.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

int digit_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

[[noreturn]] void damaged(std::string expected, std::string found) {
  throw Error(ErrorParts{"damaged precompiled charsmap", {}, std::move(expected), std::move(found), {}});
}

std::string from_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  out.reserve(text.size() / 4 * 3 + 3);
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    int digit = digit_of(c);
    if (digit < 0) damaged("base64", "byte " + std::to_string(static_cast<unsigned char>(c)));
    bits = bits << 6 | static_cast<uint32_t>(digit);
    if ((count += 6) >= 8) out += static_cast<char>(bits >> (count -= 8) & 0xFF);
  }
  return out;
}

class CharsMap : public Normalizer {
 public:
  explicit CharsMap(std::string base64) : base64_(std::move(base64)) {
    std::string blob = from_base64(base64_);
    if (blob.empty()) return;
    uint32_t bytes = 0;
    if (blob.size() < 4) damaged("4 bytes of size", std::to_string(blob.size()));
    std::memcpy(&bytes, blob.data(), 4);
    if (bytes == 0 || bytes % 4 || bytes > blob.size() - 4)
      damaged("a trie of at most " + std::to_string(blob.size() - 4) + " bytes", std::to_string(bytes));
    trie_.resize(bytes / 4);
    std::memcpy(trie_.data(), blob.data() + 4, bytes);
    texts_ = blob.substr(4 + bytes);
    if (!texts_.empty() && texts_.back() != '\0') damaged("a zero behind the last replacement", "none");
    // ASCII that no rule begins with is copied in runs.
    for (int c = 0; c < 128; ++c) plain_[c] = !child(root(), static_cast<unsigned char>(c));
  }

  void normalize(std::string_view text, TextStart, std::string& out, std::vector<size_t>* origins) const override {
    MappedText mapped(text, out, origins);
    size_t copied = 0;
    for (size_t at = 0; at < text.size();) {
      auto byte = static_cast<unsigned char>(text[at]);
      if (byte < 128 && plain_[byte]) {
        ++at;
        continue;
      }
      Match match = longest(text.substr(at));
      if (match.length) {
        mapped.copy(copied, at);
        mapped.put(texts_.c_str() + match.replacement, at);
        copied = at += match.length;
        continue;
      }
      Utf8Char c = decode_utf8(text.data() + at, text.data() + text.size());
      if (c.code_point > 0x10FFFF) {
        mapped.copy(copied, at);
        mapped.put("\xEF\xBF\xBD", at);
        copied = at + c.length;
      }
      at += c.length;
    }
    mapped.copy(copied, text.size());
  }

  std::string hugging_face_json() const override {
    std::string out;
    JsonWriter w(out);
    w.begin_object().member("type", "Precompiled").member("precompiled_charsmap", base64_).end_object();
    return out;
  }

 private:
  struct Match {
    size_t length = 0;
    uint32_t replacement = 0;
  };

  // A unit: label in the low byte (with the top bit, which a value has), offset of the children, whether one is a
  // value.
  static uint32_t label(uint32_t unit) { return unit & (uint32_t{1} << 31 | 0xFF); }
  static uint32_t offset(uint32_t unit) { return (unit >> 10) << ((unit & (1 << 9)) >> 6); }
  static bool has_value(uint32_t unit) { return unit >> 8 & 1; }

  uint32_t root() const { return trie_.empty() ? 0 : offset(trie_[0]); }
  // Whether `byte` leads on from the node whose children are at `place`.
  bool child(uint32_t place, unsigned char byte) const {
    uint32_t at = place ^ byte;
    return at < trie_.size() && label(trie_[at]) == byte;
  }
  Match longest(std::string_view text) const {
    Match best;
    uint32_t place = root();
    for (size_t i = 0; i < text.size(); ++i) {
      auto byte = static_cast<unsigned char>(text[i]);
      if (!child(place, byte)) break;
      uint32_t at = place ^ byte, unit = trie_[at];
      place = at ^ offset(unit);
      if (!has_value(unit) || place >= trie_.size()) continue;
      uint32_t value = trie_[place] & 0x7FFFFFFF;
      if (value < texts_.size()) best = {i + 1, value};
    }
    return best;
  }

  std::string base64_, texts_;
  std::vector<uint32_t> trie_;
  bool plain_[128] = {};
};

}  // namespace

Entry<Normalizer> charsmap_normalizer() {
  Entry<Normalizer> entry{{"charsmap", "rules that a SentencePiece model carries, the longest match at every place",
                           "Kudo and Richardson, SentencePiece, 2018"}};
  entry.params = {{"map", ParamType::text, "", "the precompiled rules in base64"}};
  entry.make = [](const Values& v) -> std::unique_ptr<Normalizer> { return std::make_unique<CharsMap>(v.text("map")); };
  return entry;
}

}  // namespace llmkit::tokenizer
