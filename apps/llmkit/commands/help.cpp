#include "help.h"

#include <iostream>

#include "command.h"

namespace llmkit::cli {
namespace {

class Help : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{"help",
                                  "Tools",
                                  "a command, a family of methods, or a topic",
                                  {"llmkit help dedup", "llmkit help samplers", "llmkit help exit-codes"},
                                  "Without a name, lists everything that can be asked for.",
                                  0};
    return info;
  }
  void declare(Options& options) override {
    options.positional("NAME", &names_, "a command, family, entry of a family, or topic");
  }
  ExitCode run(Context&, const Common&) override {
    if (names_.empty()) std::cout << help_index();
    for (auto& name : names_) std::cout << help_on(name);
    return ExitCode::done;
  }

 private:
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<Command> make_help() {
  return std::make_unique<Help>();
}

}  // namespace llmkit::cli
