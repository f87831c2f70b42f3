// tokenize convert: a tokenizer in another format.
#include <filesystem>

#include "base/units.h"
#include "commands/tokenize_actions.h"
#include "tokenizer/tokenizer_formats.h"

namespace llmkit::cli {

ExitCode convert_tokenizer(const Common& common, const std::vector<std::string>& inputs) {
  if (inputs.size() != 1 || common.output == "-")
    throw UsageError("convert takes one tokenizer and a name: llmkit tokenize convert spm.model -o tokenizer");
  if (!common.force && std::filesystem::exists(common.output))
    throw Error(ErrorParts{"there is something already", common.output, {}, {}, "--force replaces it"});
  auto tokenizer = tokenizer::Tokenizer::load(inputs[0]);  // what it says is checked before anything is written
  tokenizer::write_tokenizer(tokenizer.parts(), common.output);
  Summary s;
  s.written = common.output + ": " + format_count(static_cast<uint64_t>(tokenizer.vocab_size())) + " tokens";
  s.inputs = inputs;
  s.outputs = {common.output};
  return common.finish(s);
}

}  // namespace llmkit::cli
