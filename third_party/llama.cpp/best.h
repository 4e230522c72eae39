// What the machine can do at best, for photodesc bench. Implemented in best.c.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Multiplies as the encoder does: c (m×n) = a (m×k) by b (n×k) transposed, rows
// one after the other. Returns 0, or -1 where no BLAS is linked.
int pd_sgemm(int m, int n, int k, const float * a, const float * b, float * c);

// Reads n words once and returns their sum, so that the reading cannot be left out.
uint64_t pd_read_words(const uint64_t * words, size_t n);
