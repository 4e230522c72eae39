// Compute backends of ggml's that lie beside the program as libraries.
// Implemented in backend.cpp.
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// Loads the library at path and registers its backend and devices with ggml.
// Writes the backend's name to name. Returns the number of devices, or -1 and
// a reason in err; nothing is registered then. A library stays loaded.
int pd_backend_load(const char * path, char * name, size_t ncap, char * err, size_t cap);

#ifdef __cplusplus
}
#endif
