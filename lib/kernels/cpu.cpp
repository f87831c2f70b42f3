#include "kernels/cpu.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <string>

#include "base/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#endif

namespace llmkit::kernels {
namespace {

constexpr std::array<std::string_view, 6> kNames = {"portable", "avx2", "avx512", "avx512vnni", "avx512bf16", "amx"};

#if defined(__x86_64__)

// AMX tile registers need the kernel's permission once per process (Linux ≥ 5.16: arch_prctl ARCH_REQ_XCOMP_PERM).
bool request_amx() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

Isa detect() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Isa::portable;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
    return Isa::avx2;
  if (!__builtin_cpu_supports("avx512vnni")) return Isa::avx512;
  if (!__builtin_cpu_supports("avx512bf16")) return Isa::avx512vnni;
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;
  bool amx = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & kAmxBf16) && (d & kAmxTile);
  return amx && request_amx() ? Isa::amx : Isa::avx512bf16;
}

bool is_intel() {
  return __builtin_cpu_is("intel");
}

#else

Isa detect() {
  return Isa::portable;
}
bool is_intel() {
  return false;
}

#endif

// The one process-wide setting of the kernels: every call must agree on it.
std::atomic<Isa>& active() {
  static std::atomic<Isa> isa{best_isa()};
  return isa;
}

}  // namespace

Isa detected_isa() {
  static const Isa isa = detect();
  return isa;
}

Isa best_isa() {
  const Isa isa = detected_isa();
  return isa == Isa::avx512bf16 && is_intel() ? Isa::avx512vnni : isa;
}

Isa active_isa() {
  return active().load(std::memory_order_relaxed);
}

void force_isa(Isa isa) {
  if (isa > detected_isa()) {
    throw UsageError(ErrorParts{"instruction set not available",
                                "--isa",
                                "at most " + std::string(isa_name(detected_isa())),
                                std::string(isa_name(isa)),
                                {}});
  }
  active().store(isa, std::memory_order_relaxed);
}

int64_t second_cache_bytes() {
  static const int64_t bytes = [] {
    int64_t told = 0;
#ifdef _SC_LEVEL2_CACHE_SIZE
    told = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    return told > 0 ? told : int64_t{1} << 20;
  }();
  return bytes;
}

bool bf16_is_fast() {
  return active_isa() >= Isa::avx512;
}

std::string_view isa_name(Isa isa) {
  return kNames[static_cast<size_t>(isa)];
}

std::string_view bf16_unit_name(Isa isa) {
  return isa == Isa::amx ? "amx tiles" : isa == Isa::avx512bf16 ? "vdpbf16ps" : "fp32 multiply-adds";
}

std::optional<Isa> isa_from_name(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Isa>(i);
  }
  return std::nullopt;
}

}  // namespace llmkit::kernels
