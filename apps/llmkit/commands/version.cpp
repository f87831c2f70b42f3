#include "base/version.h"

#include <spdlog/version.h>
#include <tbb/version.h>

#include <iostream>

#include "base/json_writer.h"
#include "base/mpi_communicator.h"
#include "base/parallel.h"
#include "command.h"
#include "kernels/cpu.h"

namespace llmkit::cli {
namespace {

class Version : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        "version",
        "Tools",
        "program, compiler and instruction sets",
        {"llmkit version", "llmkit version --json"},
        "One line, or with --json one object that tells what the program was built with and what it runs on.",
        0};
    return info;
  }
  void declare(Options& options) override { options.boolean("--json", &json_, "print one JSON object"); }
  ExitCode run(Context&, const Common&) override {
    if (!json_) {
      std::cout << "llmkit " LLMKIT_VERSION "\n";
      return ExitCode::done;
    }
    std::string out;
    JsonWriter json(out, 2);
    json.begin_object().member("version", LLMKIT_VERSION);
    json.member("compiler", LLMKIT_COMPILER).member("build_type", LLMKIT_BUILD_TYPE).member("flags", LLMKIT_FLAGS);
    json.member("kernels", kernels::isa_name(kernels::active_isa()));
    json.member("kernels_available", kernels::isa_name(kernels::detected_isa()));
    json.member("threads", available_threads());
    json.member("mpi", built_with_mpi());
    json.key("packages").begin_object();
    json.member("tbb", std::to_string(TBB_VERSION_MAJOR) + "." + std::to_string(TBB_VERSION_MINOR));
    json.member("spdlog", std::to_string(SPDLOG_VER_MAJOR) + "." + std::to_string(SPDLOG_VER_MINOR) + "." +
                              std::to_string(SPDLOG_VER_PATCH));
    json.end_object().end_object();
    std::cout << out << "\n";
    return ExitCode::done;
  }

 private:
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_version() {
  return std::make_unique<Version>();
}

}  // namespace llmkit::cli
