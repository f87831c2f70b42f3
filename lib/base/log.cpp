#include "base/log.h"

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/error.h"

namespace llmkit::log {
namespace {

bool colours() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return !(no_color && *no_color) && term && std::string_view(term) != "dumb" && isatty(STDERR_FILENO);
}

std::shared_ptr<spdlog::logger> make_logger() {
  auto sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(colours() ? spdlog::color_mode::always
                                                                                  : spdlog::color_mode::never);
  auto logger = std::make_shared<spdlog::logger>("llmkit", std::move(sink));
  logger->set_level(spdlog::level::info);
  logger->flush_on(spdlog::level::trace);
  logger->set_pattern("llmkit: %v");
  return logger;
}

spdlog::logger& logger() {
  static const auto instance = make_logger();
  return *instance;
}

std::atomic<int> status_rows{0};  // on the screen, the cursor behind the last

void erase_status(int rows) {
  if (rows > 1) std::fprintf(stderr, "\033[%dA", rows - 1);
  std::fputs("\r\033[J", stderr);
}

void write(spdlog::level::level_enum level, std::string_view prefix, std::string_view message) {
  if (!logger().should_log(level)) return;
  set_status_line(false);
  logger().log(level, "{}{}", prefix, printable(message, 4000));
}

}  // namespace

void set_level(Level level) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                   spdlog::level::err};
  logger().set_level(kLevels[static_cast<int>(level)]);
}

void debug(std::string_view message) {
  write(spdlog::level::debug, "", message);
}
void info(std::string_view message) {
  write(spdlog::level::info, "", message);
}
void warning(std::string_view message) {
  write(spdlog::level::warn, "warning: ", message);
}
void error(std::string_view message) {
  write(spdlog::level::err, "", message);
}

void status_line(std::string_view text) {
  std::string out;
  int rows = 1;
  for (char c : text) {
    if (c == '\n') out += "\033[K", ++rows;
    out += c;
  }
  // Drawn over what is there rather than erased first, which would flicker.
  int before = status_rows.exchange(rows);
  if (before > rows)
    erase_status(before);
  else if (before > 1)
    std::fprintf(stderr, "\033[%dA", before - 1);
  std::fprintf(stderr, "\r%s\033[K", out.c_str());
}

void set_status_line(bool shown) {
  if (shown) return;
  if (int rows = status_rows.exchange(0); rows > 0) erase_status(rows);
}

}  // namespace llmkit::log
