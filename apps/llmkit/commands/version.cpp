#include <iostream>

#include "base/json_writer.h"
#include "base/version.h"
#include "command.h"

namespace llmkit::cli {
namespace {

class Version : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        "version", "Tools", "program, compiler and instruction sets",
        {"llmkit version", "llmkit version --json"},
        "One line, or with --json one object.", 0};
    return info;
  }
  void declare(Options& options) override { options.boolean("--json", &json_, "print one JSON object"); }
  ExitCode run(Context&, const Common&) override {
    if (!json_) {
      std::cout << "llmkit " LLMKIT_VERSION "\n";
      return ExitCode::done;
    }
    std::string out;
    JsonWriter json(out);
    json.begin_object().member("version", LLMKIT_VERSION).member("compiler", __VERSION__).end_object();
    std::cout << out << "\n";
    return ExitCode::done;
  }

 private:
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_version() { return std::make_unique<Version>(); }

}  // namespace llmkit::cli
