// Rules to the form in which SentencePiece keeps them: a double array as darts-clone's, the size of which comes first,
// and the replacements, each ended by a zero byte. Nodes with equal children share them: nine tenths of the rules spell
// the same Korean syllables with other signs.
#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "tokenizer/charsmap_rules.h"
#include "tokenizer/xor_slots.h"

namespace llmkit::tokenizer {
namespace {

class Compiler {
 public:
  explicit Compiler(const CharsmapRules& rules) {
    for (auto& [from, to] : rules) {
      auto [place, is_new] = places_.try_emplace(to, static_cast<uint32_t>(replacements_.size()));
      if (is_new) replacements_.append(to).push_back('\0');
      keys_.push_back({from, place->second});
    }
    slots_.add_block();
    slots_.take(0);
    Group root = children_of(0, keys_.size(), 0);
    units_.resize(slots_.size(), kFree);
    if (units_.size() > kMostUnits) throw Error("too many rules for a normalizer");
    units_[0] = unit(0, 0, root);
  }

  std::string blob() const {
    auto size = static_cast<uint32_t>(units_.size() * sizeof(uint32_t));
    std::string out(4 + size, '\0');
    std::memcpy(out.data(), &size, 4);
    std::memcpy(out.data() + 4, units_.data(), size);
    return out + replacements_;
  }

 private:
  static constexpr uint32_t kFree = 0x80000000;          // has no byte's label
  static constexpr size_t kMostUnits = size_t{1} << 21;  // so far an offset reaches
  struct Key {
    std::string_view from;
    uint32_t value;
  };
  // Where the children of a node lie, the first of which may be its value.
  struct Group {
    uint32_t base = 0;
    bool has_value = false;
    auto operator<=>(const Group&) const = default;
  };
  // A child: its label, and its value (label 0) or its children.
  struct Child {
    unsigned char label;
    uint32_t value;
    Group children;
    auto operator<=>(const Child&) const = default;
  };

  static uint32_t unit(uint32_t slot, unsigned char label, Group children) {
    return (slot ^ children.base) << 10 | (children.has_value ? 0x100u : 0) | label;
  }

  // Of the keys [begin, end), which agree in their first `depth` bytes.
  Group children_of(size_t begin, size_t end, size_t depth) {
    std::vector<Child> children;
    if (begin < end && keys_[begin].from.size() == depth) children.push_back({0, keys_[begin++].value, {}});
    while (begin < end) {
      char label = keys_[begin].from[depth];
      size_t next = begin;
      while (next < end && keys_[next].from[depth] == label) ++next;
      children.push_back({static_cast<unsigned char>(label), 0, children_of(begin, next, depth + 1)});
      begin = next;
    }
    auto [known, is_new] = groups_.try_emplace(children);
    if (!is_new || children.empty()) return known->second;
    std::vector<unsigned char> labels;
    for (auto& child : children) labels.push_back(child.label);
    uint32_t base = slots_.place(labels);
    units_.resize(slots_.size(), kFree);
    for (auto& child : children) {
      uint32_t slot = base ^ child.label;
      units_[slot] = child.label == 0 ? child.value | kFree : unit(slot, child.label, child.children);
    }
    return known->second = {base, children.front().label == 0};
  }

  std::vector<Key> keys_;
  std::unordered_map<std::string, uint32_t> places_;
  std::string replacements_;
  std::map<std::vector<Child>, Group> groups_;
  XorSlots slots_;
  std::vector<uint32_t> units_;
};

}  // namespace

std::string compile_charsmap(const CharsmapRules& rules) {
  return rules.empty() ? std::string() : Compiler(rules).blob();
}

}  // namespace llmkit::tokenizer
