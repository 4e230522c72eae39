//go:build !llama_system

// mtmd.cpp is compiled here, in one translation unit with the functions that
// keep its exceptions from Go and join its small calls into whole ones.
#include "upstream/llama/llama.cpp/tools/mtmd/mtmd.cpp"

#include "bridge.h"
#include "lifetime.h"

#include <cmath>

static void copy_string(char * dst, size_t cap, const std::string & src) {
    if (cap > 0) {
        snprintf(dst, cap, "%s", src.c_str());
    }
}

extern "C" struct mtmd_context * pd_multi_load(const char * path, const struct llama_model * model, bool gpu, bool fused,
                                               char * err, size_t cap) {
    mtmd_context_params params = mtmd_context_params_default();
    params.use_gpu       = gpu;
    params.print_timings = false;
    params.warmup        = false;
    if (fused) {
        params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    }
    pd_free_later later;
    try {
        std::unique_ptr<mtmd_context> ctx(new mtmd_context(path, model, params));
        if (ctx->ctx_v == nullptr) {
            copy_string(err, cap, "it has no vision encoder");
            return nullptr;
        }
        pd_vision_share(ctx->ctx_v, path);
        return ctx.release();
    } catch (const std::exception & e) {
        std::string what = e.what();
        what.erase(what.find_last_not_of("\n") + 1);
        copy_string(err, cap, what);
        return nullptr;
    }
}

extern "C" void pd_multi_free(struct mtmd_context * ctx) {
    pd_free_later later;
    clip_ctx * vision = ctx->ctx_v;
    mtmd_free(ctx);
    pd_vision_unmap(vision); // after the tensors that lie in it
}

extern "C" const struct clip_ctx * pd_multi_vision(const struct mtmd_context * ctx) {
    return ctx->ctx_v;
}

extern "C" struct mtmd_input_chunks * pd_multi_cut(struct mtmd_context * ctx, const uint8_t * rgb, int width, int height) {
    try {
        std::unique_ptr<mtmd_bitmap> picture(mtmd_bitmap_init(width, height, rgb));
        std::unique_ptr<mtmd_input_chunks> chunks(new mtmd_input_chunks);
        const mtmd_input_text text = { ctx->media_marker.c_str(), /*.add_special =*/ false, /*.parse_special =*/ true };
        const mtmd_bitmap * pictures[] = { picture.get() };
        return mtmd_tokenize(ctx, chunks.get(), &text, pictures, 1) == 0 ? chunks.release() : nullptr;
    } catch (const std::exception & e) {
        LOG_ERR("%s: %s\n", __func__, e.what());
        return nullptr;
    }
}

extern "C" int pd_multi_encode(struct mtmd_context * ctx, int threads, const struct mtmd_input_chunk * chunk, float * out) {
    try {
        ctx->n_threads = threads;
        if (mtmd_encode_chunk(ctx, chunk) != 0) {
            return -1;
        }
        memcpy(out, mtmd_get_output_embd(ctx), mtmd_input_chunk_get_n_tokens(chunk) * ctx->n_embd_text * sizeof(float));
        return 0;
    } catch (const std::exception & e) {
        LOG_ERR("%s: %s\n", __func__, e.what());
        return -1;
    }
}
