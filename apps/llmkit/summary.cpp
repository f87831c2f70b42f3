// What happens when a command is done: the last line, --json, --manifest, --max-bad, --min, --max.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/hash.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/units.h"
#include "base/version.h"
#include "command.h"
#include "config.h"
#include "io/files.h"
#include "kernels/cpu.h"

namespace llmkit::cli {
namespace {

namespace fs = std::filesystem;

std::string number(double v) {
  std::string out;
  JsonWriter(out).value(v);
  return out;
}

// "-" and "-: 12 tokens" name the output that they speak of.
std::string written_to(const std::string& written) {
  return written == "-" || written.starts_with("-: ") ? "stdout" + written.substr(1) : written;
}

std::string last_line(const Common& common, const Summary& s, double seconds) {
  std::string out = common.command + ": ";
  if (!s.written.empty()) out += "wrote " + written_to(s.written) + "; ";
  if (s.in > 0 || s.kept > 0) {
    out += format_count(s.in) + " " + s.unit + " in, " + format_count(s.kept) + " kept, " + format_count(s.dropped) +
           " dropped";
    if (s.bad > 0) out += ", " + format_count(s.bad) + " damaged";
    out += "; ";
  }
  out += format_seconds(seconds);
  if (seconds > 0 && s.bytes_in > 0)
    out += ", " + format_bytes(static_cast<double>(s.bytes_in) / seconds) + "/s";
  else if (seconds > 0 && s.in > 0)
    out += ", " + format_count(static_cast<uint64_t>(static_cast<double>(s.in) / seconds)) + " " + s.unit + "/s";
  if (s.interrupted) out += "; interrupted";
  return out;
}

void write_counts(JsonWriter& json, const Summary& s, double seconds) {
  json.member("unit", s.unit)
      .member("in", s.in)
      .member("kept", s.kept)
      .member("dropped", s.dropped)
      .member("bad", s.bad);
  json.member("bytes_in", s.bytes_in).member("bytes_out", s.bytes_out).member("seconds", seconds);
  json.key("metrics").begin_object();
  for (auto& [name, value] : s.metrics) json.member(name, value);
  json.end_object();
}

void write_files(JsonWriter& json, const std::vector<std::string>& paths) {
  json.begin_array();
  auto one = [&](const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    Xxh3 hash;
    uint64_t bytes = 0;
    std::string buffer(1 << 20, '\0');
    while (file) {
      file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
      auto n = static_cast<size_t>(file.gcount());
      hash.update(std::string_view(buffer.data(), n));
      bytes += n;
    }
    json.begin_object()
        .member("path", path.string())
        .member("bytes", bytes)
        .member("xxh3", hex(hash.digest64()))
        .end_object();
  };
  for (auto& path : paths) {
    if (path == "-") continue;
    if (!fs::is_directory(path)) {
      one(path);
      continue;
    }
    std::vector<fs::path> files;
    for (auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (auto& file : files) one(file);
  }
  json.end_array();
}

void write_manifest(const Common& common, const Summary& s, double seconds) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().member("program", "llmkit").member("version", LLMKIT_VERSION).member("command", common.command);
  json.member("threads", common.threads_used).member("kernels", kernels::isa_name(kernels::active_isa()));
  json.key("options").begin_object();
  for (auto& option : common.options->all()) json.key(option.name).raw(option.current());
  json.end_object();
  json.key("inputs");
  write_files(json, s.inputs);
  json.key("outputs");
  write_files(json, s.outputs);
  json.key("summary").begin_object();
  write_counts(json, s, seconds);
  json.end_object().end_object();
  out += '\n';
  io::write_file_atomically(common.manifest, out);
}

struct Gate {
  std::string name;
  double limit = 0;
};

Gate parse_gate(const std::string& flag, const std::string& text) {
  size_t equals = text.find('=');
  char* end = nullptr;
  double limit = equals == std::string::npos ? 0 : std::strtod(text.c_str() + equals + 1, &end);
  if (!end || *end || end == text.c_str() + equals + 1)
    throw UsageError(ErrorParts{"", flag, "NAME=VALUE", "'" + text + "'", ""});
  return {text.substr(0, equals), limit};
}

// The --min and --max gates that were not met: one sentence each.
std::vector<std::string> failed_gates(const Common& common, const Summary& s) {
  std::vector<std::pair<std::string, double>> figures = s.metrics;
  figures.insert(figures.end(), {{"in", static_cast<double>(s.in)},
                                 {"kept", static_cast<double>(s.kept)},
                                 {"dropped", static_cast<double>(s.dropped)},
                                 {"bad", static_cast<double>(s.bad)}});
  std::string known;
  for (auto& figure : figures) known += (known.empty() ? "" : ", ") + figure.first;
  std::vector<std::string> failures;
  auto check = [&](const std::string& flag, const std::string& gate, bool floor) {
    const Gate parsed = parse_gate(flag, gate);
    const std::string& name = parsed.name;
    const double limit = parsed.limit;
    auto found = std::find_if(figures.begin(), figures.end(), [&](auto& figure) { return figure.first == name; });
    if (found == figures.end())
      failures.push_back(flag + ": no figure named '" + name + "' (there are " + known + ")");
    else if (!(floor ? found->second >= limit : found->second <= limit))  // a NaN meets neither
      failures.push_back(flag + ": " + name + " is " + number(found->second) + (floor ? ", below " : ", above ") +
                         number(limit));
  };
  for (auto& gate : common.gates) check("--min", gate, true);
  for (auto& gate : common.ceilings) check("--max", gate, false);
  return failures;
}

}  // namespace

std::string Common::resolved_config() const {
  return dump_config(*options, command);
}

bool Common::too_many_bad(uint64_t bad, uint64_t in) const {
  if (bad == 0) return false;
  if (auto share = parse_percent(max_bad)) return static_cast<double>(bad) > *share * static_cast<double>(in);
  if (auto count = parse_count(max_bad)) return bad > *count;
  throw UsageError(ErrorParts{"", "--max-bad", "a count or a percentage such as 1%", "'" + max_bad + "'", ""});
}

void Common::check_limits() const {
  for (auto& gate : gates) parse_gate("--min", gate);
  for (auto& gate : ceilings) parse_gate("--max", gate);
  too_many_bad(1, 1);
}

ExitCode Common::finish(const Summary& s) const {
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  log::set_status_line(false);
  for (auto& example : s.bad_examples) log::warning(example);
  if (s.bad > s.bad_examples.size() && !s.bad_examples.empty()) {
    log::warning(format_count(s.bad - s.bad_examples.size()) + " more damaged records");
  }
  std::cout.flush();
  log::info(last_line(*this, s, seconds));
  if (!s.next.empty()) log::info("next: " + s.next);
  ExitCode code = ExitCode::done;
  if (s.interrupted)
    code = ExitCode::interrupted;
  else if (too_many_bad(s.bad, s.in)) {
    log::error(format_count(s.bad) + " of " + format_count(s.in) + " records are damaged, more than --max-bad " +
               max_bad +
               (s.bad == s.in && options->has("plain") ? "; --plain reads any file as text, not only .txt" : ""));
    code = ExitCode::too_many_bad;
  } else if (auto failures = failed_gates(*this, s); !failures.empty()) {
    for (auto& failure : failures) log::error(failure);
    code = ExitCode::gate_failed;
  }
  if (json) {
    std::string out;
    JsonWriter writer(out);
    writer.begin_object().member("command", command).member("exit_code", static_cast<int>(code));
    write_counts(writer, s, seconds);
    writer.end_object();
    bool stdout_is_data = output == "-" && options->has("output");
    (stdout_is_data ? std::cerr : std::cout) << out << '\n';
  }
  if (!manifest.empty()) write_manifest(*this, s, seconds);
  return code;
}

}  // namespace llmkit::cli
