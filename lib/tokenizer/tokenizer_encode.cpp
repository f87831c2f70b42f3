// Encoding a text, or many on several threads.
#include <algorithm>

#include "tokenizer/encoder.h"

namespace llmkit::tokenizer {

void Tokenizer::encode(std::string_view text, std::vector<int32_t>& out, const EncodeOptions& options) const {
  Lease lease(*pool_);
  encode(text, out, options, lease.get());
}

void Tokenizer::encode(std::string_view text, std::vector<int32_t>& out, const EncodeOptions& options,
                       Workspace& space) const {
  Encoder encoder(*this, space, options, out, nullptr);
  if (options.add_special_tokens) encoder.around(parts_->prefix, 0);
  encoder.document(text);
  if (options.add_special_tokens) encoder.around(parts_->suffix, text.size());
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  std::vector<int32_t> out;
  encode(text, out, options);
  return out;
}

void Tokenizer::encode(std::string_view text, std::vector<int32_t>& out, std::vector<Span>& spans,
                       const EncodeOptions& options) const {
  Lease lease(*pool_);
  std::vector<int32_t> ids;
  std::vector<Span> places;
  Encoder encoder(*this, lease.get(), options, ids, &places);
  if (options.add_special_tokens) encoder.around(parts_->prefix, 0);
  encoder.document(text);
  if (options.add_special_tokens) encoder.around(parts_->suffix, text.size());
  out.insert(out.end(), ids.begin(), ids.end());
  spans.insert(spans.end(), places.begin(), places.end());
}

void Tokenizer::encode(Parallel& parallel, std::string_view text, std::vector<int32_t>& out,
                       const EncodeOptions& options) const {
  if (text.size() <= kTileBytes || !may_be_tiled(options)) return encode(text, out, options);
  auto ids = encode_all(parallel, std::span(&text, 1), options);
  if (out.empty())
    out = std::move(ids[0]);
  else
    out.insert(out.end(), ids[0].begin(), ids[0].end());
}

// Sums over a sentence and random draws go from the start to the end.
bool Tokenizer::may_be_tiled(const EncodeOptions& options) const {
  bool in_order = options.sampling.on() || (vocabulary_->whole_text && parts_->model == ModelKind::unigram);
  return tiles_ && !in_order && !first_.any(options.special == SpecialText::parse);
}

std::vector<std::vector<int32_t>> Tokenizer::encode_all(Parallel& parallel, std::span<const std::string_view> texts,
                                                        const EncodeOptions& options) const {
  // A task is several short texts, or a tile of a long one.
  struct Task {
    size_t text, texts, begin, end;
    std::vector<int32_t> ids;
  };
  std::vector<Task> tasks;
  bool tiled = may_be_tiled(options);
  size_t room = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    size_t size = texts[i].size();
    if (tiled && size > kTileBytes) {
      for (size_t at = 0, end = 0; at < size; at = end) {
        end = size - at > kTileBytes ? safe_cut(texts[i], at, at + kTileBytes) : size;
        tasks.push_back({i, 0, at, end, {}});
      }
      room = 0;
    } else if (size < room) {
      ++tasks.back().texts;
      room -= size;
    } else {
      tasks.push_back({i, 1, 0, 0, {}});
      room = kTileBytes / 2 - std::min(size, kTileBytes / 2);
    }
  }
  std::vector<std::vector<int32_t>> out(texts.size());
  std::vector<size_t> long_texts;
  for (size_t t = 0; t < tasks.size(); ++t)
    if (tasks[t].texts == 0 && tasks[t].begin == 0) long_texts.push_back(t);
  parallel.for_tiles(static_cast<int64_t>(tasks.size()), [&](int64_t n) {
    Task& task = tasks[static_cast<size_t>(n)];
    Lease lease(*pool_);
    auto& ids = lease.get().ids;
    if (task.texts == 0) {
      ids.clear();
      Encoder encoder(*this, lease.get(), options, ids, nullptr);
      encoder.tile(texts[task.text].substr(task.begin, task.end - task.begin), task.begin,
                   task.begin == 0 ? TextStart::document : TextStart::inside);
      task.ids = ids;
    }
    for (size_t i = task.text; i < task.text + task.texts; ++i) {
      EncodeOptions own = options;
      own.document += static_cast<uint64_t>(i);
      ids.clear();
      encode(texts[i], ids, own, lease.get());
      out[i] = ids;
    }
  });
  parallel.for_tiles(static_cast<int64_t>(long_texts.size()), [&](int64_t n) {
    size_t first = long_texts[static_cast<size_t>(n)], last = first, count = 0;
    for (; last < tasks.size() && tasks[last].texts == 0 && tasks[last].text == tasks[first].text; ++last)
      count += tasks[last].ids.size();
    auto& ids = out[tasks[first].text];
    if (options.add_special_tokens) count += parts_->prefix.size() + parts_->suffix.size();
    ids.reserve(count);
    if (options.add_special_tokens) ids = parts_->prefix;
    for (size_t t = first; t < last; ++t) {
      ids.insert(ids.end(), tasks[t].ids.begin(), tasks[t].ids.end());
      tasks[t].ids = {};
    }
    if (options.add_special_tokens) ids.insert(ids.end(), parts_->suffix.begin(), parts_->suffix.end());
  });
  return out;
}

std::vector<SubwordModel::Scored> Tokenizer::encode_best(std::string_view text, int count) const {
  std::string normal;
  if (!normalizers_.empty()) {
    normalizers_.normalize(text, TextStart::document, normal, nullptr);
    text = normal;
  }
  return model_->best(text, count);
}

}  // namespace llmkit::tokenizer
