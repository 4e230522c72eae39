// What a program that links the system's llama.cpp needs beside bridge.h. Implemented
// in system.c, which alone knows how versions of llama.cpp differ.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct llama_context;
struct llama_model;
struct mtmd_context;
struct mtmd_input_chunk;
struct mtmd_input_chunks;

// The version of the headers that the program was compiled with: "0.7.0".
const char * pd_system_built(void);

// Whether llama.cpp was compiled from a source tree, and is part of the program.
bool pd_system_tree(void);

// Loads all of ggml's backends that the system has. ggml logs nothing from then on.
void pd_system_load_backends(void);

// Loads a vision file for a text model. Returns NULL if it fails; the log says why.
struct mtmd_context * pd_system_load(const char * path, const struct llama_model * model, bool gpu, int threads);

// Makes a picture (R G B, 8 bit) the chunks of a prompt. rgb NULL: only their
// numbers of tokens are of use. Returns NULL if it fails. They are freed by
// mtmd_input_chunks_free.
struct mtmd_input_chunks * pd_system_cut(const struct mtmd_context * ctx, const uint8_t * rgb, int width, int height);

// Encodes a chunk of a picture. out: its tokens * embd floats. Returns 0, or -1.
int pd_system_encode(struct mtmd_context * ctx, const struct mtmd_input_chunk * chunk, int embd, float * out);

// Decodes an encoded chunk of a picture from position pos on; *end is the position behind it.
// Returns llama_decode's code, or -1.
int pd_system_decode(struct mtmd_context * ctx, struct llama_context * text, const struct mtmd_input_chunk * chunk,
                     float * embd, int pos, int sequence, int batch, int * end);

// Whether the text model reads a chunk's embeddings in both directions.
bool pd_system_non_causal(const struct mtmd_context * ctx, const struct mtmd_input_chunk * chunk);

// A number that a vision file states under a key; 0 if it states none. *failed: the file cannot be read.
uint32_t pd_system_number(const char * path, const char * key, bool * failed);
