#include "eval/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/hash.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/version.h"
#include "engine/run_folder.h"
#include "eval/answer.h"
#include "io/files.h"
#include "io/input.h"
#include "io/line_reader.h"

namespace llmkit::eval {
namespace {

constexpr size_t kBlock = 128;  // items between two writes of the samples file

// The line of samples.jsonl for one item.
std::string sample_line(const TaskRequest& task, const Item& item, std::span<const Request> requests,
                        std::span<const Answered> answers, const std::vector<Score>& scores, const std::string& key) {
  std::string line;
  JsonWriter json(line);
  json.begin_object()
      .member("task", task.name)
      .member("item", item.id)
      .member("version", task.task->version())
      .member("key", key);
  json.key("scores").begin_object();
  for (auto& s : scores) json.member(s.metric, s.value);
  json.end_object().key("requests").begin_array();
  for (size_t i = 0; i < requests.size(); ++i) {
    json.begin_object();
    if (requests[i].kind == Request::Kind::rolling) {
      json.member("bytes", requests[i].continuation.size());
    } else {
      json.member("context", requests[i].context);
      if (requests[i].kind == Request::Kind::loglikelihood) json.member("continuation", requests[i].continuation);
      json.member("from", answers[i].from).key("tokens").begin_array();
      for (int32_t t : answers[i].tokens) json.value(t);
      json.end_array();
    }
    json.end_object();
  }
  json.end_array().key("responses").begin_array();
  for (size_t i = 0; i < requests.size(); ++i) {
    const Response& r = answers[i].response;
    json.begin_object();
    if (requests[i].kind == Request::Kind::generate)
      json.member("text", r.text);
    else
      json.member("logprob", r.logprob).member("greedy", r.is_greedy);
    json.member("tokens", r.tokens).end_object();
  }
  json.end_array().end_object();
  return line + "\n";
}

// What an answer depends on besides the model: the same key, the same answer.
std::string request_key(const TaskRequest& task, std::span<const Request> requests) {
  std::string all = fmt::format("{}\n{}\n", task.name, task.task->version());
  for (auto& r : requests) {
    all +=
        fmt::format("{} {} {} {}\n", static_cast<int>(r.kind), r.max_tokens, r.context.size(), r.continuation.size());
    all += r.context + r.continuation;
    for (auto& s : r.stop) all += "\n" + s;
  }
  return hex(xxh3_64(all));
}

Response read_response(const formats::Json& json) {
  Response r;
  r.tokens = json.get_int("tokens");
  r.logprob = json.get_real("logprob", 0.0);
  r.is_greedy = json.get_bool("greedy", false);
  r.text = json.get_string("text", std::string());
  return r;
}

// The responses that an earlier run wrote, by key, and how many bytes of the file hold them. A line cut off by a crash,
// and what follows it, is left out.
std::map<std::string, std::vector<Response>, std::less<>> read_samples(const std::string& path, int64_t& bytes) {
  std::map<std::string, std::vector<Response>, std::less<>> known;
  auto input = io::open_input(path);
  io::LineReader reader(*input);
  for (std::string_view line; reader.next(line);) {
    try {
      formats::Json json = formats::parse_json(line, path);
      std::vector<Response> responses;
      for (auto& r : json.get_array("responses")) responses.push_back(read_response(r));
      known[json.get_string("key")] = std::move(responses);
      bytes += static_cast<int64_t>(line.size()) + 1;
    } catch (const Error&) {
      log::warning(fmt::format("{}, line {}: cut off; answering again from here", path, reader.line_number()));
      break;
    }
  }
  return known;
}

}  // namespace

std::vector<std::string> split_tasks(const std::vector<std::string>& given) {
  std::vector<std::string> out;
  for (std::string_view text : given) {
    bool first = true;
    while (true) {
      size_t comma = text.find(',');
      std::string_view piece = text.substr(0, comma);
      size_t equals = piece.find('='), colon = piece.find(':');
      bool continues =
          !first && equals != std::string_view::npos && (colon == std::string_view::npos || equals < colon);
      if (continues)
        out.back() += "," + std::string(piece);
      else if (!piece.empty())
        out.emplace_back(piece);
      first = false;
      if (comma == std::string_view::npos) break;
      text.remove_prefix(comma + 1);
    }
  }
  return out;
}

std::vector<TaskRequest> resolve_tasks(const EvalOptions& options) {
  std::vector<TaskRequest> out;
  for (auto& text : split_tasks(options.specs)) {
    Spec spec = parse_spec(text);
    const Entry<Task>& entry = tasks().find(spec.name);
    std::string file;
    TaskRequest request{spec.name, text, nullptr, {}};
    std::erase_if(spec.values, [&](auto& pair) {
      if (pair.first == "file")
        file = pair.second;
      else if (pair.first == "name")
        request.name = pair.second;
      else
        return false;
      return true;
    });
    request.task = entry.make(resolve(spec, entry, "eval task"));
    if (!file.empty()) {
      request.files = io::list_inputs({file}, {".jsonl", ".csv", ".txt"});
    } else if (!options.data_folder.empty()) {
      for (auto& path : io::list_inputs({options.data_folder}, {".jsonl", ".csv", ".txt"})) {
        if (request.task->recognises(std::string_view(path).substr(path.find_last_of('/') + 1)))
          request.files.push_back(path);
      }
    }
    if (request.files.empty()) {
      throw UsageError(ErrorParts{"no data for task " + spec.name, "",
                                  "a file, as " + spec.name + ":file=PATH, or --task-data FOLDER with one", "none",
                                  ""});
    }
    for (auto& other : out) {
      if (other.name == request.name)
        throw UsageError("task " + request.name + " is given twice; give one of them another name, as " + spec.name +
                         ":name=OTHER");
    }
    out.push_back(std::move(request));
  }
  if (out.empty()) throw UsageError("no task to run: --tasks NAME,… (llmkit help eval-tasks lists them)");
  return out;
}

std::vector<TaskResult> evaluate(engine::Session& session, const tokenizer::Tokenizer& tokenizer,
                                 const EvalOptions& options, Context& context) {
  std::vector<TaskRequest> requests = resolve_tasks(options);
  std::vector<std::vector<Item>> items;
  double total = 0, done = 0;
  for (auto& request : requests) {
    std::vector<Item> all;
    for (auto& file : request.files) {
      for (auto& item : request.task->load(file)) all.push_back(std::move(item));
    }
    if (options.limit > 0 && static_cast<int64_t>(all.size()) > options.limit)
      all.resize(static_cast<size_t>(options.limit));
    total += static_cast<double>(all.size());
    items.push_back(std::move(all));
  }
  int64_t kept_bytes = 0;
  std::map<std::string, std::vector<Response>, std::less<>> known;
  if (options.resume && std::filesystem::exists(options.samples)) known = read_samples(options.samples, kept_bytes);
  engine::AppendFile samples(options.samples, kept_bytes);

  Answerer answerer(session, tokenizer);
  std::vector<TaskResult> results;
  for (size_t t = 0; t < requests.size(); ++t) {
    TaskRequest& request = requests[t];
    std::vector<std::vector<Score>> scores;
    for (size_t begin = 0; begin < items[t].size() && !context.stop.requested(); begin += kBlock) {
      size_t end = std::min(begin + kBlock, items[t].size());
      std::vector<std::vector<Request>> asked;
      std::vector<std::string> keys;
      std::vector<Request> open;
      for (size_t i = begin; i < end; ++i) {
        asked.push_back(request.task->requests(items[t][i]));
        keys.push_back(request_key(request, asked.back()));
        if (!known.contains(keys.back())) open.insert(open.end(), asked.back().begin(), asked.back().end());
      }
      std::vector<Answered> answers = answerer.answer(open);
      size_t next = 0;
      for (size_t i = begin; i < end; ++i) {
        auto& mine = asked[i - begin];
        std::vector<Response> responses;
        auto old = known.find(keys[i - begin]);
        if (old != known.end() && old->second.size() == mine.size()) {
          responses = old->second;
          scores.push_back(request.task->score(items[t][i], responses));
          continue;
        }
        std::span<const Answered> answered = std::span(answers).subspan(next, mine.size());
        next += mine.size();
        for (auto& a : answered) responses.push_back(a.response);
        scores.push_back(request.task->score(items[t][i], responses));
        samples.append(sample_line(request, items[t][i], mine, answered, scores.back(), keys[i - begin]));
      }
      samples.sync();
      done += static_cast<double>(end - begin);
      context.progress.update(done, total, "items", request.name);
    }
    results.push_back({request.name, request.spec, request.task->version(), request.files,
                       static_cast<int64_t>(scores.size()), summarise(*request.task, scores)});
  }
  return results;
}

std::string results_json(const std::vector<TaskResult>& results, const std::string& model) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().member("model", model).member("llmkit", LLMKIT_VERSION).key("tasks").begin_object();
  for (auto& r : results) {
    json.key(r.name).begin_object().member("spec", r.spec).member("version", r.version).member("items", r.items);
    json.key("metrics").begin_object();
    for (auto& [name, m] : r.metrics) {
      json.key(name)
          .begin_object()
          .member("value", m.value)
          .member("stderr", m.standard_error)
          .member("items", m.items)
          .end_object();
    }
    json.end_object().end_object();
  }
  json.end_object().end_object();
  return out + "\n";
}

}  // namespace llmkit::eval
