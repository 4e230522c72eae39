#include "best.h"

#if defined(__linux__) && !defined(PD_LLAMA_SYSTEM)
#include <cblas.h>
#define HAVE_BLAS 1
#elif defined(__APPLE__)
#include <Accelerate/Accelerate.h>
#define HAVE_BLAS 1
#endif

int pd_sgemm(int m, int n, int k, const float * a, const float * b, float * c) {
#ifdef HAVE_BLAS
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1.0f, a, k, b, k, 0.0f, c, n);
    return 0;
#else
    (void) m, (void) n, (void) k, (void) a, (void) b, (void) c;
    return -1;
#endif
}

uint64_t pd_read_words(const uint64_t * words, size_t n) {
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += words[i];
    }
    return sum;
}
