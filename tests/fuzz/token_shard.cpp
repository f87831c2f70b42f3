// The head, sizes and document ends of a token shard. The hash of the head is corrected, so that the checks behind it
// run.
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "formats/token_shard_format.h"
#include "formats/token_shards.h"
#include "fuzz_util.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit;
  using namespace llmkit::formats;
  static const std::string folder = "/tmp/llmkit-fuzz-" + std::to_string(getpid());
  io::make_folders(folder);
  std::string bytes(reinterpret_cast<const char*>(data), size);
  TokHead head;
  if (bytes.size() < sizeof head) return 0;
  std::memcpy(&head, bytes.data(), sizeof head);
  std::memcpy(head.magic, TokHead().magic, sizeof head.magic);
  head.head_hash = head.own_hash();
  std::memcpy(bytes.data(), &head, sizeof head);
  return fuzz::refuse_or_accept(data, size, [&](std::string_view) {
    std::ofstream(folder + "/a.tok", std::ios::binary) << bytes;
    std::ofstream(folder + "/manifest.json")
        << R"({"format": "llmkit-tokens", "version": 1, "vocab_size": )" << head.vocab_size
        << R"(, "tokenizer_hash": "0", "tokens": )" << head.tokens
        << R"(, "documents": 0, "sources": [], "shards": [{"file": "a.tok", "tokens": )" << head.tokens
        << R"(, "documents": )" << head.documents << "}]}";
    TokenShards::open(folder).verify();
  });
}
