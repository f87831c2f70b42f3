// zstd framing.
#include "fuzz_util.h"
#include "io/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit;
  std::string bytes = "\x28\xb5\x2f\xfd" + std::string(reinterpret_cast<const char*>(data), size);
  io::InputLimits limits;
  limits.max_bytes = 1 << 20;
  fuzz::drain(*io::open_memory(bytes, "fuzz", limits));
  return 0;
}
