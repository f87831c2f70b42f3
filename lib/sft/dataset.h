// Conversations as training examples: token ids, and which of them are targets. Only what the assistant says is a
// target, the token that ends its turn included; what stands behind the last target is cut off.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "formats/chat.h"
#include "tokenizer/chat_template.h"

namespace llmkit::sft {

// What becomes of a conversation that does not fit a row.
enum class Overlong {
  turns,  // ends with the last assistant turn that fits whole; without one it is dropped
  cut     // ends where the row ends, in the middle of a turn if need be
};
// Which of the assistant's turns are targets.
enum class TrainOn { all_turns, last_turn };

struct DatasetOptions {
  int64_t max_length = 512;  // inputs; one token more is the last target
  Overlong overlong = Overlong::turns;
  TrainOn train_on = TrainOn::all_turns;
};

struct Example {
  std::vector<int32_t> tokens;
  std::vector<bool> trained;  // of each token; the first never is, nothing stands before it
  int64_t conversation = 0;   // index in the input
  int64_t inputs() const { return static_cast<int64_t>(tokens.size()) - 1; }
  int64_t targets() const;
};

// What was made of the input: printed, so that nothing disappears silently.
struct Coverage {
  int64_t conversations = 0, kept = 0;
  int64_t without_target = 0;  // dropped: no assistant turn to learn
  int64_t too_long = 0;        // dropped: no whole assistant turn fits
  int64_t shortened = 0;       // kept in part
  int64_t tokens = 0, targets = 0;
  int64_t longest = 0;  // tokens of the longest conversation before shortening

  std::string text() const;
};

struct Dataset {
  std::vector<Example> examples;
  Coverage coverage;
};

// Throws Error, naming the causes, when no target is left.
Dataset build_dataset(Parallel& parallel, const tokenizer::Tokenizer& tokenizer, const tokenizer::ChatTemplate& chat,
                      std::span<const formats::Conversation> conversations, const DatasetOptions& options);

// A conversation as the model sees it, for a terminal: targets in green, the rest dim, control tokens in angle quotes.
std::string show_mask(const tokenizer::Tokenizer& tokenizer, const Example& example, bool colour);

}  // namespace llmkit::sft
