#include "cli.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <new>
#include <thread>

#include "base/communicator.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/registry.h"
#include "base/version.h"
#include "config.h"
#include "help.h"
#include "kernels/cpu.h"
#include "signals.h"

namespace llmkit::cli {
namespace {

void declare_common(Invocation& invocation) {
  auto& options = invocation.options;
  auto& common = invocation.common;
  const CommandInfo& info = invocation.command->info();
  size_t own = options.all().size();
  auto uses = [&](uint32_t bit) { return (info.uses & bit) != 0; };
  options.group("Common options");
  if (uses(kUsesOutput)) {
    common.output = std::string(info.output_default);
    options.text("-o,--output", &common.output, "FILE", "where the result goes; - is stdout");
  }
  if (uses(kUsesThreads))
    options.integer("--threads", &common.threads, "N", "worker threads; 0 = all processors", 0, 1024);
  if (uses(kUsesIsa))
    options.choice("--isa", &common.isa, {"best", "portable", "avx2", "avx512", "avx512vnni", "avx512bf16", "amx"},
                   "instruction set of the kernels; best on Intel without AMX is avx512vnni (bf16 by fp32 units)");
  if (uses(kUsesSeed)) options.integer("--seed", &common.seed, "N", "seed of every random choice", 0);
  if (uses(kUsesMemory)) options.size("--memory", &common.memory_bytes, "memory to stay within");
  if (uses(kUsesMaxBad))
    options.text("--max-bad", &common.max_bad, "N|P%", "more damaged records than this: exit code 3");
  if (uses(kUsesForce)) options.boolean("--force", &common.force, "replace outputs that exist");
  if (uses(kUsesResume)) options.boolean("--resume", &common.resume, "go on where an earlier run stopped");
  if (uses(kUsesDryRun)) options.boolean("-n,--dry-run", &common.dry_run, "show the plan and stop");
  if (uses(kUsesGates)) {
    options.list("--min", &common.gates, "NAME=VALUE", "exit code 4 where a figure is below VALUE");
    options.list("--max", &common.ceilings, "NAME=VALUE", "exit code 4 where a figure is above VALUE");
  }
  if (uses(kUsesJson)) options.boolean("--json", &common.json, "print the summary as one JSON object");
  if (uses(kUsesReport)) options.text("--report", &common.report, "FILE", "write an HTML report");
  if (uses(kUsesManifest))
    options.text("--manifest", &common.manifest, "FILE", "write inputs, outputs and checksums as JSON");
  options.text("--config", &common.config, "FILE|NAME", "read options from a TOML file or a built-in config");
  options.boolean("--dump-config", &invocation.requests.dump_config, "print all options as TOML and stop");
  options.boolean("-q,--quiet", &common.quiet, "only warnings and errors on stderr");
  for (size_t i = own; i < options.all().size(); ++i) options.all()[i].common = true;
}

// The threads of this process: what --threads says, or all, shared with the other ranks of this machine.
int threads_of(const Invocation& invocation, Communicator& ranks) {
  if (!(invocation.command->info().uses & kUsesThreads)) return 1;
  if (invocation.common.threads > 0 || ranks.size() == 1) return static_cast<int>(invocation.common.threads);
  return threads_per_rank(ranks.ranks_here());
}

// `joined` is filled where the process is one of several that work together.
ExitCode run_command(Invocation& invocation, std::unique_ptr<Communicator>& joined) {
  auto& common = invocation.common;
  common.command = std::string(invocation.command->info().name);
  common.options = &invocation.options;
  if (common.quiet)
    log::set_level(log::Level::warning);
  else if (common.verbose > 0)
    log::set_level(log::Level::debug);
  if (invocation.requests.help) {
    std::cout << command_help(invocation);
    return ExitCode::done;
  }
  if (invocation.requests.dump_config) {
    std::cout << common.resolved_config();
    return ExitCode::done;
  }
  if (Option* output = invocation.options.find("output");
      output && output->common && common.output.empty() && invocation.command->writes()) {
    throw UsageError(ErrorParts{"missing -o/--output", "", "", "", "llmkit " + common.command + " --help shows how"});
  }
  common.check_limits();
  if (common.isa != "best") kernels::force_isa(*kernels::isa_from_name(common.isa));
  if (invocation.command->info().uses & kUsesRanks) joined = join_ranks();
  Communicator& ranks = joined ? *joined : alone();
  if (joined) install_signal_handlers();  // MPI sets its own
  if (!ranks.leader()) log::set_level(log::Level::error);
  Parallel parallel(threads_of(invocation, ranks));
  common.threads_used = parallel.threads();
  ProgressPrinter progress(common.command, !common.quiet && ranks.leader());
  Context context{parallel,     stop_flag(), progress, static_cast<uint64_t>(common.seed), common.memory_bytes,
                  common.force, ranks};
  if (joined)
    log::info(std::to_string(ranks.size()) + " processes, " + std::to_string(ranks.ranks_here()) +
              " on this machine with " + std::to_string(parallel.threads()) + " threads each");
  return invocation.command->run(context, common);
}

}  // namespace

std::vector<std::unique_ptr<Command>> all_commands() {
  std::vector<std::unique_ptr<Command>> out;
#define LLMKIT_COMMAND(name) out.push_back(make_##name());
#include "commands.def"
#undef LLMKIT_COMMAND
  return out;
}

std::unique_ptr<Command> find_command(std::string_view name) {
  auto commands = all_commands();
  std::vector<std::string_view> names;
  for (auto& command : commands) {
    if (command->info().name == name) return std::move(command);
    names.push_back(command->info().name);
  }
  std::string near = nearest(name, names);
  throw UsageError(
      ErrorParts{"unknown command '" + printable(name) + "'", "", "", "",
                 (near.empty() ? "" : "did you mean '" + near + "'? ") + std::string("llmkit alone lists all")});
}

std::unique_ptr<Invocation> prepare(std::unique_ptr<Command> command) {
  auto invocation = std::make_unique<Invocation>();
  invocation->command = std::move(command);
  invocation->options.group("Options");
  invocation->command->declare(invocation->options);
  declare_common(*invocation);
  return invocation;
}

ExitCode run_program(std::span<const std::string> arguments) {
  std::string who = "llmkit";
  std::unique_ptr<Communicator> ranks;
  auto fail = [&](std::string_view message, ExitCode code) {
    log::set_status_line(false);
    if (ranks && !ranks->leader()) {
      // What goes wrong everywhere is told once, by rank 0, which then ends the job.
      std::this_thread::sleep_for(std::chrono::seconds(1));
      who += ": rank " + std::to_string(ranks->rank());
    }
    std::fprintf(stderr, "%s: %s\n", who.c_str(), printable(message, 4000).c_str());
    return code;
  };
  ExitCode code;
  bool failed = false;
  try {
    open_stdout();
    install_signal_handlers();
    if (arguments.empty()) {
      std::cout << first_screen();
      code = ExitCode::done;
    } else if (arguments[0] == "-h" || arguments[0] == "--help") {
      std::cout << first_screen();
      code = ExitCode::done;
    } else if (arguments[0] == "--version") {
      std::cout << "llmkit " LLMKIT_VERSION "\n";
      code = ExitCode::done;
    } else {
      auto invocation = prepare(find_command(arguments[0]));
      who += ": " + arguments[0];
      parse_arguments(*invocation, arguments.subspan(1));
      code = run_command(*invocation, ranks);
      if (double here = 1; ranks) gather_all(*ranks, {&here, 1});  // nobody leaves while rank 0 writes
    }
  } catch (const Error& error) {
    // An error that is none: the reader of our output has gone.
    code = error.code() == ExitCode::done ? ExitCode::done : fail(error.what(), error.code());
    failed = true;
  } catch (const std::bad_alloc&) {
    code = fail("out of memory (--memory and a smaller batch need less)", ExitCode::failed);
    failed = true;
  } catch (const std::exception& error) {
    code = fail(error.what(), ExitCode::failed);
    failed = true;
  }
  if (ranks && failed) ranks->abort(static_cast<int>(code));  // the others wait for this one
  return close_stdout(code, who);
}

}  // namespace llmkit::cli
