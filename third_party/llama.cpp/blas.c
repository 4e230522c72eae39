#include "bridge.h"

#include <stdio.h>

#if defined(__linux__) && !defined(PD_LLAMA_SYSTEM)
#include <cblas.h>

void pd_blas_threads(int n) {
    openblas_set_num_threads(n);
}

void pd_blas_info(char * config, size_t ncfg, char * core, size_t ncore) {
    snprintf(config, ncfg, "%s", openblas_get_config());
    snprintf(core, ncore, "%s", openblas_get_corename());
}
#else
void pd_blas_threads(int n) {
    (void) n;
}

void pd_blas_info(char * config, size_t ncfg, char * core, size_t ncore) {
    if (ncfg > 0) config[0] = 0;
    if (ncore > 0) core[0] = 0;
}
#endif
