// gzip framing: members, padding, damage, going on at the next member.
#include "fuzz_util.h"
#include "io/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit;
  std::string bytes = "\x1f\x8b" + std::string(reinterpret_cast<const char*>(data), size);
  io::InputLimits limits;
  limits.max_bytes = 1 << 20;
  fuzz::drain(*io::open_memory(bytes, "fuzz", limits));
  return 0;
}
