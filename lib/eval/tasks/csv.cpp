#include "eval/tasks/csv.h"

#include <fmt/format.h>

#include "base/json_writer.h"
#include "io/files.h"

namespace llmkit::eval {
namespace {

constexpr uint64_t kMaxCsvBytes = 256u << 20;

}  // namespace

std::vector<std::vector<std::string>> parse_csv(std::string_view text, std::string_view where) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row;
  std::string field;
  bool quoted = false, any = false;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  auto end_field = [&] {
    row.push_back(std::move(field));
    field.clear();
  };
  auto end_row = [&] {
    if (any) {
      end_field();
      rows.push_back(std::move(row));
    }
    row.clear();
    any = false;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (quoted) {
      if (c != '"')
        field += c;
      else if (i + 1 < text.size() && text[i + 1] == '"')
        field += text[++i];
      else
        quoted = false;
    } else if (c == '"' && field.empty()) {
      quoted = any = true;
    } else if (c == ',') {
      end_field();
      any = true;
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r') {
      field += c;
      any = true;
    }
  }
  if (quoted)
    throw Error({"a quoted field has no end", fmt::format("{}, row {}", where, rows.size() + 1), "a closing quote",
                 "the end of the file", ""});
  end_row();
  return rows;
}

std::vector<Item> load_csv(const std::string& path) {
  auto rows = parse_csv(io::read_file(path, kMaxCsvBytes), path);
  std::string subject = path.substr(path.find_last_of('/') + 1);
  subject = subject.substr(0, subject.find('.'));
  std::vector<Item> items;
  for (size_t r = 1; r < rows.size(); ++r) {
    if (rows[r].size() != rows[0].size()) {
      throw Error({"a CSV row has another number of fields than the header", fmt::format("{}, row {}", path, r + 1),
                   fmt::format("{}", rows[0].size()), fmt::format("{}", rows[r].size()), ""});
    }
    std::string object;
    JsonWriter json(object);
    json.begin_object();
    json.key("subject").value(subject);
    for (size_t f = 0; f < rows[r].size(); ++f)
      if (!rows[0][f].empty()) json.key(rows[0][f]).value(rows[r][f]);
    json.end_object();
    items.push_back({fmt::format("{}-{}", subject, r - 1), formats::parse_json(object, path)});
  }
  return items;
}

}  // namespace llmkit::eval
