#include "signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>

namespace llmkit::cli {
namespace {

volatile std::sig_atomic_t signals_seen = 0;

void write_stderr(const char* text) {
  if (write(STDERR_FILENO, text, std::strlen(text)) < 0) return;  // nobody is listening
}

// Only async-signal-safe calls here.
void on_signal(int) {
  int saved = errno;
  signals_seen = signals_seen + 1;
  if (signals_seen > 1) {
    write_stderr("\nllmkit: stopped at once\n");
    _exit(static_cast<int>(ExitCode::interrupted));
  }
  stop_flag().request();
  // A read that waits on stdin returns EINTR; tried again it finds the end of the input.
  int nothing = open("/dev/null", O_RDONLY);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  write_stderr("\nllmkit: stopping after the current work; once more stops at once\n");
  errno = saved;
}

void on_save_signal(int) {
  stop_flag().request_save();
}

}  // namespace

StopFlag& stop_flag() {
  static StopFlag flag;
  return flag;
}

void install_signal_handlers() {
  stop_flag();  // constructed before a handler can run
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  // No SA_RESTART: a read that waits for input returns EINTR.
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  action.sa_handler = on_save_signal;
  action.sa_flags = SA_RESTART;  // the work goes on
  sigaction(SIGUSR1, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file at its size limit is an error of write(2), told like a full disk
}

void open_stdout() {
  static char text[1 << 17];
  if (isatty(STDOUT_FILENO) == 0) std::setvbuf(stdout, text, _IOFBF, sizeof text);
}

ExitCode close_stdout(ExitCode code, std::string_view who) {
  errno = 0;
  std::cout.flush();
  bool failed = !std::cout || std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  int reason = errno;
  if (close(STDOUT_FILENO) != 0 && errno != EBADF) {
    failed = true;
    reason = errno;
  }
  if (!failed || reason == EPIPE) return code;
  std::fprintf(stderr, "%.*s: cannot write to stdout: %s\n", static_cast<int>(who.size()), who.data(),
               std::strerror(reason));
  return code == ExitCode::done ? ExitCode::failed : code;
}

}  // namespace llmkit::cli
