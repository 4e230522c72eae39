//go:build !llama_system

// clip.cpp is compiled here, in one translation unit with the few functions
// that read what its header hides.
#include "clip-graph.h"

// Qwen3-VL's learnt positions are resized so that the corners stay corners, as its reference does
// (transformers, fast_pos_embed_interpolate). The linked clip moves them by half a place; upstream
// mended it later (llama.cpp PR 25781).
static int interpolation(projector_type type, int mode) {
    return type == PROJECTOR_TYPE_QWEN3VL ? GGML_SCALE_MODE_BILINEAR | GGML_SCALE_FLAG_ALIGN_CORNERS : mode;
}
#define ggml_interpolate(ctx, a, w, h, c, n, mode) ggml_interpolate(ctx, a, w, h, c, n, interpolation(proj_type, mode))
#include "upstream/llama/llama.cpp/tools/mtmd/clip.cpp"
#undef ggml_interpolate

#include "bridge.h"
#include "ggml-cpu.h"
#include "lifetime.h"

#include <cstdio>
#include <map>
#include <mutex>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void copy_string(char * dst, size_t cap, const char * src) {
    if (cap > 0) {
        snprintf(dst, cap, "%s", src);
    }
}

// mapping is a vision file in memory, read only and shared with all processes
// that have it mapped.
struct mapping {
    void * base = nullptr;
    size_t size = 0;
};

static std::mutex mappings_mutex;
static std::map<const clip_ctx *, mapping> mappings;

static mapping map_file(const char * path) {
    mapping m;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return m;
    }
    struct stat st;
    if (fstat(fd, &st) == 0 && st.st_size > 0) {
        void * p = mmap(nullptr, (size_t) st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (p != MAP_FAILED) {
            m.base = p;
            m.size = (size_t) st.st_size;
        }
    }
    close(fd);
    return m;
}

// clip reads the weights into memory of the process's own. share_weights lets
// the tensors lie in the mapped file instead, so that a second worker costs its
// buffers only. Where that cannot be, everything stays as it is.
static void share_weights(clip_ctx * ctx, const char * path) {
    if (!ctx->buf || !ggml_backend_buffer_is_host(ctx->buf.get())) {
        return; // on a GPU
    }
    gguf_init_params params = { /*.no_alloc =*/ true, /*.ctx =*/ nullptr };
    gguf_context_ptr file(gguf_init_from_file(path, params));
    if (!file) {
        return;
    }
    mapping m = map_file(path);
    if (m.base == nullptr) {
        return;
    }
    ggml_context * tensors = ctx->ctx_data.get();
    const size_t data = gguf_get_data_offset(file.get());
    for (ggml_tensor * t = ggml_get_first_tensor(tensors); t != nullptr; t = ggml_get_next_tensor(tensors, t)) {
        const int64_t id = gguf_find_tensor(file.get(), t->name);
        const size_t  at = id < 0 ? 0 : data + gguf_get_tensor_offset(file.get(), id);
        if (id < 0 || gguf_get_tensor_type(file.get(), id) != t->type || at % GGUF_DEFAULT_ALIGNMENT != 0 ||
            at > m.size || ggml_nbytes(t) > m.size - at) {
            munmap(m.base, m.size);
            return;
        }
    }
    ggml_backend_buffer_t shared = ggml_backend_cpu_buffer_from_ptr(m.base, m.size);
    ggml_backend_buffer_set_usage(shared, GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
    for (ggml_tensor * t = ggml_get_first_tensor(tensors); t != nullptr; t = ggml_get_next_tensor(tensors, t)) {
        const int64_t id = gguf_find_tensor(file.get(), t->name);
        t->data   = (char *) m.base + data + gguf_get_tensor_offset(file.get(), id);
        t->buffer = shared;
    }
    ctx->buf.reset(shared);
    std::lock_guard<std::mutex> lock(mappings_mutex);
    mappings[ctx] = m;
}

// planned is an encoder's graph for one size of tile, with its memory. clip would build it anew for each tile, and copy the
// pixels three times; on a GPU that took longer than the encoding.
struct planned {
    int           edge  = 0;
    ggml_cgraph * graph = nullptr;
    ggml_tensor * pixels;
    ggml_tensor * embeddings;
};

static void (*merge_graph)(ggml_cgraph *);

extern "C" void pd_vision_merge(void (*merge)(struct ggml_cgraph *)) { merge_graph = merge; }

static std::mutex planned_mutex;
static std::map<const clip_ctx *, planned> planned_graphs;

static planned & plan_of(const clip_ctx * ctx) {
    std::lock_guard<std::mutex> lock(planned_mutex);
    return planned_graphs[ctx];
}

extern "C" struct clip_ctx * pd_vision_load(const char * path, bool gpu, bool fused, char * err, size_t cap) {
    clip_context_params params = {};
    params.use_gpu          = gpu;
    params.flash_attn_type  = fused ? CLIP_FLASH_ATTN_TYPE_ENABLED : CLIP_FLASH_ATTN_TYPE_AUTO;
    params.image_min_tokens = -1;
    params.image_max_tokens = -1;
    params.warmup           = false;
    pd_free_later later;
    try {
        clip_init_result r = clip_init(path, params);
        if (r.ctx_a != nullptr) {
            clip_free(r.ctx_a);
        }
        if (r.ctx_v == nullptr) {
            copy_string(err, cap, "not a vision file that llama.cpp can load");
            return nullptr;
        }
        share_weights(r.ctx_v, path);
        return r.ctx_v;
    } catch (const std::exception & e) {
        copy_string(err, cap, e.what());
        return nullptr;
    }
}

extern "C" void pd_vision_share(struct clip_ctx * ctx, const char * path) {
    share_weights(ctx, path);
}

extern "C" void pd_vision_free(struct clip_ctx * ctx) {
    {
        std::lock_guard<std::mutex> lock(planned_mutex);
        planned_graphs.erase(ctx);
    }
    pd_free_later later;
    clip_free(ctx);
    pd_vision_unmap(ctx);
}

extern "C" void pd_vision_unmap(const struct clip_ctx * ctx) {
    std::lock_guard<std::mutex> lock(mappings_mutex);
    auto m = mappings.find(ctx);
    if (m != mappings.end()) {
        munmap(m->second.base, m->second.size);
        mappings.erase(m);
    }
}

extern "C" void pd_vision_info(const struct clip_ctx * ctx, struct pd_vision_info * info) {
    const clip_hparams & h = ctx->model.hparams;
    const int merge = h.n_merge > 0 ? h.n_merge : 1;
    const int side  = h.patch_size > 0 ? h.image_size / h.patch_size / merge : 0;

    info->tile          = h.image_size;
    info->patch         = h.patch_size;
    info->longest_edge  = h.image_longest_edge;
    info->tile_tokens   = side * side;
    info->embd          = clip_n_mmproj_embd(ctx);
    for (int i = 0; i < 3; i++) {
        info->mean[i] = h.image_mean[i];
        info->std[i]  = h.image_std[i];
    }
    auto name = PROJECTOR_TYPE_NAMES.find(ctx->model.proj_type);
    copy_string(info->projector, sizeof(info->projector),
                name == PROJECTOR_TYPE_NAMES.end() ? "unknown" : name->second.c_str());
    info->weight_bytes  = ctx->buf ? ggml_backend_buffer_get_size(ctx->buf.get()) : 0;
    info->compute_bytes = 0;
    if (ctx->is_allocated) {
        for (ggml_backend_t b : ctx->backend_ptrs) {
            info->compute_bytes += ggml_backend_sched_get_buffer_size(ctx->sched.get(), b);
        }
    }
    info->mrope      = clip_is_mrope(ctx);
    info->non_causal = clip_is_gemma3(ctx);
    info->any_size   = h.image_min_pixels > 0 && h.image_max_pixels > 0;
    info->windows    = h.n_wa_pattern > 0;
}

static bool plan(clip_ctx * ctx, int edge, planned & p) {
    clip_image_f32_batch batch;
    clip_image_f32_ptr img(clip_image_f32_init());
    img->nx = edge;
    img->ny = edge;
    batch.entries.push_back(std::move(img));
    p.edge = 0;
    if (!ctx->is_allocated) {
        clip_model_loader::warmup(*ctx, batch);
    }
    ggml_backend_sched_reset(ctx->sched.get());
    p.graph = clip_image_build_graph(ctx, batch);
    if (merge_graph != nullptr && ctx->backend == ctx->backend_cpu) {
        merge_graph(p.graph);
    }
    // A backend takes it for a single row's, whose steps are alike, and may keep what it prepares for them: a CUDA graph.
    ggml_backend_sched_set_batch_size(ctx->sched.get(), 1);
    if (!ggml_backend_sched_alloc_graph(ctx->sched.get(), p.graph)) {
        return false;
    }
    p.pixels     = ggml_graph_get_tensor(p.graph, "inp_raw");
    p.embeddings = ggml_graph_node(p.graph, -1);
    if (p.pixels == nullptr || p.pixels->type != GGML_TYPE_F32 || ggml_nelements(p.pixels) != (int64_t) 3 * edge * edge ||
        p.embeddings->ne[1] != clip_n_output_tokens(ctx, batch.entries[0].get())) {
        return false;
    }
    p.edge = edge;
    return true;
}

extern "C" int pd_vision_encode(struct clip_ctx * ctx, int threads, const float * planes, int edge, float * out) {
    try {
        if (ctx->model.proj_type != PROJECTOR_TYPE_IDEFICS3) {
            return -1; // others have more inputs than pixels
        }
        planned & p = plan_of(ctx);
        if (p.edge != edge && !plan(ctx, edge, p)) {
            return -1;
        }
        ggml_backend_tensor_set(p.pixels, planes, 0, ggml_nbytes(p.pixels));
        ggml_backend_cpu_set_n_threads(ctx->backend_cpu, threads);
        const ggml_status status = ggml_backend_sched_graph_compute(ctx->sched.get(), p.graph);
        if (status != GGML_STATUS_SUCCESS) {
            LOG_ERR("%s: the encoder failed with error %d\n", __func__, status);
            return -1;
        }
        ggml_backend_tensor_get(p.embeddings, out, 0, ggml_nbytes(p.embeddings));
        return 0;
    } catch (const std::exception & e) {
        LOG_ERR("%s: %s\n", __func__, e.what());
        return -1;
    }
}

extern "C" int pd_vision_projector(const char * path, char * out, size_t cap) {
    gguf_init_params params = { /*.no_alloc =*/ true, /*.ctx =*/ nullptr };
    gguf_context_ptr file(gguf_init_from_file(path, params));
    if (!file) {
        return -1;
    }
    copy_string(out, cap, "");
    for (const char * key : { KEY_VISION_PROJ_TYPE, KEY_PROJ_TYPE }) {
        const int64_t id = gguf_find_key(file.get(), key);
        if (id >= 0 && gguf_get_kv_type(file.get(), id) == GGUF_TYPE_STRING) {
            copy_string(out, cap, gguf_get_val_str(file.get(), id));
        }
    }
    return 0;
}

extern "C" void pd_vision_fit(const struct clip_ctx * ctx, int width, int height, int * fit_width, int * fit_height) {
    const clip_hparams & h = ctx->model.hparams;
    clip_image_size size = { h.image_size, h.image_size };
    const int merge = h.n_merge > 0 ? h.n_merge : 1;
    if (h.image_min_pixels > 0 && h.image_max_pixels > 0) {
        // Qwen's encoders merge two by two, whatever the file says.
        const int align = h.patch_size * (clip_is_mrope(ctx) ? 2 : merge);
        size = img_tool::calc_size_preserved_ratio({ width, height }, align, h.image_min_pixels, h.image_max_pixels);
    }
    *fit_width  = size.width;
    *fit_height = size.height;
}

extern "C" int pd_vision_tokens(const struct clip_ctx * ctx, int width, int height) {
    clip_image_f32 img;
    img.nx = width;
    img.ny = height;
    return clip_n_output_tokens(ctx, &img);
}

extern "C" int pd_vision_reserve(const struct clip_ctx * ctx, int width, int height) {
    try {
        clip_image_f32_batch batch;
        clip_image_f32_ptr img(clip_image_f32_init());
        img->nx = width;
        img->ny = height;
        batch.entries.push_back(std::move(img));
        clip_ctx * c = const_cast<clip_ctx *>(ctx);
        const auto device = ggml_backend_dev_type(ggml_backend_get_device(ctx->backend));
        const bool gpu = device == GGML_BACKEND_DEVICE_TYPE_GPU || device == GGML_BACKEND_DEVICE_TYPE_IGPU;
        if (ctx->model.hparams.image_max_pixels > 0 && !gpu) {
            // Pictures of any size: the scores of each patch against each would take
            // gigabytes. A BLAS cannot do without them, but the CPU beside it can.
            c->flash_attn_type = CLIP_FLASH_ATTN_TYPE_ENABLED;
        }
        clip_model_loader::warmup(*c, batch);
        return 0;
    } catch (const std::exception & e) {
        LOG_ERR("%s: %s\n", __func__, e.what());
        return -1;
    }
}
