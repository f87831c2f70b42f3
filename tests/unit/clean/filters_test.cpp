// Each published threshold with documents just inside and just outside of it.
#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include "clean/filter.h"
#include "clean/sentences.h"
#include "io/files.h"

using namespace llmkit;
using namespace llmkit::clean;

namespace {

// The rule that drops `text`, "" where it is kept.
std::string rule(const std::string& spec, const std::string& text, const std::string& language = "en", double score = 1,
                 const std::string& url = "") {
  auto filter = filters().make(spec);
  FilterDocument d;
  d.text = text;
  d.language = language;
  d.language_score = score;
  d.url = url;
  auto drop = filter->apply(d);
  return drop ? std::string(drop->rule) : "";
}

std::string repeat(const std::string& part, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += part;
  return out;
}

// `count` different words.
std::string words(int count, const std::string& stem = "word") {
  std::string out;
  for (int i = 0; i < count; ++i) {
    std::string suffix;
    for (int k = i; suffix.size() < 3; k /= 26) suffix += static_cast<char>('a' + k % 26);
    out += (i > 0 ? " " : "") + stem + suffix;
  }
  return out;
}

}  // namespace

TEST_CASE("gopher-quality wants 50 to 100,000 words") {
  CHECK(rule("gopher-quality", words(47) + " the of") == "min-words");
  CHECK(rule("gopher-quality", words(48) + " the of") == "");
  CHECK(rule("gopher-quality:max-words=60", words(58) + " the of") == "");
  CHECK(rule("gopher-quality:max-words=60", words(59) + " the of") == "max-words");
}

TEST_CASE("gopher-quality wants a mean word length of 3 to 10") {
  // 98 words of two letters and "the", "and" (3 each): mean 2.02; with 60 words of five letters more: above 3.
  CHECK(rule("gopher-quality", repeat("ab ", 98) + "the and") == "min-word-length");
  CHECK(rule("gopher-quality", repeat("ab ", 98) + words(60, "ab") + " the and") == "");
  CHECK(rule("gopher-quality", words(100, "wordswords") + " the of") == "max-word-length");
  CHECK(rule("gopher-quality", words(100, "wordswo") + " the of") == "");
}

TEST_CASE("gopher-quality wants at most 0.1 hashes and ellipses a word") {
  // n words and k lone hashes: k / (n + k) with 90 + 10 gives 0.1 exactly, which passes.
  CHECK(rule("gopher-quality", words(88) + " the of" + repeat(" #", 10)) == "");
  CHECK(rule("gopher-quality", words(87) + " the of" + repeat(" #", 10)) == "max-symbol-ratio");
  CHECK(rule("gopher-quality", words(87) + " the of" + repeat(" ...", 10)) == "max-symbol-ratio");
}

TEST_CASE("gopher-quality wants bullets on at most 0.9 and ellipses on at most 0.3 of the lines") {
  std::string line = words(8) + " the of";
  CHECK(rule("gopher-quality", repeat("- " + line + "\n", 9) + line) == "");
  CHECK(rule("gopher-quality", repeat("- " + line + "\n", 10)) == "max-bullet-lines");
  CHECK(rule("gopher-quality", repeat(line + "...\n", 3) + repeat(line + "\n", 7)) == "");
  CHECK(rule("gopher-quality", repeat(line + "...\n", 4) + repeat(line + "\n", 6)) == "max-ellipsis-lines");
}

TEST_CASE("gopher-quality wants letters in 0.8 of the words and two stop words") {
  CHECK(rule("gopher-quality", words(78) + " the of" + repeat(" 123", 20)) == "");
  CHECK(rule("gopher-quality", words(77) + " the of" + repeat(" 123", 20)) == "min-alphabetic-words");
  CHECK(rule("gopher-quality", words(80) + " the the") == "min-stop-words");
  CHECK(rule("gopher-quality", words(80) + " the with") == "");
  CHECK(rule("gopher-quality", words(80) + " der und", "de") == "");
  CHECK(rule("gopher-quality", words(80) + " the with", "de") == "min-stop-words");
}

TEST_CASE("two Chinese characters count as a word, and stop words and word length are not asked for") {
  std::string text = repeat("一二三四五六七八九十", 10);
  CHECK(rule("gopher-quality", text, "zh") == "");
  CHECK(rule("gopher-quality", text.substr(0, text.size() - 3), "zh") == "min-words");
}

TEST_CASE("gopher-repetition counts duplicate lines and paragraphs") {
  auto lines = [](int unique, int same) {
    std::string out;
    for (int i = 0; i < unique; ++i) out += words(12, "l" + std::to_string(i) + "x") + "\n";
    return out + repeat("again\n", same + 1);
  };
  CHECK(rule("gopher-repetition:dup-10-grams=1,top-2-gram=1", lines(6, 3)) == "");           // 3 of 10 lines
  CHECK(rule("gopher-repetition:dup-10-grams=1,top-2-gram=1", lines(5, 4)) == "dup-lines");  // 4 of 10
  std::string paragraph = words(20) + "\n\n";
  CHECK(rule("gopher-repetition", paragraph + words(20, "other") + "\n\n" + paragraph) == "dup-paragraphs");
}

TEST_CASE("gopher-repetition finds the commonest n-gram and repeated n-grams") {
  CHECK(rule("gopher-repetition", words(30) + repeat(" same thing", 20)) == "top-2-gram");
  CHECK(rule("gopher-repetition", words(300)) == "");
  // A phrase of 19 letters that comes twice, in a text of 8 k + 54 characters: 0.1508 for k = 9, 0.1418 for k = 10.
  std::string spec = "gopher-repetition:top-2-gram=1,top-3-gram=1,top-4-gram=1", phrase = " one two three four five";
  CHECK(rule(spec, words(9) + phrase + " middle" + phrase) == "dup-5-grams");
  CHECK(rule(spec, words(10) + phrase + " middle" + phrase) == "");
}

TEST_CASE("c4 takes lines out and drops documents by its published rules") {
  std::string good = "This is a good line of text. It has two sentences.\n";
  auto filter = filters().make("c4:min-sentences=2");
  FilterDocument d;
  d.text = good +
           "no full stop here\nToo short.\nPlease enable JavaScript to go on.\nOur cookie policy has changed a "
           "lot.\nSee the note[12] here[edit].\n";
  CHECK_FALSE(filter->apply(d));
  CHECK(d.text == "This is a good line of text. It has two sentences.\nSee the note here.");
  CHECK(rule("c4", repeat(good, 3)) == "");
  CHECK(rule("c4", repeat(good, 2)) == "min-sentences");
  CHECK(rule("c4", repeat(good, 3) + "Lorem ipsum dolor sit amet.") == "lorem-ipsum");
  CHECK(rule("c4", repeat(good, 3) + "A line with { in it.") == "curly-bracket");
  CHECK(rule("c4:terminal-punctuation=false,min-sentences=1", "three words here") == "");
}

TEST_CASE("fineweb looks at line ends, short lines, repeated lines and lists") {
  std::string ended = words(12) + ".\n", open = words(12, "open") + "\n";
  auto numbered = [](const std::string& line, int count, int first) {
    std::string out;
    for (int i = 0; i < count; ++i)
      out += words(2, "n" + std::string(1, static_cast<char>('a' + (first + i) % 26)) +
                          std::string(1, static_cast<char>('a' + (first + i) / 26))) +
             " " + line;
    return out;
  };
  CHECK(rule("fineweb", numbered(ended, 12, 0) + numbered(open, 88, 12)) == "");
  CHECK(rule("fineweb", numbered(ended, 11, 0) + numbered(open, 89, 11)) == "min-line-punctuation");
  CHECK(rule("fineweb:max-newline-ratio=9", numbered(ended, 33, 0) + numbered("x.\n", 67, 33)) == "");
  CHECK(rule("fineweb:max-newline-ratio=9", numbered(ended, 32, 0) + numbered("x.\n", 68, 32)) == "max-short-lines");
  CHECK(rule("fineweb:max-newline-ratio=9", numbered(ended, 32, 0) + numbered("x.\n", 68, 32), "de") == "");
  CHECK(rule("fineweb", numbered(ended, 60, 0) + ended + ended) == "max-repeated-characters");
  CHECK(rule("fineweb", numbered(ended, 60, 0) + ended + ended, "de") == "");
  CHECK(rule("fineweb:max-short-lines=1", numbered("x.\n", 100, 0)) == "");
  CHECK(rule("fineweb:max-short-lines=1,max-newline-ratio=0.2", numbered("x.\n", 100, 0)) == "max-newline-ratio");
}

TEST_CASE("language, length and lines keep what they say") {
  CHECK(rule("language", "x", "en", 0.65) == "");
  CHECK(rule("language", "x", "en", 0.649) == "min-score");
  CHECK(rule("language:languages=en+zh", "x", "zh", 1) == "");
  CHECK(rule("language:languages=en+zh", "x", "de", 1) == "languages");
  CHECK(rule("length:min-characters=10", "123456789") == "min-characters");
  CHECK(rule("length:min-characters=10", "1234567890") == "");
  auto filter = filters().make("lines:max-removed=0.5");
  FilterDocument d;
  d.text = "A sentence that stays.\nSHOUTING LINE HERE\n12 34\n1.2K likes\nword\nAnd this one stays too.\n";
  CHECK_FALSE(filter->apply(d));
  CHECK(d.text == "A sentence that stays.\nAnd this one stays too.\n");
  CHECK(rule("lines", "A sentence.\nSHOUTING LINE HERE\n") == "max-removed");
}

TEST_CASE("url and words read their lists from files") {
  std::string path =
      std::string(std::getenv("TMPDIR") != nullptr ? std::getenv("TMPDIR") : "/tmp") + "/llmkit_filters_test.txt";
  io::write_file_atomically(path, "# a comment\nbad.example\ncasino\nvery nasty\n赌场\n");
  CHECK(rule("url:domains=" + path, "x", "en", 1, "https://www.bad.example/a") == "domains");
  CHECK(rule("url:domains=" + path, "x", "en", 1, "http://sub.bad.example:80/") == "domains");
  CHECK(rule("url:domains=" + path, "x", "en", 1, "https://notbad.example/") == "");
  CHECK(rule("url:hard-words=" + path, "x", "en", 1, "https://a.example/best-Casino/") == "hard-words");
  CHECK(rule("url:soft-words=" + path, "x", "en", 1, "https://a.example/casino/") == "");
  CHECK(rule("url:soft-words=" + path, "x", "en", 1, "https://casino.example/casino") == "max-soft-words");
  CHECK(rule("url:fragments=" + path, "x", "en", 1, "https://a.example/x-cas-ino") == "fragments");
  CHECK(rule("words:file=" + path, "A Casino.") == "max-hits");
  CHECK(rule("words:file=" + path, "casinos are very, nasty") == "");
  CHECK(rule("words:file=" + path, "a very nasty word") == "max-hits");
  CHECK(rule("words:file=" + path, "在赌场里") == "max-hits");
  std::remove(path.c_str());
}

TEST_CASE("a recipe's filter can be replaced by name, and mistakes are named") {
  FilterChain chain("fineweb-v1", {"gopher-quality:min-words=10", "length"});
  CHECK(chain.names() ==
        std::vector<std::string>{"language", "gopher-repetition", "gopher-quality", "c4", "fineweb", "length"});
  CHECK(chain.specs()[2] == "gopher-quality:min-words=10");
  CHECK(FilterChain("none", {}).specs().empty());
  CHECK_THROWS_AS(FilterChain("finewebv1", {}), UsageError);
  CHECK_THROWS_AS(FilterChain("none", {"gopher-qualty"}), UsageError);
  CHECK_THROWS_AS(FilterChain("none", {"gopher-quality:min-wrds=1"}), UsageError);
}

TEST_CASE("every filter has a summary, and every recipe can be built") {
  for (auto& entry : filters().entries()) {
    CHECK_FALSE(entry.summary.empty());
    if (entry.name != "words") CHECK(filters().make(entry.name) != nullptr);
  }
  for (auto& recipe : recipes()) CHECK_FALSE(FilterChain(recipe.name, {}).specs().empty());
}

TEST_CASE("sentences end at full stops, not at initials and abbreviations") {
  CHECK(count_sentences("Dr. A. Smith came at 3.5 p.m. with Mrs. Jones. He left.") == 2);
  CHECK(count_sentences("他来了。他走了!") == 2);
  CHECK(count_sentences("no end") == 1);
  CHECK(ends_in_terminal_punctuation("He said \"no.\""));
  CHECK(ends_in_terminal_punctuation("他走了。"));
  CHECK_FALSE(ends_in_terminal_punctuation("a list item"));
}
