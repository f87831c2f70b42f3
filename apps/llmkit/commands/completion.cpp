#include "completion.h"

#include <iostream>

#include "command.h"

namespace llmkit::cli {
namespace {

class CompletionCommand : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        "completion",
        "Tools",
        "completion script for bash, zsh or fish",
        {"source <(llmkit completion bash)", "llmkit completion fish > ~/.config/fish/completions/llmkit.fish"},
        "cmake --install puts the three scripts where the shells look for them.",
        0};
    return info;
  }
  void declare(Options& options) override { options.positional("SHELL", &shells_, "bash, zsh or fish", 1); }
  ExitCode run(Context&, const Common&) override {
    for (auto& shell : shells_) std::cout << completion_script(shell);
    return ExitCode::done;
  }

 private:
  std::vector<std::string> shells_;
};

}  // namespace

std::unique_ptr<Command> make_completion() {
  return std::make_unique<CompletionCommand>();
}

}  // namespace llmkit::cli
