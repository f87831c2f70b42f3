// encode TOKENIZER FILE THREADS PASSES: encodes FILE, documents ended by a zero byte, and prints the megabytes a second
// of the median pass, the number of ids and a sum over them that depends on their order. convert TOKENIZER FILE: writes
// the tokenizer in the format that the file's name says.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "io/files.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_formats.h"

int main(int argc, char** argv) {
  using namespace llmkit;
  std::string action = argc > 1 ? argv[1] : "";
  if (!(action == "encode" && argc == 6) && !(action == "convert" && argc == 4)) {
    std::fprintf(stderr, "usage: encode TOKENIZER FILE THREADS PASSES, or convert TOKENIZER FILE\n");
    return 2;
  }
  try {
    if (action == "convert") {
      tokenizer::write_tokenizer(tokenizer::read_tokenizer(argv[2]), argv[3]);
      return 0;
    }
    auto tokenizer = tokenizer::Tokenizer::load(argv[2]);
    std::string text = io::read_file(argv[3]);
    std::vector<std::string_view> documents;
    for (size_t at = 0; at < text.size();) {
      size_t end = std::min(text.find('\0', at), text.size());
      documents.push_back(std::string_view(text).substr(at, end - at));
      at = end + 1;
    }
    int threads = std::atoi(argv[4]), passes = std::atoi(argv[5]);
    Parallel parallel(threads);
    std::vector<std::vector<int32_t>> ids;
    std::vector<double> seconds;
    for (int pass = 0; pass < passes; ++pass) {
      ids.clear();
      auto start = std::chrono::steady_clock::now();
      ids = tokenizer.encode_all(parallel, documents);
      seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::sort(seconds.begin(), seconds.end());
    uint64_t count = 0, sum = 0;
    for (auto& document : ids)
      for (int32_t id : document) sum = sum * 31 + static_cast<uint64_t>(id) + 1, ++count;
    std::printf("%.2f %llu %llu\n", static_cast<double>(text.size()) / 1e6 / seconds[seconds.size() / 2],
                static_cast<unsigned long long>(count), static_cast<unsigned long long>(sum));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "encode: %s\n", e.what());
    return 1;
  }
}
