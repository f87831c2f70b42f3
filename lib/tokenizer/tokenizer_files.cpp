// Tokenizer::load and save: the files of a folder.
#include <filesystem>

#include "base/error.h"
#include "io/files.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_json.h"

namespace llmkit::tokenizer {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;
constexpr std::string_view kEndOfText = "<|endoftext|>";

TokenizerParts byte_parts() {
  TokenizerParts parts;
  parts.pretokenizer = "none";
  for (int b = 0; b < 256; ++b) parts.tokens.push_back(std::string(1, static_cast<char>(b)));
  AddedToken end;
  end.content = kEndOfText;
  parts.add(end);
  parts.eos = kEndOfText;
  return parts;
}

// Where a file says nothing of roles, the usual names do.
void guess_roles(TokenizerParts& parts) {
  if (!parts.eos.empty()) return;
  for (std::string_view name : {kEndOfText, std::string_view("</s>"), std::string_view("<|end_of_text|>")})
    for (auto& token : parts.added)
      if (token.content == name && parts.eos.empty()) parts.eos = name;
}

}  // namespace

Tokenizer Tokenizer::load(const std::string& path) {
  namespace fs = std::filesystem;
  if (path == "byte") return Tokenizer(byte_parts());
  std::error_code ignored;
  fs::path folder = fs::is_directory(path, ignored) ? fs::path(path) : fs::path(path).parent_path();
  fs::path file = fs::is_directory(path, ignored) ? folder / "tokenizer.json" : fs::path(path);
  if (!fs::exists(file, ignored)) {
    throw Error(ErrorParts{"no tokenizer there",
                           path,
                           "a folder with tokenizer.json, such a file, or byte",
                           {},
                           "llmkit train-tokenizer makes one"});
  }
  TokenizerParts parts = parse_tokenizer_json(io::read_file(file.string(), kMaxFileBytes), file.string());
  for (auto name : {"special_tokens_map.json", "tokenizer_config.json"}) {
    fs::path config = folder / name;
    if (fs::exists(config, ignored))
      parse_tokenizer_config(io::read_file(config.string(), kMaxFileBytes), config.string(), parts);
  }
  if (fs::path chat = folder / "chat_template.jinja"; fs::exists(chat, ignored))
    parts.chat_template = io::read_file(chat.string(), kMaxFileBytes);
  guess_roles(parts);
  return Tokenizer(std::move(parts));
}

void Tokenizer::save(const std::string& folder) const {
  io::make_folders(folder);
  auto write = [&](const char* name, const std::string& text) { io::write_file_atomically(folder + "/" + name, text); };
  write("tokenizer.json", write_tokenizer_json(*parts_));
  write("tokenizer_config.json", write_tokenizer_config(*parts_));
  write("special_tokens_map.json", write_special_tokens_map(*parts_));
}

}  // namespace llmkit::tokenizer
