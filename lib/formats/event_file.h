// TensorBoard event files, written: `tensorboard --logdir RUN` shows what a run logs.
//
// A file is a sequence of TFRecords: u64 length, masked CRC32C of the length, payload, masked CRC32C of the payload,
// all little-endian; a payload is an `Event` protocol buffer (tensorflow/core/util/event.proto), the first one naming
// the version. The size of a record depends on its tags, texts and step alone, never on values or the clock, so that a
// file can be cut at a recorded length and continued.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace llmkit::formats {

struct EventScalar {
  std::string_view tag;  // "loss/training"; TensorBoard groups by what stands before the slash
  double value = 0;      // kept as a float
};

// Records as bytes, to be appended. `wall_time`: seconds since 1970.
std::string event_file_start(double wall_time);
std::string scalar_event(double wall_time, int64_t step, std::span<const EventScalar> scalars);
// Bytes that are no UTF-8 become U+FFFD.
std::string text_event(double wall_time, int64_t step, std::string_view tag, std::string_view text);

// Castagnoli's CRC (polynomial 0x1EDC6F41, reflected), as in iSCSI (RFC 3720) and TFRecord.
uint32_t crc32c(std::string_view bytes);

}  // namespace llmkit::formats
