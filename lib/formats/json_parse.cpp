#include <simdjson.h>

#include <algorithm>
#include <numeric>

#include "base/json_writer.h"
#include "formats/json.h"
#include "io/input.h"

namespace llmkit::formats {
namespace {

constexpr size_t kIndexedFrom = 16;  // objects with fewer members are searched in order

// Turns simdjson's tree into ours. The recursion is bounded by the parser's depth cap.
class Converter {
 public:
  Converter(std::string_view file, bool refuse_duplicates) : file_(file), refuse_duplicates_(refuse_duplicates) {}

  Json convert(simdjson::dom::element element) {
    switch (element.type()) {
      case simdjson::dom::element_type::OBJECT:
        return convert_object(element.get_object().value_unsafe());
      case simdjson::dom::element_type::ARRAY:
        return convert_array(element.get_array().value_unsafe());
      case simdjson::dom::element_type::STRING:
        return Json(element.get_string().value_unsafe());
      case simdjson::dom::element_type::INT64:
        return Json(element.get_int64().value_unsafe());
      case simdjson::dom::element_type::UINT64:
        return Json(element.get_uint64().value_unsafe());
      case simdjson::dom::element_type::DOUBLE:
        return Json(element.get_double().value_unsafe());
      case simdjson::dom::element_type::BOOL:
        return Json(element.get_bool().value_unsafe());
      case simdjson::dom::element_type::NULL_VALUE:
        break;
    }
    return Json();
  }

 private:
  Json convert_array(simdjson::dom::array array) {
    JsonArray out;
    out.reserve(std::min<size_t>(array.size(), size_t{1} << 20));
    size_t length = path_.size(), index = 0;
    for (auto element : array) {
      path_.append("[").append(std::to_string(index++)).append("]");
      out.push_back(convert(element));
      path_.resize(length);
    }
    return Json(std::move(out));
  }

  Json convert_object(simdjson::dom::object object) {
    JsonObject out;
    out.where = path_.empty() ? std::string(file_) : std::string(file_) + ": " + path_;
    size_t length = path_.size();
    for (auto field : object) {
      if (length > 0) path_ += '.';
      path_ += field.key;
      out.members.emplace_back(std::string(field.key), convert(field.value));
      path_.resize(length);
    }
    drop_duplicates(out);
    return Json(std::move(out));
  }

  // Of equal keys the last one stays, in the place of the first.
  void drop_duplicates(JsonObject& object) {
    auto& members = object.members;
    auto sort_index = [&] {
      object.by_key.resize(members.size());
      std::iota(object.by_key.begin(), object.by_key.end(), 0u);
      std::stable_sort(object.by_key.begin(), object.by_key.end(),
                       [&](uint32_t a, uint32_t b) { return members[a].first < members[b].first; });
    };
    sort_index();
    std::vector<bool> dropped(members.size(), false);
    bool any = false;
    for (size_t i = 1; i < object.by_key.size(); ++i) {
      uint32_t before = object.by_key[i - 1], here = object.by_key[i];
      if (members[before].first != members[here].first) continue;
      if (refuse_duplicates_)
        throw Error({"the key \"" + printable(members[here].first, 40) + "\" appears twice", object.where, {}, {}, {}});
      members[before].second = std::move(members[here].second);
      dropped[here] = any = true;
      object.by_key[i] = before;
    }
    if (any) {
      size_t kept = 0;
      for (size_t i = 0; i < members.size(); ++i) {
        if (dropped[i]) continue;
        if (kept != i) members[kept] = std::move(members[i]);
        ++kept;
      }
      members.erase(members.begin() + static_cast<std::ptrdiff_t>(kept), members.end());
      sort_index();
    }
    if (members.size() < kIndexedFrom) object.by_key.clear();
  }

  std::string_view file_;
  bool refuse_duplicates_;
  std::string path_;
};

}  // namespace

Json parse_json(std::string_view text, std::string_view where, const JsonOptions& options) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::padded_string padded(text);
  auto status = parser.allocate(std::max<size_t>(padded.size(), 64), static_cast<size_t>(options.max_depth));
  if (!status) status = parser.parse(padded).get(root);
  if (status == simdjson::DEPTH_ERROR)
    throw Error(
        {"is nested too deep", std::string(where), "at most " + std::to_string(options.max_depth) + " levels", {}, {}});
  if (status)
    throw Error(
        {std::string("is not valid JSON (") + simdjson::error_message(status) + ")", std::string(where), {}, {}, {}});
  return Converter(where, options.refuse_duplicate_keys).convert(root);
}

Json load_json(const std::string& path, uint64_t max_bytes) {
  auto input = io::open_input(path);
  return parse_json(io::read_all(*input, max_bytes), path);
}

bool is_valid_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

void append_json_string(std::string& out, std::string_view text) {
  // simdjson's check is several times as fast as a walk over the sequences.
  if (!is_valid_utf8(text)) return append_json_quoted(out, text);
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

}  // namespace llmkit::formats
