//go:build !llama_system

// Ends the program with a sentence where the CPU lacks an instruction set that it was compiled for. Otherwise
// it would die of SIGILL in the first constructor of C++ that uses one. The dynamic linker calls what is in
// .preinit_array before all constructors, those of shared libraries included.
#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))

#include <unistd.h>

#if defined(__aarch64__)

#include <sys/auxv.h>

#define OLDEST __attribute__((target("arch=armv8-a"), noinline))

OLDEST static const char * missing(void) {
    const unsigned long has = getauxval(AT_HWCAP);
    // HWCAP_ASIMDDP and HWCAP_ASIMDHP of asm/hwcap.h, which libc's headers do not have everywhere.
#ifdef __ARM_FEATURE_DOTPROD
    if (!(has & (1ul << 20))) {
        return "dotprod";
    }
#endif
#ifdef __ARM_FEATURE_FP16_VECTOR_ARITHMETIC
    if (!(has & (1ul << 10))) {
        return "fp16";
    }
#endif
    (void) has;
    return 0;
}

#define NEEDS "armv8.2 with dotprod (Raspberry Pi 5, Graviton 2, Apple silicon)"

#else

#define NEEDS "x86-64-v3 (AVX2, FMA, F16C and BMI2: Intel since 2013, AMD since 2015)"

// Compiled for the oldest CPU, whatever the flags say.
#define OLDEST __attribute__((target("arch=x86-64"), noinline))

// clang-format off
OLDEST static const char * missing(void) {
    __builtin_cpu_init();
#define NEED(name) if (!__builtin_cpu_supports(name)) { return name; }
#ifdef __SSE4_2__
    NEED("sse4.2")
#endif
#ifdef __AVX__
    NEED("avx")
#endif
#ifdef __AVX2__
    NEED("avx2")
#endif
#ifdef __FMA__
    NEED("fma")
#endif
#ifdef __F16C__
    NEED("f16c")
#endif
#ifdef __BMI2__
    NEED("bmi2")
#endif
#ifdef __AVX512F__
    NEED("avx512f")
#endif
#ifdef __AVX512BW__
    NEED("avx512bw")
#endif
#ifdef __AVX512VBMI__
    NEED("avx512vbmi")
#endif
#ifdef __AVX512VNNI__
    NEED("avx512vnni")
#endif
#ifdef __AVX512BF16__
    NEED("avx512bf16")
#endif
#ifdef __AVXVNNI__
    NEED("avxvnni")
#endif
    return 0;
}
// clang-format on

#endif

OLDEST static void say(const char * text) {
    size_t n = 0;
    while (text[n]) {
        n++;
    }
    if (write(2, text, n) < 0) {
        _exit(1);
    }
}

OLDEST static void require(void) {
    const char * name = missing();
    if (!name) {
        return;
    }
    say("photodesc: this program was compiled for a newer CPU: this one has no ");
    say(name);
#if defined(__AVX512F__) || defined(__AVXVNNI__)
    say(".\n  It was compiled on another machine, for that machine's CPU. Compile it here with `make build`,\n"
        "  or for all CPUs with AVX2 with `make build MARCH=x86-64-v3`.\n");
#else
    say(".\n  It needs " NEEDS ". On this machine\n"
        "  `make build` compiles it from its sources for the CPU that is here; it will be slow.\n");
#endif
    _exit(1);
}

__attribute__((section(".preinit_array"), used)) static void (*const before_constructors)(void) = require;

#endif
