// Speed of reading, in decoded bytes per second of processor time: bench_io jsonl|lines|read FILE…
//   jsonl  parse every document line and write it again;  lines  split into lines;  read  decompress only
#include <time.h>

#include <cstdio>

#include "formats/jsonl.h"

using namespace llmkit;

namespace {

double processor_seconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

uint64_t rewrite_documents(const std::string& path) {
  formats::DocumentReader reader({path});
  formats::LineBatch batch;
  std::string out;
  uint64_t bytes = 0;
  while (reader.next_batch(batch)) {
    out.clear();
    for (size_t i = 0; i < batch.lines.size(); ++i) {
      bytes += batch.lines[i].length + 1;
      if (auto document = reader.parse(batch, i)) formats::write_document(out, *document);
    }
  }
  return bytes;
}

uint64_t split_lines(const std::string& path) {
  auto input = io::open_input(path);
  io::LineReader reader(*input);
  uint64_t bytes = 0;
  for (std::string_view line; reader.next(line);) bytes += line.size() + 1;
  return bytes;
}

uint64_t read_bytes(const std::string& path) {
  auto input = io::open_input(path);
  std::string buffer(size_t{256} << 10, '\0');
  uint64_t bytes = 0;
  while (size_t got = input->read(buffer)) bytes += got;
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  std::string what = argc > 2 ? argv[1] : "";
  auto work = what == "jsonl"   ? rewrite_documents
              : what == "lines" ? split_lines
              : what == "read"  ? read_bytes
                                : nullptr;
  if (!work) {
    std::fprintf(stderr, "usage: bench_io jsonl|lines|read FILE...\n");
    return 2;
  }
  for (int i = 2; i < argc; ++i) {
    double start = processor_seconds();
    auto megabytes = static_cast<double>(work(argv[i])) * 1e-6;
    double seconds = processor_seconds() - start;
    std::printf("%-6s %s: %.1f MB, %.3f s, %.0f MB/s\n", argv[1], argv[i], megabytes, seconds, megabytes / seconds);
  }
  return 0;
}
