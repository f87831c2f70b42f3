// What one call of encode() works in, and those that no call uses at the moment: encode() is const and may run on any
// thread.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tokenizer/character_cuts.h"
#include "tokenizer/sentence_cache.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/word_cache.h"

namespace llmkit::tokenizer {

// What is known of a character of three bytes.
struct WideCharacter {
  int32_t ids[3];
  uint8_t count;  // 0: nothing yet
  uint8_t leaving, entering;
};

// And in a sentence.
struct SentenceCharacter {
  static constexpr int32_t kUnseen = -2, kNone = -1;  // kNone: more than one id, or a score that is not in the table
  int32_t id = kUnseen;
  float cost = 0;
};

struct Tokenizer::Workspace {
  WordCache cache;
  std::optional<SentenceCache> sentences;  // once there was one, as below
  std::vector<SentenceCharacter> characters;
  SubwordModel::Scratch scratch;
  std::vector<WideCharacter> wide;  // by code
  std::vector<size_t> ends = std::vector<size_t>(1024);
  std::vector<int32_t> ids;
  std::string normal;
  std::vector<size_t> origins;
};

struct Tokenizer::Pool {
  std::mutex mutex;
  std::vector<std::unique_ptr<Workspace>> idle;
};

class Tokenizer::Lease {
 public:
  explicit Lease(Pool& pool) : pool_(pool) {
    std::lock_guard lock(pool_.mutex);
    if (pool_.idle.empty()) return;
    space_ = std::move(pool_.idle.back());
    pool_.idle.pop_back();
  }
  ~Lease() {
    if (!space_) return;
    std::lock_guard lock(pool_.mutex);
    pool_.idle.push_back(std::move(space_));
  }
  Workspace& get() {
    if (!space_) space_ = std::make_unique<Workspace>();
    return *space_;
  }

 private:
  Pool& pool_;
  std::unique_ptr<Workspace> space_;
};

}  // namespace llmkit::tokenizer
