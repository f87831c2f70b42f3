// What other commands need of `llmkit pretrain`: its options.
#pragma once

#include "command.h"
#include "pretrain/options.h"

namespace llmkit::cli {

// Of a command that make_pretrain() made; declare() fills them.
pretrain::PretrainOptions& pretrain_options(Command& command);

}  // namespace llmkit::cli
