// A command: one file in commands/ that defines `std::unique_ptr<Command> make_NAME()`, and one line in commands.def.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/error.h"
#include "options.h"

namespace llmkit::cli {

// The options that many commands share; the framework declares those that a command names in CommandInfo::uses.
// -q, -v, --config and --dump-config come with every command.
enum Uses : uint32_t {
  kUsesOutput = 1 << 0,    // -o, --output
  kUsesThreads = 1 << 1,   // --threads
  kUsesSeed = 1 << 2,      // --seed
  kUsesForce = 1 << 3,     // --force
  kUsesResume = 1 << 4,    // --resume
  kUsesDryRun = 1 << 5,    // -n, --dry-run
  kUsesJson = 1 << 6,      // --json
  kUsesReport = 1 << 7,    // --report
  kUsesManifest = 1 << 8,  // --manifest
  kUsesMaxBad = 1 << 9,    // --max-bad
  kUsesMemory = 1 << 10,   // --memory
  kUsesGates = 1 << 11,    // --min, --max
  kUsesIsa = 1 << 12,      // --isa: commands that compute with lib/kernels
  kUsesRanks = 1 << 13,    // mpirun: the processes work together
  // What a command that streams records from inputs to an output has.
  kUsesStream =
      kUsesOutput | kUsesThreads | kUsesForce | kUsesJson | kUsesReport | kUsesManifest | kUsesMaxBad | kUsesGates,
};

struct CommandInfo {
  std::string_view name;                   // "train-tokenizer"
  std::string_view group;                  // "Data", "Tokenizer", "Models", "Learning", "Tools"
  std::string_view summary;                // one line, lower case, no full stop, at most 60 characters
  std::vector<std::string_view> examples;  // at least two whole command lines
  std::string_view details;  // for --help and the man page: method, papers, formats; each line is a paragraph
  uint32_t uses = 0;         // Uses bits
  std::string_view output_default = "-";  // default of -o; "" = required
  std::string_view configs_of = "";       // reads the configs of this command instead of its own
};

// What a command hands over when it is done.
struct Summary {
  std::string unit = "documents";          // what is counted
  std::string written;                     // what was written where, for the last line: "docs.jsonl.zst"
  uint64_t in = 0, kept = 0, dropped = 0;  // records; in = kept + dropped + bad
  uint64_t bad = 0;                        // damaged records, what --max-bad limits
  std::vector<std::string> bad_examples;   // the first ten, located: "in.jsonl, line 7: unclosed string at byte 17"
  uint64_t bytes_in = 0, bytes_out = 0;    // 0 = not known
  std::vector<std::pair<std::string, double>> metrics;  // in --json, the manifest, and what --min and --max look at
  std::vector<std::string> inputs, outputs;             // files or folders, for the manifest; "-" is passed over
  std::string next;                                     // a suggested next command line, or empty
  bool interrupted = false;                             // stopped early by a signal: exit code 130
};

// What the framework parsed for every command.
struct Common {
  std::string output = "-";
  int64_t threads = 0;
  int64_t seed = 0;
  bool force = false, resume = false, dry_run = false;
  bool json = false;
  std::string report;    // --report FILE.html, or empty
  std::string manifest;  // --manifest FILE, or empty
  std::string max_bad = "1%";
  uint64_t memory_bytes = 0;
  std::string isa = "best";
  std::vector<std::string> gates;     // --min NAME=VALUE
  std::vector<std::string> ceilings;  // --max NAME=VALUE
  bool quiet = false;
  int verbose = 0;
  std::string config;  // --config FILE or the name of a built-in one

  // The last act of a command: prints the last line, located bad records and the --json object, writes the manifest,
  // applies --max-bad, --min and --max, and gives the exit code to return.
  ExitCode finish(const Summary& summary) const;
  // Throws where --min, --max or --max-bad cannot be read: before the work, not behind it.
  void check_limits() const;
  // The same limit, for a command that wants to stop as soon as it cannot be met any more.
  bool too_many_bad(uint64_t bad, uint64_t in) const;

  // Set by the framework.
  std::string command;                  // "dedup"
  const Options* options = nullptr;     // the resolved values, for manifests and run folders
  std::string resolved_config() const;  // the same as TOML
  int threads_used = 1;
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
};

class Command {
 public:
  virtual ~Command() = default;
  virtual const CommandInfo& info() const = 0;
  virtual void declare(Options& options) = 0;
  virtual ExitCode run(Context& context, const Common& common) = 0;
  virtual bool writes() const { return true; }  // false where what was asked for needs no --output
};

#define LLMKIT_COMMAND(name) std::unique_ptr<Command> make_##name();
#include "commands.def"
#undef LLMKIT_COMMAND

}  // namespace llmkit::cli
