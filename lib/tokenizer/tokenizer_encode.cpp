// Encoding a text, or many on several threads.
#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>

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

namespace {

// A task is several short texts, or a tile of a long one.
struct Task {
  size_t text, texts, begin, end;
  std::vector<int32_t> ids;
  size_t whole = 0;  // which of the long texts
};

// A text of several tiles, whose ids are put together when the last of them is done.
struct LongText {
  LongText(size_t first, size_t count) : task(first), tasks(count), open(count) {}
  size_t task, tasks;
  std::atomic<size_t> open;
};

// Memory that has been written to before is much faster than what the system must give anew.
class SpareIds {
 public:
  std::vector<int32_t> take() {
    std::lock_guard lock(mutex_);
    if (spare_.empty()) return {};
    auto ids = std::move(spare_.back());
    spare_.pop_back();
    return ids;
  }
  void give(std::vector<int32_t> ids) {
    ids.clear();
    std::lock_guard lock(mutex_);
    spare_.push_back(std::move(ids));
  }

 private:
  std::mutex mutex_;
  std::vector<std::vector<int32_t>> spare_;
};

}  // namespace

std::vector<std::vector<int32_t>> Tokenizer::encode_all(Parallel& parallel, std::span<const std::string_view> texts,
                                                        const EncodeOptions& options) const {
  std::vector<Task> tasks;
  std::deque<LongText> long_texts;
  bool tiled = may_be_tiled(options);
  size_t room = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    size_t size = texts[i].size();
    if (tiled && size > kTileBytes) {
      size_t first = tasks.size();
      for (size_t at = 0, end = 0; at < size; at = end) {
        end = size - at > kTileBytes ? safe_cut(texts[i], at, at + kTileBytes) : size;
        tasks.push_back({i, 0, at, end, {}, long_texts.size()});
      }
      long_texts.emplace_back(first, tasks.size() - first);
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
  SpareIds spare;
  auto gather = [&](const LongText& whole) {
    auto parts = std::span(tasks).subspan(whole.task, whole.tasks);
    auto& ids = out[parts.front().text];
    size_t count = options.add_special_tokens ? parts_->prefix.size() + parts_->suffix.size() : 0;
    for (const Task& part : parts) count += part.ids.size();
    ids.reserve(count);
    if (options.add_special_tokens) ids = parts_->prefix;
    for (Task& part : parts) {
      ids.insert(ids.end(), part.ids.begin(), part.ids.end());
      spare.give(std::move(part.ids));
    }
    if (options.add_special_tokens) ids.insert(ids.end(), parts_->suffix.begin(), parts_->suffix.end());
  };
  parallel.for_tiles(static_cast<int64_t>(tasks.size()), [&](int64_t n) {
    Task& task = tasks[static_cast<size_t>(n)];
    Lease lease(*pool_);
    if (task.texts == 0) {
      task.ids = spare.take();
      Encoder encoder(*this, lease.get(), options, task.ids, nullptr);
      encoder.tile(texts[task.text].substr(task.begin, task.end - task.begin), task.begin,
                   task.begin == 0 ? TextStart::document : TextStart::inside);
      LongText& whole = long_texts[task.whole];
      if (whole.open.fetch_sub(1, std::memory_order_acq_rel) == 1) gather(whole);
    }
    auto& ids = lease.get().ids;
    for (size_t i = task.text; i < task.text + task.texts; ++i) {
      EncodeOptions own = options;
      own.document += static_cast<uint64_t>(i);
      ids.clear();
      encode(texts[i], ids, own, lease.get());
      out[i] = ids;
    }
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
