#include "mix/store.h"

#include <algorithm>
#include <numeric>

#include "base/hash.h"
#include "base/rng.h"

namespace llmkit::mix {
namespace {

struct Batch {
  formats::LineBatch lines;
  struct Item {
    uint32_t length, units;
    uint64_t text_hash;
  };
  std::vector<Item> items;
  std::vector<int32_t> tokens;
  std::string bytes;
  std::vector<std::pair<size_t, Refusal>> refusals;
};

void read_document(const formats::Document& document, const MixOptions& options, std::string_view source, Batch& out) {
  Batch::Item item{0, 0, xxh3_64(document.text)};
  if (options.tokenizer) {
    size_t before = out.tokens.size();
    options.tokenizer->encode(document.text, out.tokens);
    item.length = static_cast<uint32_t>(out.tokens.size() - before);
    item.units = item.length + (options.end_of_text && options.tokenizer->eos() ? 1 : 0);
  } else {
    formats::Document named = document;
    if (named.source.empty()) named.source = source;
    size_t before = out.bytes.size();
    formats::write_document(out.bytes, named);
    item.length = static_cast<uint32_t>(out.bytes.size() - before);
    item.units = static_cast<uint32_t>(document.text.size());
  }
  out.items.push_back(item);
}

}  // namespace

void fill_store(const MixOptions& options, Context& context, Store& store, MixResult& result) {
  uint64_t total_bytes = 0, bytes_before = 0;
  for (auto& source : options.sources)
    total_bytes += formats::DocumentReader(source.paths, options.reading).total_bytes_in();
  for (auto& source : options.sources) {
    formats::DocumentReader reader(source.paths, options.reading);
    auto take = [&](Batch& batch) {
      if (context.stop.requested()) throw Error("interrupted", ExitCode::interrupted);
      context.progress.update(static_cast<double>(bytes_before + reader.bytes_in()), static_cast<double>(total_bytes),
                              "bytes", source.name);
      return reader.next_batch(batch.lines);
    };
    auto work = [&](Batch& batch) {
      for (size_t i = 0; i < batch.lines.lines.size(); ++i) {
        auto document = reader.parse(batch.lines, i);
        if (document)
          read_document(*document, options, source.name, batch);
        else
          batch.refusals.emplace_back(i, document.refusal());
      }
    };
    auto keep = [&](Batch& batch) {
      for (auto& [line, refusal] : batch.refusals)
        result.bad.add(reader.inputs()[batch.lines.lines[line].input], batch.lines.lines[line].number, refusal);
      uint64_t at = options.tokenizer ? store.tokens.size() : store.lines.size();
      for (auto& item : batch.items) {
        store.documents.push_back({at, item.length, item.units});
        store.text_hashes.push_back(item.text_hash);
        at += item.length;
      }
      store.tokens.append(batch.tokens);
      store.lines.append(batch.bytes);
      if (store.documents.size() >= UINT32_MAX)
        throw Error({"too many documents for one mixture", source.name, "fewer than 4,294,967,295", {}, {}});
    };
    context.parallel.pipeline<Batch>(4 * context.parallel.threads(), take, work, keep);
    store.first_document.push_back(store.documents.size());
    bytes_before += reader.bytes_in();
  }
  result.bytes_in = bytes_before;
}

std::vector<bool> choose_validation(const Store& store, const MixOptions& options) {
  std::vector<bool> held_out(store.documents.size());
  constexpr uint64_t kStream = 0x76616C;  // the hash that chooses is not the hash that names
  auto order_of = [&](size_t i) { return stream_key({kStream, store.text_hashes[i]}); };
  if (options.validation_share > 0) {
    double limit = options.validation_share * 0x1p64;
    for (size_t i = 0; i < held_out.size(); ++i) held_out[i] = static_cast<double>(order_of(i)) < limit;
  }
  if (options.validation_documents > 0) {
    std::vector<uint32_t> order(held_out.size());
    std::iota(order.begin(), order.end(), 0u);
    auto count = std::min<size_t>(order.size(), options.validation_documents);
    std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(count), order.end(),
                      [&](uint32_t a, uint32_t b) {
                        uint64_t x = order_of(a), y = order_of(b);
                        return x != y ? x < y : a < b;
                      });
    for (size_t i = 0; i < count; ++i) held_out[order[i]] = true;
    // Equal texts stay together.
    for (size_t i = 0; i < held_out.size() && count > 0; ++i)
      if (order_of(i) <= order_of(order[count - 1])) held_out[i] = true;
  }
  return held_out;
}

void draw_documents(const Store& store, const std::vector<bool>& held_out, size_t begin, size_t end, uint64_t units,
                    uint64_t stream, std::vector<Draw>& out) {
  std::vector<uint32_t> documents;
  for (size_t i = begin; i < end; ++i)
    if (!held_out[i]) documents.push_back(static_cast<uint32_t>(i));
  for (uint64_t epoch = 0; units > 0 && !documents.empty(); ++epoch) {
    Rng rng{stream, epoch};
    rng.shuffle(documents);
    for (uint32_t document : documents) {
      auto take = static_cast<uint32_t>(std::min<uint64_t>(units, store.documents[document].units));
      out.push_back({document, take});
      units -= take;
      if (units == 0) break;
    }
  }
}

}  // namespace llmkit::mix
