// tokenize encode and count: texts to ids, a batch of documents at a time on the pool.
#include "base/hash.h"
#include "base/json_numbers.h"
#include "base/json_writer.h"
#include "base/units.h"
#include "commands/tokenize_actions.h"
#include "io/output.h"

namespace llmkit::cli {
namespace {

// One batch of documents on its way through the pool.
struct Batch {
  formats::LineBatch lines;
  std::string out;              // output lines
  std::vector<size_t> refused;  // lines, with why
  std::vector<Refusal> refusals;
  uint64_t documents = 0, tokens = 0, bytes = 0;
};

void add_best(JsonWriter& w, const tokenizer::Tokenizer& tokenizer, std::string_view text, int64_t count) {
  w.key("best").begin_array();
  for (auto& one : tokenizer.encode_best(text, static_cast<int>(count))) {
    w.begin_object().member("score", one.score).key("ids").begin_array();
    for (int32_t id : one.ids) w.value(id);
    w.end_array().end_object();
  }
  w.end_array();
}

void work_on(const tokenizer::Tokenizer& tokenizer, const formats::DocumentReader& reader, const EncodeRequest& request,
             Batch& batch) {
  tokenizer::EncodeOptions options = request.encoding;
  std::vector<int32_t> ids;
  std::string numbers;
  std::vector<tokenizer::Span> spans;
  for (size_t i = 0; i < batch.lines.lines.size(); ++i) {
    auto document = reader.parse(batch.lines, i);
    if (!document) {
      batch.refused.push_back(i);
      batch.refusals.push_back(document.refusal());
      continue;
    }
    ids.clear();
    spans.clear();
    // The draws of a document depend on it and the seed alone, not on its place or the threads.
    if (options.sampling.on()) options.document = xxh3_64(document->id.empty() ? document->text : document->id);
    if (request.offsets)
      tokenizer.encode(document->text, ids, spans, options);
    else
      tokenizer.encode(document->text, ids, options);
    ++batch.documents;
    batch.tokens += ids.size();
    batch.bytes += document->text.size();
    if (!request.write) continue;
    JsonWriter w(batch.out);
    w.begin_object();
    if (!document->id.empty()) w.member("id", document->id);
    numbers.clear();
    append_json_numbers(numbers, ids);
    w.key("ids").raw(numbers);
    if (request.offsets) {
      w.key("offsets").begin_array();
      for (auto& span : spans) w.begin_array().value(span.begin).value(span.end).end_array();
      w.end_array();
    }
    if (request.best > 0) add_best(w, tokenizer, document->text, request.best);
    w.end_object();
    batch.out += '\n';
  }
}

}  // namespace

ExitCode encode_texts(Context& context, const Common& common, const tokenizer::Tokenizer& tokenizer,
                      const EncodeRequest& request) {
  formats::DocumentReader reader(request.inputs, request.reader);
  auto out = request.write ? io::create_output(common.output, {.replace = common.force}) : nullptr;
  Summary s;
  uint64_t tokens = 0;
  context.parallel.pipeline<Batch>(
      16,
      [&](Batch& batch) {
        s.interrupted = context.stop.requested();
        context.progress.update(static_cast<double>(reader.bytes_in()), static_cast<double>(reader.total_bytes_in()),
                                "bytes", "");
        return !s.interrupted && reader.next_batch(batch.lines);
      },
      [&](Batch& batch) { work_on(tokenizer, reader, request, batch); },
      [&](Batch& batch) {
        for (size_t i = 0; i < batch.refused.size(); ++i)
          reader.refuse(batch.lines, batch.refused[i], batch.refusals[i]);
        if (out) out->write(batch.out);
        s.kept += batch.documents;
        s.bytes_in += batch.bytes;
        tokens += batch.tokens;
      });
  if (out && !s.interrupted) out->finish();
  s.bad = static_cast<uint64_t>(reader.bad().total());
  s.bad_examples = reader.bad().first();
  s.in = s.kept + s.bad;
  double per_token = tokens ? static_cast<double>(s.bytes_in) / static_cast<double>(tokens) : 0;
  s.metrics = {{"tokens", static_cast<double>(tokens)}, {"bytes_per_token", per_token}};
  char line[64];
  std::snprintf(line, sizeof line, " tokens, %.3f bytes each", per_token);
  s.written = (request.write ? common.output + ": " : std::string()) + format_count(tokens) + line;
  s.inputs = request.inputs;
  if (request.write) s.outputs = {common.output};
  return common.finish(s);
}

}  // namespace llmkit::cli
