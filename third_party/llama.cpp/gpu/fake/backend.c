// A backend for the tests: a library like those of make cuda and make vulkan, whose GPU has no memory to give. What is
// wrong with it is said when it is compiled: NO_STAMP, NO_INIT, NO_SCORE, INIT_FAILS, NO_DEVICES, OTHER_VERSION, MISSING.
#include "ggml-backend-impl.h"

#ifndef NO_STAMP
__attribute__((section("photodesc"), used)) const char stamp[] = STAMP;
#endif

#ifdef NO_SCORE
int ggml_backend_score(void) { return 0; }
#endif

#ifdef MISSING
void ggml_of_another_age(void);
__attribute__((constructor)) static void begin(void) { ggml_of_another_age(); }
#endif

static struct ggml_backend_reg reg;
static struct ggml_backend_device device;
static struct ggml_backend_buffer_type memory;

static const char * name(ggml_backend_dev_t d) { (void) d; return "Fake0"; }
static const char * description(ggml_backend_dev_t d) { (void) d; return "a GPU that is none"; }
static const char * memory_name(ggml_backend_buffer_type_t t) { (void) t; return "Fake0"; }
static const char * reg_name(ggml_backend_reg_t r) { (void) r; return "Fake"; }
static enum ggml_backend_dev_type type(ggml_backend_dev_t d) { (void) d; return GGML_BACKEND_DEVICE_TYPE_GPU; }
static ggml_backend_t no_backend(ggml_backend_dev_t d, const char * p) { (void) d; (void) p; return NULL; }
static ggml_backend_buffer_t no_buffer(ggml_backend_buffer_type_t t, size_t n) { (void) t; (void) n; return NULL; }
static size_t alignment(ggml_backend_buffer_type_t t) { (void) t; return 64; }
static ggml_backend_buffer_type_t buffers(ggml_backend_dev_t d) { (void) d; return &memory; }
static bool any_op(ggml_backend_dev_t d, const struct ggml_tensor * op) { (void) d; (void) op; return true; }
static bool own(ggml_backend_dev_t d, ggml_backend_buffer_type_t t) { (void) d; return t == &memory; }
static ggml_backend_dev_t the_device(ggml_backend_reg_t r, size_t i) { (void) r; (void) i; return &device; }

static void bytes(ggml_backend_dev_t d, size_t * free, size_t * total) {
    (void) d;
    *free = *total = (size_t) 1 << 30;
}

static void props(ggml_backend_dev_t d, struct ggml_backend_dev_props * p) {
    p->name        = name(d);
    p->description = description(d);
    p->type        = type(d);
    bytes(d, &p->memory_free, &p->memory_total);
}

static size_t count(ggml_backend_reg_t r) {
    (void) r;
#ifdef NO_DEVICES
    return 0;
#else
    return 1;
#endif
}

#ifndef NO_INIT
ggml_backend_reg_t ggml_backend_init(void) {
#ifdef INIT_FAILS
    return NULL;
#endif
    // The program's registry: one of its own would know of no CPU.
    if (ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU) == NULL) {
        return NULL;
    }
    reg.api_version = GGML_BACKEND_API_VERSION;
#ifdef OTHER_VERSION
    reg.api_version = 1;
#endif
    reg.iface.get_name         = reg_name;
    reg.iface.get_device_count = count;
    reg.iface.get_device       = the_device;

    memory.iface.get_name      = memory_name;
    memory.iface.alloc_buffer  = no_buffer;
    memory.iface.get_alignment = alignment;
    memory.device              = &device;

    device.reg                   = &reg;
    device.iface.get_name        = name;
    device.iface.get_description = description;
    device.iface.get_memory      = bytes;
    device.iface.get_type        = type;
    device.iface.get_props       = props;
    device.iface.init_backend    = no_backend;
    device.iface.get_buffer_type = buffers;
    device.iface.supports_op     = any_op;
    device.iface.supports_buft   = own;
    return &reg;
}
#endif
