// Tokenizer::load and save, and the reader and writer of files by their name.
#include <filesystem>

#include "base/error.h"
#include "io/files.h"
#include "io/input.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_formats.h"
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

std::string read(const std::filesystem::path& path) {
  return io::read_all(*io::open_input(path.string()), kMaxFileBytes);
}

// The name without .gz or .zst.
std::string plain_name(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  for (std::string_view packed : {".gz", ".zst"})
    if (name.ends_with(packed)) name.resize(name.size() - packed.size());
  return name;
}

// tokenizer_config.json, special_tokens_map.json and chat_template.jinja beside a file.
void read_companions(const std::filesystem::path& folder, TokenizerParts& parts) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  for (auto name : {"special_tokens_map.json", "tokenizer_config.json"}) {
    fs::path config = folder / name;
    if (fs::exists(config, ignored)) parse_tokenizer_config(read(config), config.string(), parts);
  }
  if (fs::path chat = folder / "chat_template.jinja"; fs::exists(chat, ignored)) parts.chat_template = read(chat);
}

constexpr const char* kKnown =
    "a folder with tokenizer.json, such a file, vocab.json, vocab.txt, .tiktoken, .model, .gguf, or byte";

// tokenizer.json under any name.
TokenizerParts read_json(const std::filesystem::path& file, std::string_view name) {
  std::string text = read(file);
  size_t start = text.find_first_not_of(" \t\r\n");
  if (!name.ends_with(".json") && (start == std::string::npos || text[start] != '{'))
    throw Error(ErrorParts{"not a tokenizer", file.string(), kKnown, "a file of another kind",
                           "where texts are compared on, each follows an --on of its own"});
  return parse_tokenizer_json(text, file.string());
}

// The file of a folder that says most.
std::filesystem::path file_in(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (auto name : {"tokenizer.json", "vocab.json", "tokenizer.model", "spiece.model", "vocab.txt"})
    if (std::filesystem::exists(folder / name, ignored)) return folder / name;
  return folder / "tokenizer.json";
}

}  // namespace

TokenizerParts read_tokenizer(const std::string& path) {
  namespace fs = std::filesystem;
  if (path == "byte") return byte_parts();
  std::error_code ignored;
  fs::path file = fs::is_directory(path, ignored) ? file_in(path) : fs::path(path);
  if (!fs::exists(file, ignored)) {
    throw Error(ErrorParts{"no tokenizer there", path, kKnown, {}, "llmkit train-tokenizer makes one"});
  }
  std::string name = plain_name(file);
  TokenizerParts parts;
  if (name.ends_with(".tiktoken")) {
    parts = parse_tiktoken(read(file), file.string());
  } else if (name.ends_with(".model")) {
    parts = parse_sentencepiece(read(file), file.string());
  } else if (name.ends_with(".gguf")) {
    parts = parse_gguf_tokenizer(read(file), file.string());
  } else if (name.ends_with("vocab.txt")) {
    parts = parse_vocab_txt(read(file), file.string());
  } else if (name.ends_with("vocab.json")) {
    fs::path merges = file.parent_path() / (name.substr(0, name.size() - 10) + "merges.txt");
    parts = parse_vocab_and_merges(read(file), read(merges), file.string());
  } else {
    parts = read_json(file, name);
  }
  if (name == "tokenizer.json" || name == "vocab.json" || name == "vocab.txt")
    read_companions(file.parent_path(), parts);
  guess_roles(parts);
  return parts;
}

void write_tokenizer(const TokenizerParts& parts, const std::string& path) {
  auto write = [&](const std::string& to, const std::string& text) { io::write_file_atomically(to, text); };
  auto beside = [&](std::string_view ending, std::string_view other) {
    return path.substr(0, path.size() - ending.size()) + std::string(other);
  };
  if (path.ends_with(".tiktoken")) {
    write(path, write_tiktoken(parts));
  } else if (path.ends_with(".model")) {
    write(path, write_sentencepiece(parts));
  } else if (path.ends_with(".gguf")) {
    write(path, write_gguf_tokenizer(parts));
  } else if (path.ends_with("vocab.txt")) {
    write(path, write_vocab_txt(parts));
  } else if (path.ends_with("vocab.json")) {
    auto [vocab, merges] = write_vocab_and_merges(parts);
    write(path, vocab);
    write(beside("vocab.json", "merges.txt"), merges);
  } else if (path.ends_with(".json")) {
    write(path, write_tokenizer_json(parts));
  } else {
    io::make_folders(path);
    write(path + "/tokenizer.json", write_tokenizer_json(parts));
    write(path + "/tokenizer_config.json", write_tokenizer_config(parts));
    write(path + "/special_tokens_map.json", write_special_tokens_map(parts));
  }
}

Tokenizer Tokenizer::load(const std::string& path) {
  return Tokenizer(read_tokenizer(path));
}

void Tokenizer::save(const std::string& folder) const {
  write_tokenizer(*parts_, folder.ends_with('/') ? folder : folder + "/");
}

}  // namespace llmkit::tokenizer
