// softmax(scale q k^T + added) v, in float32: a window's products are small.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <limits>

#include "conv.h"

namespace convatlas {

constexpr int64_t QUERIES = 7;  // rows of a product at a time, by 32 columns: 14 registers of sums

// ROWS x depth numbers, `step` from row to row, times depth x 32.
template <int ROWS>
inline void product(const float* a, int64_t step, const float* b, int64_t b_step, int64_t depth,
                    float* out, int64_t out_step) {
  __m512 sums[ROWS][2];
  for (auto& sum : sums) sum[0] = sum[1] = _mm512_setzero_ps();
  for (int64_t k = 0; k < depth; ++k, b += b_step) {
    const __m512 left = _mm512_loadu_ps(b), right = _mm512_loadu_ps(b + 16);
#pragma GCC unroll 8
    for (int row = 0; row < ROWS; ++row) {
      const __m512 one = _mm512_set1_ps(a[row * step + k]);
      sums[row][0] = _mm512_fmadd_ps(one, left, sums[row][0]);
      sums[row][1] = _mm512_fmadd_ps(one, right, sums[row][1]);
    }
  }
  for (int row = 0; row < ROWS; ++row, out += out_step) {
    _mm512_storeu_ps(out, sums[row][0]);
    _mm512_storeu_ps(out + 16, sums[row][1]);
  }
}

inline void products(int64_t rows, const float* a, int64_t step, const float* b, int64_t b_step,
                     int64_t depth, float* out, int64_t out_step) {
  if (rows == QUERIES) return product<QUERIES>(a, step, b, b_step, depth, out, out_step);
  for (int64_t row = 0; row < rows; ++row)
    product<1>(a + row * step, step, b, b_step, depth, out + row * out_step, out_step);
}

// e^(scale x + added - the greatest) in place of each row's x, and one over their sums. All rows go
// step by step together: what a step waits for in one row it does not in the next.
inline void weigh(int64_t rows, float* scores, int64_t wide, int64_t count, float scale,
                  const float* added, float* shares) {
  const __m512 none = _mm512_set1_ps(-std::numeric_limits<float>::infinity());
  __m512 whole[QUERIES];
  float greatest[QUERIES];
  for (int64_t row = 0; row < rows; ++row) {
    whole[row] = none;
    for (int64_t i = 0; i < count; i += 16) {
      const __mmask16 mask = first(count - i);
      float* at = scores + row * wide + i;
      __m512 x = _mm512_mul_ps(_mm512_loadu_ps(at), _mm512_set1_ps(scale));
      if (added) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(mask, added + row * count + i));
      x = _mm512_mask_mov_ps(none, mask, x);
      _mm512_storeu_ps(at, x);
      whole[row] = _mm512_max_ps(whole[row], x);
    }
  }
  for (int64_t row = 0; row < rows; ++row) greatest[row] = _mm512_reduce_max_ps(whole[row]);
  for (int64_t row = 0; row < rows; ++row) {
    whole[row] = _mm512_setzero_ps();
    for (int64_t i = 0; i < count; i += 16) {
      float* at = scores + row * wide + i;
      const __m512 off = _mm512_sub_ps(_mm512_loadu_ps(at), _mm512_set1_ps(greatest[row]));
      const __m512 x = _mm512_maskz_mov_ps(first(count - i), exponential(off));
      _mm512_storeu_ps(at, x);
      whole[row] = _mm512_add_ps(whole[row], x);
    }
  }
  for (int64_t row = 0; row < rows; ++row) shares[row] = 1 / _mm512_reduce_add_ps(whole[row]);
}

// The sizes of one unit, a head in a window, and the steps from row to row.
struct Sizes {
  int64_t queries, keys, depth, values;
  int64_t query_step, key_step, value_step, out_step;
  explicit Sizes(IntArrayRef s)
      : queries(s[0]), keys(s[1]), depth(s[2]), values(s[3]),
        query_step(s[4]), key_step(s[5]), value_step(s[6]), out_step(s[7]) {}
};

// Where one unit begins: in the numbers read, in those written, and in what is added.
struct Unit {
  const float *queries, *keys, *values, *added;
  int64_t out;
};

// Sixteen rows of sixteen numbers become columns: blocks of 8, 4, 2 and 1 change places in turn.
template <int HALF>
inline void turn(__m512* rows) {
  alignas(64) int32_t upper[16], lower[16];
  for (int i = 0; i < 16; ++i) {  // from 16 on: the second row's
    upper[i] = i & HALF ? i - HALF + 16 : i;
    lower[i] = i & HALF ? i + 16 : i + HALF;
  }
  const __m512i up = _mm512_load_si512(upper), low = _mm512_load_si512(lower);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i)
    if (!(i & HALF)) {
      const __m512 one = rows[i], other = rows[i + HALF];
      rows[i] = _mm512_permutex2var_ps(one, up, other);
      rows[i + HALF] = _mm512_permutex2var_ps(one, low, other);
    }
}

// Rows of `depth` numbers as depth rows, of which each is filled up with zeros to `wide`.
inline void transpose(const float* from, int64_t count, int64_t step, int64_t depth, int64_t wide,
                      float* out) {
  for (int64_t k = 0; k < wide; k += TILE)
    for (int64_t c = 0; c < depth; c += TILE) {
      __m512 rows[TILE];
      for (int64_t i = 0; i < TILE; ++i)
        rows[i] = _mm512_maskz_loadu_ps(k + i < count ? first(depth - c) : 0,
                                        from + (k + i) * step + c);
      turn<8>(rows);
      turn<4>(rows);
      turn<2>(rows);
      turn<1>(rows);
      for (int64_t i = 0; i < std::min(TILE, depth - c); ++i)
        _mm512_store_ps(out + (c + i) * wide + k, rows[i]);
    }
}

inline void attend(const Sizes& s, const Unit& unit, float scale, float* scratch, int64_t width,
                   const Result& to) {
  const int64_t wide = up(s.keys, 2 * TILE);
  float *keys = scratch, *values = keys + s.depth * wide, *scores = values + s.keys * s.values;
  float* out = scores + QUERIES * wide;
  transpose(unit.keys, s.keys, s.key_step, s.depth, wide, keys);
  for (int64_t k = 0; k < s.keys; ++k)  // side by side: at large steps few of them fit the cache
    std::copy_n(unit.values + k * s.value_step, s.values, values + k * s.values);
  for (int64_t i = 0; i < s.queries; i += QUERIES) {
    const int64_t rows = std::min(QUERIES, s.queries - i);
    const float* queries = unit.queries + i * s.query_step;
    for (int64_t k = 0; k < wide; k += 2 * TILE)
      products(rows, queries, s.query_step, keys + k, wide, s.depth, scores + k, wide);
    float shares[QUERIES];
    const float* added = unit.added ? unit.added + i * s.keys : nullptr;
    weigh(rows, scores, wide, s.keys, scale, added, shares);
    for (int64_t c = 0; c < s.values; c += 2 * TILE)
      products(rows, scores, wide, values + c, s.values, s.keys, out + c, s.values);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t c = 0; c < s.values; c += TILE) {
        const int64_t at = unit.out + (i + row) * s.out_step + c;
        const __m512 x = _mm512_mul_ps(_mm512_load_ps(out + row * s.values + c),
                                       _mm512_set1_ps(shares[row]));
        if (to.packed) {
          to.packed->store(at / width, at % width, x);
        } else {
          _mm512_storeu_ps(to.numbers + at, x);
        }
      }
  }
}

// Attention within each unit. `table` has a line for each: where its queries, keys and values begin
// in `x`, where its result begins, and which of `added` (…, queries, keys) is its own.
inline Tensor attention(Tensor x, Tensor table, std::vector<int64_t> sizes, double scale,
                        std::optional<Tensor> added, std::vector<int64_t> size, bool packing,
                        std::optional<Tensor> room) {
  x = x.contiguous();
  const Sizes s(sizes);
  const int64_t width = size.back(), wide = up(s.keys, 2 * TILE);
  const Result to(c10::multiply_integers(size) / width, width, packing, room);
  const float* from = x.const_data_ptr<float>();
  const int64_t* line = table.const_data_ptr<int64_t>();
  const int64_t work = s.queries * s.keys * (s.depth + s.values);
  at::parallel_for(0, table.size(0), 1 + WORK / 8 / work, [&](int64_t begin, int64_t end) {
    const int64_t count = (s.depth + QUERIES) * wide + (s.keys + QUERIES) * s.values;
    std::vector<float> scratch(count + TILE);
    float* aligned = scratch.data() + (64 - reinterpret_cast<uintptr_t>(scratch.data()) % 64) / 4;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t* at = line + 5 * i;
      const float* own = added ? data(added) + at[4] * s.queries * s.keys : nullptr;
      attend(s, {from + at[0], from + at[1], from + at[2], own, at[3]}, static_cast<float>(scale),
             aligned, width, to);
    }
  });
  return packing ? to.tensor : to.tensor.view(size);
}

}  // namespace convatlas
