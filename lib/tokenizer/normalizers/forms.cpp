// Unicode normalisation forms C, D, KC and KD (Unicode 16.0, annex 15). Text that a form does not change is found by
// flags and copied; the rest is decomposed, ordered and composed from one starter to the next.
#include "tokenizer/normalizers/mapped_text.h"
#include "tokenizer/unicode_class.h"
#include "tokenizer/unicode_normal.h"

namespace llmkit::tokenizer {
namespace {

struct Form {
  std::string_view name;  // as in tokenizer.json
  bool compatible, composed;
  uint8_t changes;  // the NormalFlag of characters that are not themselves in this form
};

class UnicodeForm : public Normalizer {
 public:
  explicit UnicodeForm(Form form) : form_(form) {}

  void normalize(std::string_view text, TextStart, std::string& out, std::vector<size_t>* origins) const override {
    MappedText mapped(text, out, origins);
    const char *begin = text.data(), *end = begin + text.size();
    size_t copied = 0, starter = 0;  // copied so far; where the last character that joins nothing begins
    for (size_t at = 0; at < text.size();) {
      size_t ascii_end = skip_ascii(text, at);
      if (ascii_end > at) {
        starter = ascii_end - 1;
        at = ascii_end;
        continue;
      }
      Utf8Char c = decode_utf8(begin + at, end);
      if (c.code_point > 0x10FFFF) {  // not UTF-8: it stays, and nothing joins it
        starter = at += 1;
        continue;
      }
      uint8_t flags = normal_flags(c.code_point);
      if (!(flags & (form_.changes | kJoins))) {
        starter = at;
        at += c.length;
        continue;
      }
      size_t from = flags & kJoins ? starter : at;
      at += c.length;
      while (at < text.size()) {
        Utf8Char next = decode_utf8(begin + at, end);
        if (next.code_point > 0x10FFFF || !(normal_flags(next.code_point) & kJoins)) break;
        at += next.length;
      }
      mapped.copy(copied, from);
      rewrite(text, from, at, mapped);
      copied = starter = at;
    }
    mapped.copy(copied, text.size());
  }

  std::string hugging_face_json() const override { return "{\"type\":\"" + std::string(form_.name) + "\"}"; }

 private:
  struct Item {
    uint32_t code;
    uint8_t combining;
    size_t at;
  };

  // Well-formed text whose first character alone may be a starter.
  void rewrite(std::string_view text, size_t from, size_t to, MappedText& mapped) const {
    std::vector<Item> items;
    uint32_t parts[18];
    while (from < to) {
      Utf8Char c = decode_utf8(text.data() + from, text.data() + to);
      size_t n = decompose(c.code_point, form_.compatible, parts);
      for (size_t i = 0; i < n; ++i) items.push_back({parts[i], combining_class(parts[i]), from});
      from += c.length;
    }
    for (auto it = items.begin(); it != items.end();) {  // canonical order: marks between starters by their class
      if (it->combining == 0) {
        ++it;
        continue;
      }
      auto next = std::find_if(it, items.end(), [](const Item& item) { return item.combining == 0; });
      std::stable_sort(it, next, [](const Item& a, const Item& b) { return a.combining < b.combining; });
      it = next;
    }
    if (form_.composed) compose_all(items);
    for (auto& item : items) mapped.put_code(item.code, item.at);
  }

  // Each character joins the last starter unless one of the same or a higher class stands between (a blocked one).
  static void compose_all(std::vector<Item>& items) {
    size_t kept = 0, starter = SIZE_MAX;
    int last = -1;  // class of what stands before, -1 right behind the starter
    for (auto& item : items) {
      if (starter != SIZE_MAX && last < item.combining) {
        if (uint32_t joined = compose(items[starter].code, item.code)) {
          items[starter].code = joined;
          continue;
        }
      }
      if (item.combining == 0) {
        starter = kept;
        last = -1;
      } else {
        last = item.combining;
      }
      items[kept++] = item;
    }
    items.resize(kept);
  }

  Form form_;
};

template <bool Compatible, bool Composed>
Entry<Normalizer> form_entry(std::string_view name, std::string_view summary) {
  Entry<Normalizer> entry{{name, summary, "Unicode Standard Annex 15"}};
  entry.make = [](const Values&) -> std::unique_ptr<Normalizer> {
    constexpr std::string_view kName = Composed ? (Compatible ? "NFKC" : "NFC") : (Compatible ? "NFKD" : "NFD");
    constexpr uint8_t kChanges =
        Composed ? (Compatible ? kChangesNfkc : kChangesNfc) : (Compatible ? kChangesNfkd : kChangesNfd);
    return std::make_unique<UnicodeForm>(Form{kName, Compatible, Composed, kChanges});
  };
  return entry;
}

}  // namespace

Entry<Normalizer> nfc_normalizer() {
  return form_entry<false, true>("nfc", "letters and their accents composed (Unicode form C)");
}
Entry<Normalizer> nfd_normalizer() {
  return form_entry<false, false>("nfd", "letters and their accents apart (Unicode form D)");
}
Entry<Normalizer> nfkc_normalizer() {
  return form_entry<true, true>("nfkc", "as nfc, and ligatures, wide and styled letters become plain ones");
}
Entry<Normalizer> nfkd_normalizer() {
  return form_entry<true, false>("nfkd", "as nfd, and ligatures, wide and styled letters become plain ones");
}

}  // namespace llmkit::tokenizer
