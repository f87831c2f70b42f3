// The words of a BPE training in as few bytes as they need, rewritten in place as they shrink: some ten bytes for a
// word of eight letters.
//
// A symbol is a code of one byte (the first to be seen, so mostly the frequent ones), of two, or of four. A word is a
// head of at least kHead, which tells its count, and its symbols; bytes of kPad follow where it has become shorter. A
// word never grows, as a new symbol always gets a code of two bytes: when these run out, the codes are dealt out anew.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace llmkit::tokenizer {

class SymbolCodes {
 public:
  static constexpr uint32_t kOneByte = 108, kFourBytes = 0xEF;  // first bytes below and of
  static constexpr uint32_t kShort = kOneByte + (kFourBytes - kOneByte) * 256;
  static constexpr uint32_t kNone = UINT32_MAX;

  SymbolCodes() : symbols_(kShort) {}
  uint32_t symbol(uint32_t code) const { return symbols_.data()[code]; }
  uint32_t code(uint32_t symbol) const { return symbol < codes_.size() ? codes_[symbol] : kNone; }
  uint32_t code_or_new(uint32_t symbol) {
    uint32_t known = code(symbol);
    return known != kNone ? known : give(symbol, one_ < kOneByte ? one_++ : two_ < kShort ? two_++ : four_++);
  }
  // For a symbol that two others are merged to.
  uint32_t new_of_two_bytes(uint32_t symbol) { return give(symbol, two_++); }
  uint32_t room() const { return kShort - two_; }
  // The symbols by falling frequency, with room for new ones.
  void deal(std::span<const uint32_t> symbols);

  template <class Byte>  // const or not
  static Byte* read(Byte* p, uint32_t& code) {
    uint32_t first = *p;
    if (first == kFourBytes) {
      code = p[1] | uint32_t{p[2]} << 8 | uint32_t{p[3]} << 16;
      return p + 4;
    }
    // Without a branch, as one byte or two can not be foreseen; something always follows a symbol.
    uint32_t two = first >= kOneByte, wide = kOneByte + ((first - kOneByte) << 8 | p[1]);
    code = two ? wide : first;
    return p + 1 + two;
  }
  static uint8_t* write(uint8_t* p, uint32_t code) {
    if (code < kOneByte) {
      *p++ = static_cast<uint8_t>(code);
    } else if (code < kShort) {
      *p++ = static_cast<uint8_t>(kOneByte + ((code - kOneByte) >> 8));
      *p++ = static_cast<uint8_t>(code - kOneByte);
    } else {
      *p++ = kFourBytes;
      for (int shift : {0, 8, 16}) *p++ = static_cast<uint8_t>(code >> shift);
    }
    return p;
  }

 private:
  uint32_t give(uint32_t symbol, uint32_t code);
  std::vector<uint32_t> symbols_, codes_;
  uint32_t one_ = 0, two_ = kOneByte, four_ = kShort;
};

class WordStore {
  struct Chunk {
    std::unique_ptr<uint8_t[]> bytes;
    size_t size, capacity;
    uint64_t begin;  // the address of its first word
  };

 public:
  static constexpr uint8_t kHead = 0xF0, kPad = 0xFE, kEnd = 0xFF;
  static constexpr size_t kChunk = size_t{1} << 20, kMostHead = 9;

  bool has_room(size_t most_bytes) const {
    return !chunks_.empty() && chunks_.back().capacity - chunks_.back().size > most_bytes;
  }
  // Room for a word of so many bytes, in a new chunk if need be; end_word says where it ended.
  uint8_t* begin_word(size_t most_bytes);
  void end_word(uint8_t* end) { chunks_.back().size = static_cast<size_t>(end - chunks_.back().bytes.get()); }
  static uint8_t* write_count(uint8_t* p, uint64_t count);
  template <class Byte>
  static Byte* read_count(Byte* p, uint64_t& count) {
    uint32_t head = *p++;
    if (head >= kHead + 8u) {
      count = head - (kHead + 8u) + 1;
      return p;
    }
    count = 0;
    for (uint32_t i = 0; i <= head - kHead; ++i) count |= uint64_t{*p++} << 8 * i;
    return p;
  }
  static bool ends(uint8_t byte) { return byte >= kHead; }

  uint64_t bytes() const;
  void clear() { chunks_.clear(); }

  // f(address, count, symbols) for every word, which returns where its symbols end.
  template <class F>
  void for_words(F&& f) {
    for (auto& chunk : chunks_) visit(chunk, f);
  }
  // The same while the words are put into a new store: f appends what it keeps of a word to `out`.
  template <class F>
  void move_words(WordStore& out, F&& f) {
    for (auto& chunk : chunks_) {
      visit(chunk, f);
      chunk.bytes.reset();
    }
    chunks_.clear();
    chunks_.swap(out.chunks_);
  }
  void seal();  // before addresses are used

  // The words at addresses that rise.
  class Cursor {
   public:
    explicit Cursor(WordStore& store) : chunk_(store.chunks_.data()) {}
    uint8_t* at(uint64_t address) {
      while (address >= chunk_->begin + chunk_->size) ++chunk_;
      return chunk_->bytes.get() + (address - chunk_->begin);
    }

   private:
    Chunk* chunk_;
  };

 private:
  template <class F>
  static void visit(Chunk& chunk, F& f) {
    chunk.bytes[chunk.size] = kEnd;
    for (uint8_t* p = chunk.bytes.get();;) {
      while (*p == kPad) ++p;
      if (*p == kEnd) return;
      uint64_t address = chunk.begin + static_cast<uint64_t>(p - chunk.bytes.get()), count;
      p = read_count(p, count);
      p += f(address, count, p) - p;
    }
  }
  std::vector<Chunk> chunks_;
};

}  // namespace llmkit::tokenizer
