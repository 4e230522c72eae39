//go:build !llama_system

#include "backend.h"

#include "ggml-backend-impl.h"

#include <cstdio>
#include <exception>

#include <dlfcn.h>

static ggml_backend_reg_t open_backend(const char * path, char * err, size_t cap) {
    void * library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char * why = dlerror();
        snprintf(err, cap, "%s", why != nullptr ? why : "the system does not say why");
        return nullptr;
    }
    auto score = (ggml_backend_score_t) dlsym(library, "ggml_backend_score");
    if (score != nullptr && score() == 0) {
        snprintf(err, cap, "it cannot work on this machine");
        return nullptr;
    }
    auto init = (ggml_backend_init_t) dlsym(library, "ggml_backend_init");
    if (init == nullptr) {
        snprintf(err, cap, "it holds no backend of ggml's");
        return nullptr;
    }
    ggml_backend_reg_t reg = init();
    if (reg == nullptr) {
        snprintf(err, cap, "it cannot start; is the GPU's driver installed?");
        return nullptr;
    }
    if (reg->api_version != GGML_BACKEND_API_VERSION) {
        snprintf(err, cap, "its interface has version %d and ggml's here %d", reg->api_version, GGML_BACKEND_API_VERSION);
        return nullptr;
    }
    return reg;
}

extern "C" int pd_backend_load(const char * path, char * name, size_t ncap, char * err, size_t cap) {
    try {
        ggml_backend_reg_t reg = open_backend(path, err, cap);
        if (reg == nullptr) {
            return -1;
        }
        snprintf(name, ncap, "%s", ggml_backend_reg_name(reg));
        const size_t devices = ggml_backend_reg_dev_count(reg);
        if (devices == 0) {
            snprintf(err, cap, "it finds no GPU; is there one, and its driver installed?");
            return -1;
        }
        ggml_backend_register(reg);
        return (int) devices;
    } catch (const std::exception & e) {
        snprintf(err, cap, "%s", e.what());
    } catch (...) {
        snprintf(err, cap, "it cannot start");
    }
    return -1;
}
