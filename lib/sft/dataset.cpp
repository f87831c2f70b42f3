#include "sft/dataset.h"

#include <algorithm>

#include "base/error.h"
#include "base/units.h"

namespace llmkit::sft {
namespace {

enum class Fate { kept, shortened, without_target, too_long };

struct Built {
  Example example;
  Fate fate = Fate::kept;
  int64_t length = 0;
};

void cut(Example& example, size_t size) {
  example.tokens.resize(size);
  example.trained.resize(size);
}

// One past the last target among the first `limit` tokens; 0 where there is none. `whole_turns`: a target that is
// followed by another one does not count, so that a turn is never cut before the token that ends it.
size_t end_of_targets(const Example& example, size_t limit, bool whole_turns) {
  auto& trained = example.trained;
  for (size_t end = std::min(limit, trained.size()); end > 1; --end) {
    if (!trained[end - 1]) continue;
    if (!whole_turns || end == trained.size() || !trained[end]) return end;
  }
  return 0;
}

Built build_example(const tokenizer::Tokenizer& tokenizer, const tokenizer::ChatTemplate& chat,
                    const formats::Conversation& conversation, const DatasetOptions& options) {
  std::vector<formats::Message> messages = conversation.messages;
  if (options.train_on == TrainOn::last_turn) {
    auto last = std::find_if(messages.rbegin(), messages.rend(), tokenizer::is_trained);
    for (auto& m : messages)
      if (last == messages.rend() || &m != &*last) m.weight = 0;
  }
  auto encoded = tokenizer::encode_chat(tokenizer, chat, messages, false);
  Built out;
  out.example.tokens = std::move(encoded.ids);
  out.example.trained = std::move(encoded.trained);
  out.length = static_cast<int64_t>(out.example.tokens.size());
  if (!out.example.trained.empty()) out.example.trained[0] = false;
  size_t end = end_of_targets(out.example, out.example.tokens.size(), false);
  if (end == 0) {
    out.fate = Fate::without_target;
    return out;
  }
  auto limit = static_cast<size_t>(options.max_length) + 1;
  if (end > limit) {
    end = options.overlong == Overlong::turns ? end_of_targets(out.example, limit, true)
                                              : end_of_targets(out.example, limit, false);
    out.fate = end == 0 ? Fate::too_long : Fate::shortened;
  }
  cut(out.example, end);
  return out;
}

}  // namespace

int64_t Example::targets() const {
  return std::count(trained.begin(), trained.end(), true);
}

std::string Coverage::text() const {
  auto n = [](int64_t count) { return format_count(static_cast<uint64_t>(count)); };
  std::string share = std::to_string(tokens ? 100 * targets / tokens : 0);
  std::string out = n(conversations) + " conversations, " + n(kept) + " kept; " + n(tokens) + " tokens, " + n(targets) +
                    " of them targets (" + share + " %)";
  if (shortened) out += "; " + n(shortened) + " shortened";
  if (too_long) out += "; " + n(too_long) + " dropped as too long";
  if (without_target) out += "; " + n(without_target) + " dropped without an assistant turn to learn";
  return out + "; longest " + n(longest) + " tokens";
}

Dataset build_dataset(Parallel& parallel, const tokenizer::Tokenizer& tokenizer, const tokenizer::ChatTemplate& chat,
                      std::span<const formats::Conversation> conversations, const DatasetOptions& options) {
  std::vector<Built> built(conversations.size());
  parallel.for_ranges(static_cast<int64_t>(conversations.size()), 64, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
      built[i] = build_example(tokenizer, chat, conversations[i], options);
  });
  Dataset out;
  Coverage& c = out.coverage;
  c.conversations = static_cast<int64_t>(conversations.size());
  for (size_t i = 0; i < built.size(); ++i) {
    c.longest = std::max(c.longest, built[i].length);
    c.without_target += built[i].fate == Fate::without_target;
    c.too_long += built[i].fate == Fate::too_long;
    c.shortened += built[i].fate == Fate::shortened;
    if (built[i].fate == Fate::without_target || built[i].fate == Fate::too_long) continue;
    built[i].example.conversation = static_cast<int64_t>(i);
    c.tokens += static_cast<int64_t>(built[i].example.tokens.size());
    c.targets += built[i].example.targets();
    out.examples.push_back(std::move(built[i].example));
  }
  c.kept = static_cast<int64_t>(out.examples.size());
  if (c.targets == 0) {
    throw Error(ErrorParts{"nothing to train on: no token of the data is a target",
                           {},
                           "assistant turns that fit the context",
                           c.text(),
                           c.too_long ? "raise --context or choose --overlong cut" : "are the roles named assistant?"});
  }
  return out;
}

std::string show_mask(const tokenizer::Tokenizer& tokenizer, const Example& example, bool colour) {
  std::string out;
  for (size_t i = 0; i < example.tokens.size();) {
    // Neighbours of one kind are decoded together: a character may be several tokens.
    bool trained = example.trained[i], special = tokenizer.is_special(example.tokens[i]);
    size_t end = i + 1;
    while (!special && end < example.tokens.size() && example.trained[end] == trained &&
           !tokenizer.is_special(example.tokens[end]))
      ++end;
    std::string text = tokenizer.decode(std::span(example.tokens).subspan(i, end - i));
    if (colour)
      out += trained ? "\x1B[32m" : "\x1B[2m";
    else if (trained)
      out += "[";
    for (size_t at = 0; at <= text.size();) {  // printable() escapes newlines; a transcript keeps them
      size_t newline = std::min(text.find('\n', at), text.size());
      out += printable(std::string_view(text).substr(at, newline - at), text.size());
      if (newline < text.size()) out += '\n';
      at = newline + 1;
    }
    if (colour)
      out += "\x1B[0m";
    else if (trained)
      out += "]";
    i = end;
  }
  return out + "\n";
}

}  // namespace llmkit::sft
