//go:build !llama_system

#include "lifetime.h"

#include "ggml-backend-impl.h"

#include <atomic>
#include <map>
#include <utility>
#include <vector>

using init_function = ggml_backend_t (*)(ggml_backend_dev_t, const char *);
using free_function = void (*)(ggml_backend_t);

// What a device's functions were before the hook. A map's elements stay where
// they are, and none is added once models are loaded.
struct original {
    init_function init = nullptr;
    std::atomic<free_function> free = nullptr; // of its backends; known with the first one
};

static std::map<ggml_backend_dev_t, original> originals;

static thread_local int scopes = 0;
static thread_local std::vector<ggml_backend_t> waiting;

static void free_backend(ggml_backend_t backend) {
    if (scopes > 0) {
        waiting.push_back(backend);
    } else {
        originals.at(backend->device).free.load()(backend);
    }
}

static ggml_backend_t init_backend(ggml_backend_dev_t device, const char * params) {
    original & o = originals.at(device);
    ggml_backend_t backend = o.init(device, params);
    if (backend != nullptr && backend->device == device) {
        o.free = backend->iface.free;
        backend->iface.free = free_backend;
    }
    return backend;
}

extern "C" void pd_hook_devices(void) {
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        ggml_backend_dev_t device = ggml_backend_dev_get(i);
        if (device->iface.init_backend != init_backend) {
            originals[device].init = std::exchange(device->iface.init_backend, init_backend);
        }
    }
}

pd_free_later::pd_free_later() { scopes++; }

pd_free_later::~pd_free_later() {
    if (--scopes > 0) {
        return;
    }
    for (ggml_backend_t backend : std::exchange(waiting, {})) {
        free_backend(backend);
    }
}
