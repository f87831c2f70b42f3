// How fast the pre-tokenizers cut: MB/s of one thread on the files named, the best of five passes.
//   ninja bench_pretokenizer && bench_pretokenizer english.txt chinese.txt code.txt
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "tokenizer/pretokenizer.h"

int main(int argc, char** argv) {
  using namespace llmkit::tokenizer;
  using Clock = std::chrono::steady_clock;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    std::printf("%s, %.1f MB\n%-12s %10s %12s\n", argv[i], static_cast<double>(text.size()) / 1e6, "", "MB/s",
                "pieces");
    for (auto& entry : pretokenizers().entries()) {
      auto pre = pretokenizers().make(entry.name);
      size_t ends[256], pieces = 0;
      double best = 1e300;
      for (int pass = 0; pass < 5; ++pass) {
        auto start = Clock::now();
        pieces = 0;
        for (size_t from = 0; size_t n = pre->split(text, from, ends); from = ends[n - 1]) pieces += n;
        best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
      }
      std::printf("%-12.*s %10.0f %12zu\n", static_cast<int>(entry.name.size()), entry.name.data(),
                  static_cast<double>(text.size()) / best / 1e6, pieces);
    }
  }
}
