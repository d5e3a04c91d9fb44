// Rows packed: gathered from pieces, normed over their length.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "numbers.h"

namespace convatlas {

// A piece that is not there: zeros that are normed with the others, or a row of zeros after it.
constexpr int32_t ZERO_BEFORE = -1, ZERO_AFTER = -2;

// What makes a row's mean zero and its variance one, then times gain, plus shift.
struct Norm {
  const float *gain, *shift;
  float mean, scale;

  Norm(const float* row, int64_t depth, const float* gain, const float* shift, float eps)
      : gain(gain), shift(shift) {
    __m512 sum = _mm512_setzero_ps(), squares = sum;
    for (int64_t c = 0; c < depth; c += 16) sum = _mm512_add_ps(sum, _mm512_loadu_ps(row + c));
    mean = _mm512_reduce_add_ps(sum) / depth;
    for (int64_t c = 0; c < depth; c += 16) {
      const __m512 off = _mm512_maskz_sub_ps(first(depth - c), _mm512_loadu_ps(row + c),
                                             _mm512_set1_ps(mean));
      squares = _mm512_fmadd_ps(off, off, squares);
    }
    scale = 1 / std::sqrt(_mm512_reduce_add_ps(squares) / depth + eps);
  }
  __m512 operator()(__m512 x, __mmask16 mask, int64_t channel) const {
    x = _mm512_mul_ps(_mm512_sub_ps(x, _mm512_set1_ps(mean)), _mm512_set1_ps(scale));
    return _mm512_maskz_fmadd_ps(mask, x, _mm512_maskz_loadu_ps(mask, gain + channel),
                                 _mm512_maskz_loadu_ps(mask, shift + channel));
  }
};

// `x` is rows of a width (its last size). Row i of the result is the pieces `table[i]` of them one
// after the other, or row i without a table; normed if there is a gain.
inline Tensor rows(Tensor x, std::optional<Tensor> table, std::optional<Tensor> gain,
                   std::optional<Tensor> shift, double eps, std::optional<Tensor> room) {
  x = x.contiguous();
  const int64_t width = x.size(-1), pieces = table ? table->size(1) : 1, depth = pieces * width;
  const int64_t count = table ? table->size(0) : x.numel() / width;
  const Layout l({1, depth, count, 1}, Window({1, 1, 1, 0, 0, 1}));
  Tensor out = memory(room, l.room());
  const Packed to(out.data_ptr<float>(), l);
  const float* source = x.const_data_ptr<float>();
  const int32_t* of = table ? table->const_data_ptr<int32_t>() : nullptr;
  at::parallel_for(0, count, std::max<int64_t>(1, 16384 / depth), [&](int64_t begin, int64_t end) {
    std::vector<float> row(up(depth, TILE));  // zeros after its end
    for (int64_t i = begin; i < end; ++i) {
      if (of && of[i * pieces] == ZERO_AFTER) {
        to.zero(i, 0);
        continue;
      }
      for (int64_t piece = 0; piece < pieces; ++piece) {
        const int64_t from = of ? of[i * pieces + piece] : i;
        float* at = row.data() + piece * width;
        if (from == ZERO_BEFORE) {
          std::fill_n(at, width, 0.f);
        } else {
          std::memcpy(at, source + from * width, width * sizeof(float));
        }
      }
      if (gain) {
        const Norm norm(row.data(), depth, data(gain), data(shift), static_cast<float>(eps));
        for (int64_t c = 0; c < depth; c += TILE)
          to.store(i, c, norm(_mm512_loadu_ps(row.data() + c), first(depth - c), c));
      } else {
        for (int64_t c = 0; c < depth; c += TILE) to.store(i, c, _mm512_loadu_ps(row.data() + c));
      }
      to.zero(i, up(depth, TILE));
    }
  });
  return out;
}

}  // namespace convatlas
