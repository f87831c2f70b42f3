#include "formats/event_file.h"

#include <doctest/doctest.h>

#include <string>

using namespace llmkit::formats;

namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (unsigned char c : bytes) {
    out += "0123456789abcdef"[c >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

}  // namespace

TEST_CASE("CRC32C equals the published values") {
  CHECK(crc32c("123456789") == 0xE3069283u);
  CHECK(crc32c("") == 0);
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAu);  // RFC 3720, B.4
  CHECK(crc32c(std::string(32, '\xff')) == 0x62A8AB43u);
}

// Made by tensorboard 2's own protocol buffers and record writer.
TEST_CASE("records equal those that TensorBoard writes") {
  CHECK(hex(event_file_start(1.5)) ==
        "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c");
  const EventScalar scalars[] = {{"training/loss", 1.25}, {"speed/mfu", -0.5}};
  CHECK(hex(scalar_event(2.25, 300, scalars)) ==
        "36000000000000004f578cef09000000000000024010ac022a280a140a0d747261696e696e672f6c6f7373150000a03f0a100a09737065"
        "65642f6d6675150000"
        "00bffdda4399");
  CHECK(hex(text_event(3.0, 7, "sample", "Once \xc3\xa9")) ==
        "34000000000000005e33175c09000000000000084010072a270a250a0673616d706c654211080712041202080142074f6e636520c3a94a"
        "080a060a0474657874"
        "4d2df878");
}

TEST_CASE("a text that is no UTF-8 is made readable") {
  CHECK(text_event(3.0, 7, "sample", "a\xbd") == text_event(3.0, 7, "sample", "a\xef\xbf\xbd"));
}

TEST_CASE("the size of a record depends on no value and no clock") {
  const EventScalar one[] = {{"loss", 0}}, other[] = {{"loss", -3e38}};
  CHECK(scalar_event(0, 1000, one).size() == scalar_event(1.7e9, 1000, other).size());
}
