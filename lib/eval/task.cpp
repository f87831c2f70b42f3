#include "eval/task.h"

#include <fmt/format.h>

#include "formats/jsonl.h"
#include "io/input.h"
#include "io/line_reader.h"

namespace llmkit::eval {
namespace {

// Length in characters, as Python counts them (code points).
double characters(std::string_view text) {
  int64_t n = 0;
  for (char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return static_cast<double>(n);
}

const formats::Json& field(const Item& item, std::string_view key) {
  const formats::Json* value = item.data.find(key);
  if (!value)
    throw Error({"an evaluation item lacks a field", item.id, "'" + std::string(key) + "'", "none",
                 "is this the task's file?"});
  return *value;
}

std::string place(const Item& item, std::string_view key) {
  return item.id + ": " + std::string(key);
}

}  // namespace

#define LLMKIT_EVAL_TASK(name) Entry<Task> name##_task();
#include "eval/eval_tasks.def"
#undef LLMKIT_EVAL_TASK

const Registry<Task>& tasks() {
  static const Registry<Task> registry("eval task", {
#define LLMKIT_EVAL_TASK(name) name##_task(),
#include "eval/eval_tasks.def"
#undef LLMKIT_EVAL_TASK
                                                    });
  return registry;
}

std::vector<Item> Task::load(const std::string& path) const {
  return load_json_lines(path);
}

std::vector<Item> load_json_lines(const std::string& path) {
  auto input = io::open_input(path);
  io::LineReader lines(*input);
  std::string name = path.substr(path.find_last_of('/') + 1);
  std::vector<Item> items;
  for (std::string_view line; lines.next(line);) {
    if (line.empty()) continue;
    std::string where = fmt::format("{}:{}", path, lines.line_number());
    formats::Json data = formats::parse_json(line, where);
    if (!data.is_object())
      throw Error({"not an evaluation item", where, "a JSON object", std::string(data.type_name()), ""});
    items.push_back({fmt::format("{}:{}", name, lines.line_number()), std::move(data)});
  }
  return items;
}

std::vector<Item> load_documents(const std::string& path) {
  formats::DocumentReader reader({path});
  std::string name = path.substr(path.find_last_of('/') + 1);
  std::vector<Item> items;
  for (formats::Document document; reader.next(document);) {
    formats::Json data = formats::Json::object();
    data.set("text", std::move(document.text));
    items.push_back({fmt::format("{}:{}", name, reader.line_number()), std::move(data)});
  }
  if (reader.bad().total() > 0)
    throw Error({"damaged lines in an evaluation file", reader.bad().first().front(), "", "",
                 "a score over fewer documents would mislead"});
  return items;
}

std::string text_field(const Item& item, std::string_view key) {
  return field(item, key).as_string(place(item, key));
}
int64_t integer_field(const Item& item, std::string_view key) {
  return field(item, key).as_int(place(item, key));
}

std::vector<std::string> text_list(const Item& item, std::string_view key) {
  const formats::Json& value = field(item, key);
  if (value.is_string()) return {value.as_string()};
  std::vector<std::string> out;
  for (auto& element : value.as_array(place(item, key))) out.push_back(element.as_string(place(item, key)));
  return out;
}

std::vector<Score> score_choices(const std::vector<Response>& responses, const std::vector<std::string>& choices,
                                 int64_t gold) {
  size_t best = 0, best_norm = 0;
  auto norm = [&](size_t i) { return responses[i].logprob / std::max(1.0, characters(choices[i])); };
  for (size_t i = 1; i < responses.size(); ++i) {
    if (responses[i].logprob > responses[best].logprob) best = i;
    if (norm(i) > norm(best_norm)) best_norm = i;
  }
  auto right = static_cast<size_t>(gold);
  return {{"acc", best == right ? 1.0 : 0.0}, {"acc_norm", best_norm == right ? 1.0 : 0.0}};
}

}  // namespace llmkit::eval
