// clip.cpp is compiled here, in one translation unit with the few functions
// that read what its header hides.
#include "upstream/llama/llama.cpp/tools/mtmd/clip.cpp"

#include "bridge.h"

#include <cstdio>

static void copy_string(char * dst, size_t cap, const char * src) {
    if (cap > 0) {
        snprintf(dst, cap, "%s", src);
    }
}

extern "C" struct clip_ctx * pd_vision_load(const char * path, bool gpu, char * err, size_t cap) {
    clip_context_params params = {};
    params.use_gpu          = gpu;
    params.flash_attn_type  = CLIP_FLASH_ATTN_TYPE_AUTO;
    params.image_min_tokens = -1;
    params.image_max_tokens = -1;
    params.warmup           = false;
    try {
        clip_init_result r = clip_init(path, params);
        if (r.ctx_a != nullptr) {
            clip_free(r.ctx_a);
        }
        if (r.ctx_v == nullptr) {
            copy_string(err, cap, "not a vision file that llama.cpp can load");
        }
        return r.ctx_v;
    } catch (const std::exception & e) {
        copy_string(err, cap, e.what());
        return nullptr;
    }
}

extern "C" void pd_vision_free(struct clip_ctx * ctx) {
    clip_free(ctx);
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
}

extern "C" int pd_vision_encode(struct clip_ctx * ctx, int threads, const float * pixels, int edge, float * out) {
    try {
        clip_image_f32_batch batch;
        clip_image_f32_ptr img(clip_image_f32_init());
        img->nx = edge;
        img->ny = edge;
        img->buf.assign(pixels, pixels + (size_t) edge * edge * 3);
        batch.entries.push_back(std::move(img));
        return clip_image_batch_encode(ctx, threads, &batch, out) ? 0 : -1;
    } catch (const std::exception & e) {
        LOG_ERR("%s: %s\n", __func__, e.what());
        return -1;
    }
}
