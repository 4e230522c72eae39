//go:build !llama_system

// Chooses the set of kernels for this CPU.
#include "set.h"

#include "instructions.h"

#include <cstring>

#if PD_SETS

namespace pd {

namespace avx512bf16 { extern const set all_kernels; }
namespace avx512vnni { extern const set all_kernels; }
namespace avx512 { extern const set all_kernels; }
namespace avxvnni { extern const set all_kernels; }
namespace avx2 { extern const set all_kernels; }

const set * choose(const char * name) {
    __builtin_cpu_init();
    const bool a2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    const bool a512 = a2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    const bool vnni = a512 && __builtin_cpu_supports("avx512vnni");
    const bool bf16 = vnni && __builtin_cpu_supports("avx512bf16");
    const struct {
        const char * name;
        bool can;
        const set * kernels;
    } sets[] = {
        { "avx512bf16", bf16, &avx512bf16::all_kernels },
        { "avx512vnni", vnni, &avx512vnni::all_kernels },
        { "avx512", a512, &avx512::all_kernels },
        { "avxvnni", a2 && __builtin_cpu_supports("avxvnni"), &avxvnni::all_kernels },
        { "avx2", a2, &avx2::all_kernels },
    };
    for (const auto & s : sets) {
        if (s.can && (name[0] == 0 || strcmp(name, s.name) == 0)) {
            return s.kernels;
        }
    }
    return nullptr;
}

} // namespace pd

#else

const pd::set * pd::choose(const char *) { return nullptr; }

#endif
