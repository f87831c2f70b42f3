// Which instruction sets the kernels may use. The best one is detected once (CPUID and the operating system's
// permission); force_isa lowers it, for tests and for `--isa`. Results agree between instruction sets within the
// bounds that tests/unit/kernels states, not bit for bit; within one they never depend on the thread count.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace llmkit::kernels {

enum class Isa : uint8_t { portable, avx2, avx512, avx512bf16, amx };

Isa detected_isa();            // the best that this machine runs
Isa active_isa();              // what the kernels use now
void force_isa(Isa isa);       // throws UsageError where the machine lacks it; not while kernels run
bool bf16_is_fast();           // the active instruction set multiplies bf16 itself; elsewhere bf16 is slower than f32
int64_t second_cache_bytes();  // of one core, as the system tells it; 1 MiB where it does not
std::string_view isa_name(Isa isa);
std::optional<Isa> isa_from_name(std::string_view name);

}  // namespace llmkit::kernels
