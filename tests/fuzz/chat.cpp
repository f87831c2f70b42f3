// A line of chat data in any of its formats.
#include "formats/chat.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit::formats;
  auto parsed = parse_conversation_line({reinterpret_cast<const char*>(data), size});
  if (!parsed) return 0;
  std::string written, again;
  write_conversation(written, *parsed);
  auto reread = parse_conversation_line(written);
  if (!reread || reread->messages.size() != parsed->messages.size()) std::abort();
  write_conversation(again, *reread);
  if (again != written) std::abort();
  return 0;
}
