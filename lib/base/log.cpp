#include "base/log.h"

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/error.h"

namespace llmkit::log {
namespace {

bool colours() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return !(no_color && *no_color) && term && std::string_view(term) != "dumb" && isatty(STDERR_FILENO);
}

std::shared_ptr<spdlog::logger> make_logger() {
  auto sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(
      colours() ? spdlog::color_mode::always : spdlog::color_mode::never);
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

std::atomic<bool> status_shown{false};

void write(spdlog::level::level_enum level, std::string_view prefix, std::string_view message) {
  if (!logger().should_log(level)) return;
  set_status_line(false);
  logger().log(level, "{}{}", prefix, printable(message, 4000));
}

}  // namespace

void set_level(Level level) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
  logger().set_level(kLevels[static_cast<int>(level)]);
}

void debug(std::string_view message) { write(spdlog::level::debug, "", message); }
void info(std::string_view message) { write(spdlog::level::info, "", message); }
void warning(std::string_view message) { write(spdlog::level::warn, "warning: ", message); }
void error(std::string_view message) { write(spdlog::level::err, "", message); }

void status_line(std::string_view text) {
  status_shown = true;
  std::fprintf(stderr, "\r%.*s\033[K", static_cast<int>(text.size()), text.data());
}

void set_status_line(bool shown) {
  if (!shown && status_shown.exchange(false)) std::fputs("\r\033[K", stderr);
}

}  // namespace llmkit::log
