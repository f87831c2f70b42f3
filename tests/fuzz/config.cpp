// config.json of every architecture: what is read either completes or is refused, and writes back.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "formats/json.h"
#include "models/architecture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit;
  try {
    formats::Json json = formats::parse_json({reinterpret_cast<const char*>(data), size}, "config.json");
    for (const auto& entry : models::architectures().entries()) {
      auto architecture = models::architectures().make(entry.name);
      try {
        models::ModelConfig config = architecture->read_config(json);
        config.complete();
        formats::write_json(architecture->write_config(config));
      } catch (const Error&) {
      }
    }
  } catch (const Error&) {
  }
  return 0;
}
