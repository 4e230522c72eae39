// Functions in plain C that llama.cpp's C API lacks. They are implemented in vision.cpp,
// which includes clip.cpp to read its internals, in multimodal.cpp, which includes
// mtmd.cpp, and in text.cpp.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct llama_model;
struct llama_context;
struct llama_context_params;
struct llama_sampler;
struct llama_vocab;
struct clip_ctx;
struct mtmd_context;
struct mtmd_input_chunk;
struct mtmd_input_chunks;

// Properties of a loaded vision file.
struct pd_vision_info {
    int32_t tile;          // edge of the square picture the encoder takes, pixels
    int32_t patch;         // edge of a patch, pixels
    int32_t longest_edge;  // that the reference resizes pictures to, pixels; 0: the file does not say
    int32_t tile_tokens;   // embeddings a tile becomes
    int32_t embd;          // values in one embedding
    float mean[3], std[3]; // normalisation of R, G, B in 0..1
    char projector[32];    // "idefics3"
    uint64_t weight_bytes;
    uint64_t compute_bytes; // known after the first encode
    bool any_size;   // takes pictures of any size, not of tile×tile only
    bool mrope;      // the text model wants positions of several dimensions (M-RoPE)
    bool non_causal; // the text model reads a picture's embeddings in both directions
    bool windows;    // the encoder masks attention by windows
};

// Loads a vision file. fused: attention as one operation. Returns NULL and writes a message to err (cap bytes).
struct clip_ctx * pd_vision_load(const char * path, bool gpu, bool fused, char * err, size_t cap);
void pd_vision_free(struct clip_ctx * ctx);
void pd_vision_info(const struct clip_ctx * ctx, struct pd_vision_info * info);

// Gives a function that changes an encoder's graph for the CPU, before its memory is planned; for all encoders.
struct ggml_cgraph;
void pd_vision_merge(void (*merge)(struct ggml_cgraph *));

// Encodes one tile with SmolVLM's encoder. planes: edge*edge normalised floats of red,
// then of green, then of blue. out: tile_tokens*embd floats. Returns 0, or -1 if it
// fails or the encoder is another one.
int pd_vision_encode(struct clip_ctx * ctx, int threads, const float * planes, int edge, float * out);

// Writes the type of projector that a vision file names to out (cap bytes),
// nothing if it names none, without loading it. Returns 0, or -1 when the file
// cannot be read.
int pd_vision_projector(const char * path, char * out, size_t cap);

// Replaces the weights that clip has loaded by the mapped file, which processes share.
// pd_vision_unmap removes the mapping after the context is freed.
void pd_vision_share(struct clip_ctx * ctx, const char * path);
void pd_vision_unmap(const struct clip_ctx * ctx);

// Loads a vision file for a text model with llama.cpp's mtmd, for models other than
// SmolVLM; fused as above. Returns NULL and writes a message to err (cap bytes).
struct mtmd_context * pd_multi_load(const char * path, const struct llama_model * model, bool gpu, bool fused, char * err, size_t cap);
void pd_multi_free(struct mtmd_context * ctx);
const struct clip_ctx * pd_multi_vision(const struct mtmd_context * ctx);

// The size in pixels at which the encoder takes a picture of width×height pixels.
void pd_vision_fit(const struct clip_ctx * ctx, int width, int height, int * fit_width, int * fit_height);
// The embeddings that a picture of such a size becomes.
int pd_vision_tokens(const struct clip_ctx * ctx, int width, int height);
// Allocates the compute buffers for a picture of such a size. Encoding a larger one makes
// them grow. Returns 0, or -1.
int pd_vision_reserve(const struct clip_ctx * ctx, int width, int height);

// Makes a picture (width*height pixels, R G B, 8 bit) into the chunks of a
// prompt: the tokens around it and the picture prepared for the encoder.
// Returns NULL if it fails. The chunks are freed by mtmd_input_chunks_free.
struct mtmd_input_chunks * pd_multi_cut(struct mtmd_context * ctx, const uint8_t * rgb, int width, int height);

// Encodes an image chunk on so many threads of the CPU. out: its tokens * embd floats. Returns 0, or -1.
int pd_multi_encode(struct mtmd_context * ctx, int threads, const struct mtmd_input_chunk * chunk, float * out);

// Loads a text model, on a GPU or the CPU alone. Returns NULL if it fails; the log says why.
struct llama_model * pd_text_load(const char * path, bool gpu);

// Makes the context of a text model as llama_init_from_model does, and frees it, in the
// order that lifetime.h explains. Returns NULL if it fails.
struct llama_context * pd_text_new(struct llama_model * model, const struct llama_context_params * params);
void pd_text_free(struct llama_context * ctx);

// Writes a token's row of the input embedding table to out (n_embd floats), so that text
// and picture are prefilled together. Returns 0, or -1.
int pd_token_embedding(const struct llama_model * model, int32_t token, float * out);

// Tells the backends whether the next steps have the same graph, as those of next tokens
// do: a backend may then keep what it prepares for a graph, such as a CUDA graph.
// Otherwise it decides by the number of rows. The graphs of the two kinds of steps must
// differ, because ggml compares a graph with the last one even if it did not keep that.
void pd_steps_alike(struct llama_context * ctx, bool alike);

// A sampler that penalises tokens among the last ones.
struct llama_sampler * pd_penalties(const struct llama_vocab * vocab, int last, float repeat);

// Bytes that llama.cpp holds: weights (mapped or not), KV cache, compute buffers.
void pd_text_memory(const struct llama_context * ctx, uint64_t * weights, uint64_t * kv, uint64_t * compute);

// Tells the linked BLAS how many threads to use, and its name and core type.
// Without a BLAS of its own (macOS uses Accelerate) the strings are empty.
void pd_blas_threads(int n);
void pd_blas_info(char * config, size_t ncfg, char * core, size_t ncore);

extern const char * pd_llama_commit(void);

#ifdef __cplusplus
}
#endif
