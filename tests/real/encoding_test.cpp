// Encoding sniffing against html5lib's tests, and language identification on the UDHR translations.
#include <doctest/doctest.h>

#include <map>

#include "real/real_data.h"
#include "text/charset.h"
#include "text/language.h"
#include "text/utf8.h"

using namespace llmkit;

TEST_CASE("the meta prescan finds what html5lib's encoding tests expect") {
  std::string path = real::data_file("html5lib/tokenizer_encoding_serializer.tar.zst");
  if (path.empty()) return;
  int passed = 0, total = 0;
  real::for_each_in_tar(path, [&](const std::string& name, std::string_view file) {
    if (name.find("encoding/") == std::string::npos || !name.ends_with(".dat") ||
        name.find("scripted") != std::string::npos)
      return;
    for (size_t at = file.find("#data\n"); at != std::string_view::npos;) {
      size_t next = file.find("\n#data\n", at + 1);
      std::string_view item = file.substr(at + 6, (next == std::string_view::npos ? file.size() : next) - at - 6);
      at = next == std::string_view::npos ? next : next + 1;
      size_t mark = item.find("\n#encoding\n");
      if (mark == std::string_view::npos) continue;
      std::string_view wanted = item.substr(mark + 11);
      wanted = wanted.substr(0, wanted.find('\n'));
      text::Charset got{text::prescan_meta(item.substr(0, mark)), text::CharsetSource::meta};
      if (got.name.empty()) got.name = "windows-1252";  // the tests' fallback
      if (mark > 1024) continue;                        // for what a parser finds behind the first 1024 bytes
      ++total;
      passed += got.name == text::find_charset(wanted);
    }
  });
  std::printf("html5lib encoding sniffing: %d of %d pass\n", passed, total);
  CHECK(total >= 60);
  CHECK(passed >= total * 0.95);
}

TEST_CASE("UDHR translations are named in their languages") {
  std::string path = real::data_file("langid/udhr2.zip");
  if (path.empty()) return;
  const std::map<std::string, std::string> languages = {
      {"arb", "ar"},           {"bul", "bg"}, {"cat", "ca"}, {"ces", "cs"},   {"dan", "da"},      {"deu", "de"},
      {"ell_monotonic", "el"}, {"eng", "en"}, {"spa", "es"}, {"pes_1", "fa"}, {"fin", "fi"},      {"fra", "fr"},
      {"heb", "he"},           {"hin", "hi"}, {"hrv", "hr"}, {"hun", "hu"},   {"ind", "id"},      {"ita", "it"},
      {"jpn", "ja"},           {"kor", "ko"}, {"nld", "nl"}, {"nob", "no"},   {"pol", "pl"},      {"por_PT", "pt"},
      {"ron", "ro"},           {"rus", "ru"}, {"slk", "sk"}, {"slv", "sl"},   {"srp_cyrl", "sr"}, {"swe", "sv"},
      {"tur", "tr"},           {"ukr", "uk"}, {"urd", "ur"}, {"vie", "vi"},   {"cmn_hans", "zh"}, {"tha", "th"}};
  int whole = 0, files = 0, right = 0, pieces = 0;
  for (auto& [file, code] : languages) {
    std::string text = text::repair_utf8(real::output_of("unzip -p '" + path + "' 'udhr2/" + file + ".txt'"));
    if (text.empty()) continue;
    ++files;
    whole += text::identify_language(text).code == code;
    for (std::string_view rest = text; rest.size() > 300;) {
      std::string_view piece = text::utf8_prefix(rest, 300);
      rest.remove_prefix(piece.size());
      ++pieces;
      right += text::identify_language(piece).code == code;
    }
  }
  std::printf("UDHR: %d of %d documents, %d of %d pieces of 300 bytes (%.2f %%)\n", whole, files, right, pieces,
              100.0 * right / std::max(1, pieces));
  CHECK(files >= 30);
  CHECK(whole == files);
  CHECK(right >= pieces * 0.98);
}
