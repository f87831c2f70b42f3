// A safetensors file; every byte of every tensor that is accepted must be readable.
#include "formats/safetensors.h"

#include "fuzz_util.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit;
  return fuzz::refuse_or_accept(data, size, [](std::string_view bytes) {
    auto file = formats::SafetensorsFile::parse(std::as_bytes(std::span(bytes)), "fuzz");
    [[maybe_unused]] volatile unsigned sum = 0;
    for (auto& tensor : file.tensors())
      for (std::byte b : tensor.data) sum = sum + static_cast<unsigned>(b);
  });
}
