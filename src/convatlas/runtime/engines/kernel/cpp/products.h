// Products of float32 matrices: some rows by 16 or 32 columns at a time, in registers.
#pragma once

#include "vector.h"

namespace convatlas {

constexpr int ROWS = 14;        // by 32 columns: 28 registers of sums, two of weights
constexpr int AHEAD = 32 * 32;  // numbers of weights: they come from a far cache, and in order

// Rows of `a` (`step` numbers apart) times `depth` rows of 32 weights, added to the sums.
template <int COUNT, int ACROSS>
inline void add_products(const float* a, int64_t step, const float* b, int64_t depth,
                         __m512 (&sums)[COUNT][ACROSS]) {
#pragma GCC unroll 1
  for (int64_t k = 0; k < depth; ++k, b += 32) {
    __m512 columns[ACROSS];
    for (int i = 0; i < ACROSS; ++i) _mm_prefetch(b + 16 * i + AHEAD, _MM_HINT_T0);
    for (int i = 0; i < ACROSS; ++i) columns[i] = _mm512_load_ps(b + 16 * i);
#pragma GCC unroll 16
    for (int row = 0; row < COUNT; ++row) {
      const __m512 one = _mm512_set1_ps(a[row * step + k]);
      for (int i = 0; i < ACROSS; ++i)
        sums[row][i] = _mm512_fmadd_ps(one, columns[i], sums[row][i]);
    }
  }
}

}  // namespace convatlas
