// Internal to lib/mix: the documents of all sources in scratch storage, in input order.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "io/scratch.h"
#include "mix/mix.h"

namespace llmkit::mix {

struct StoredDocument {
  uint64_t begin;   // in Store::tokens or Store::lines
  uint32_t length;  // tokens or bytes of the line
  uint32_t units;   // what it counts in the budget: its tokens and the end of text, or the bytes of its text
};

struct Store {
  Store(uint64_t memory_bytes, const std::string& folder) : tokens(memory_bytes, folder), lines(memory_bytes, folder) {}

  io::ScratchArray<int32_t> tokens;  // with a tokenizer
  io::ScratchArray<char> lines;      // without: the lines as they were
  std::vector<StoredDocument> documents;
  std::vector<uint64_t> text_hashes;
  std::vector<size_t> first_document{0};  // of each source, and the end

  std::span<const int32_t> tokens_of(size_t document) const {
    return {tokens.data() + documents[document].begin, documents[document].length};
  }
  std::string_view line_of(size_t document) const {
    return {lines.data() + documents[document].begin, documents[document].length};
  }
};

// Reads all sources. Counts bad lines and bytes in `result`.
void fill_store(const MixOptions& options, Context& context, Store& store, MixResult& result);

// Which documents are held out.
std::vector<bool> choose_validation(const Store& store, const MixOptions& options);

// One document to write: whole where `units` is that of the document, else its beginning.
struct Draw {
  uint32_t document;
  uint32_t units;
};
// `units` of the documents from `begin` to `end` that are not held out, epoch by epoch.
void draw_documents(const Store& store, const std::vector<bool>& held_out, size_t begin, size_t end, uint64_t units,
                    uint64_t stream, std::vector<Draw>& out);

// The folder with the training set, the held-out set below it, the tokenizer and mix.json.
void write_folder(const MixOptions& options, const Store& store, const std::vector<Draw>& train,
                  const std::vector<Draw>& validation, Context& context, const MixResult& result);

}  // namespace llmkit::mix
