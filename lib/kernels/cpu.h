// Which instruction sets the kernels may use. What there is is detected once (CPUID and the operating system's
// permission); force_isa changes the choice, for tests and for `--isa`. Results agree between instruction sets within
// the bounds that tests/unit/kernels states, not bit for bit; within one they never depend on the thread count.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace llmkit::kernels {

// avx512 multiplies bf16 by fp32 multiply-adds and int8 by pairs of 16 bits; avx512vnni adds vpdpbusd for int8,
// avx512bf16 vdpbf16ps for bf16, amx tiles for bf16.
enum class Isa : uint8_t { portable, avx2, avx512, avx512vnni, avx512bf16, amx };

Isa detected_isa();  // the highest that this machine runs
// What the kernels use unless told otherwise: detected_isa(), except on Intel's processors without AMX. Those run
// vdpbf16ps at half the rate of fp32 multiply-adds (measured on Emerald Rapids); AMD's, from Zen 4, at twice that rate.
Isa best_isa();
Isa active_isa();         // what the kernels use now
void force_isa(Isa isa);  // throws UsageError where the machine lacks it; not while kernels run
bool bf16_is_fast();      // with the active instruction set bf16 products take no longer than f32; elsewhere they do
int64_t second_cache_bytes();  // of one core, as the system tells it; 1 MiB where it does not
std::string_view isa_name(Isa isa);
std::string_view bf16_unit_name(Isa isa);  // what multiplies bf16: "amx tiles", "vdpbf16ps" or "fp32 multiply-adds"
std::optional<Isa> isa_from_name(std::string_view name);

}  // namespace llmkit::kernels
