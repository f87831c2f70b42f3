// Words as symbols on disk: records in blocks of about a megabyte, which the threads of the pool decode side by side
// and which are given on in their order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/context.h"
#include "io/scratch.h"

namespace llmkit::tokenizer {

// Records of one block: the number of symbols, the count, the symbols; all as numbers of seven bits a byte.
class WordBlock {
 public:
  void put(std::span<const int32_t> symbols, uint64_t count);
  void append(const WordBlock& other) {
    bytes_ += other.bytes_;
    words_ += other.words_;
  }
  void clear() { bytes_.clear(), words_ = 0; }
  uint64_t words() const { return words_; }
  size_t size() const { return bytes_.size(); }

  // f(symbols, count) for each word; `symbols` may be changed.
  template <class F>
  void for_words(F&& f) const {
    visit([&](std::vector<int32_t>& symbols, uint64_t count, auto&&) { f(symbols, count); });
  }
  // As for_words, and what f returns true for goes to `out` as it was, the others nowhere.
  template <class F>
  void copy_if(WordBlock& out, F&& f) const {
    visit([&](std::vector<int32_t>& symbols, uint64_t count, std::string_view record) {
      if (!f(symbols, count)) return;
      out.bytes_ += record;
      ++out.words_;
    });
  }

 private:
  friend class WordFile;
  template <class F>
  void visit(F&& f) const {
    const char *p = bytes_.data(), *end = p + bytes_.size();
    std::vector<int32_t> symbols;
    while (p < end) {
      const char* begin = p;
      symbols.resize(number(p));
      uint64_t count = number(p);
      for (auto& s : symbols) s = static_cast<int32_t>(number(p));
      f(symbols, count, std::string_view(begin, p));
    }
  }
  static uint64_t number(const char*& p) {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      auto byte = static_cast<unsigned char>(*p++);
      value |= uint64_t{byte & 127u} << shift;
      if (byte < 128) return value;
    }
  }
  std::string bytes_;
  uint64_t words_ = 0;
};

class WordFile {
 public:
  explicit WordFile(size_t block_bytes = size_t{1} << 20) : file_(""), block_bytes_(block_bytes) {}
  void put(std::span<const int32_t> symbols, uint64_t count);
  void put(const WordBlock& block);
  void finish();  // before it is read
  uint64_t words() const { return words_; }
  uint64_t bytes() const { return bytes_; }

  // work(block, result) on the pool for every block, then sink(result) in their order on this thread.
  template <class Result, class Work, class Sink>
  void for_blocks(Context& context, Work&& work, Sink&& sink) const {
    struct Item {
      WordBlock block;
      Result result;
    };
    size_t next = 0;
    context.parallel.pipeline<Item>(
        kAtOnce, [&](Item& item) { return read(context, next, item.block); },
        [&](Item& item) {
          work(item.block, item.result);
          item.block.clear();
        },
        [&](Item& item) { sink(item.result); });
  }

 private:
  static constexpr int64_t kAtOnce = 8;
  struct Place {
    uint64_t begin, words;
    size_t size;
  };
  bool read(Context& context, size_t& next, WordBlock& block) const;
  void write();

  io::TemporaryFile file_;
  size_t block_bytes_;
  WordBlock filling_;
  std::vector<Place> blocks_;
  uint64_t words_ = 0, bytes_ = 0;
};

}  // namespace llmkit::tokenizer
