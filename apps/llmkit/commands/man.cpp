#include "man.h"

#include <iostream>

#include "command.h"

namespace llmkit::cli {
namespace {

class Man : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{"man",
                                  "Tools",
                                  "manual page of a command, as roff",
                                  {"llmkit man dedup | man -l -", "llmkit man > llmkit.1"},
                                  "Without a command, the page of llmkit itself.",
                                  0};
    return info;
  }
  void declare(Options& options) override { options.positional("COMMAND", &commands_, "whose page"); }
  ExitCode run(Context&, const Common&) override {
    if (commands_.empty()) std::cout << program_man_page();
    for (auto& name : commands_) std::cout << command_man_page(*prepare(find_command(name)));
    return ExitCode::done;
  }

 private:
  std::vector<std::string> commands_;
};

}  // namespace

std::unique_ptr<Command> make_man() {
  return std::make_unique<Man>();
}

}  // namespace llmkit::cli
