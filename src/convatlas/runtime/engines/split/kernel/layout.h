// Convolutions of float32 by matrix instructions for bfloat16 (Intel AMX).
//
// A float32 number is split into two bfloat16 ones, x = hi + lo with an error below 2^-16 |x|, and
// a product of two numbers is taken as hi*lo' + lo*hi' + hi*hi', summed in float32. AMX multiplies
// bfloat16 many times faster than AVX-512 multiplies float32, so three products still win.
//
// In memory all maps are channels last. A convolution is a sum over taps (one tap is a place in the
// kernel window) of matrix products, pixels x channels times channels x filters. So that a tap is
// nothing but an offset, `split` lays the padded map out in stride x stride *phases*: pixel
// (y * stride + fy, x * stride + fx) stands in phase (fy, fx) at (y, x). Neighbouring outputs are
// then neighbouring pixels of one phase for every stride, row ends included: what is computed for
// the columns past a row's end is thrown away. Channels are filled up with zeros to a multiple of
// 32 and lie in groups of 32, each group with all its pixels, so that what an instruction reads, 16
// pixels by 32 channels, is one run of memory wherever it begins. If channels are few (a picture's
// three), the window's columns become channels too.
#pragma once

#include <ATen/ATen.h>

#include <cstring>
#include <optional>
#include <vector>

#include "vector.h"

namespace convatlas {

using at::BFloat16;
using at::IntArrayRef;
using at::Tensor;

constexpr int64_t TILE = 16;        // rows of a tile, and its columns of float32
constexpr int64_t STEP = 32;        // channels that one instruction sums over
constexpr int64_t PART = TILE * STEP;  // numbers in a tile of bfloat16
constexpr int64_t CHUNK = 256;      // pixels that a thread takes at a time: they stay in its cache
constexpr int64_t FEW = 16;         // fewer channels than this, and columns become channels
constexpr int64_t MOST = 1024;      // channels after that
constexpr int64_t WORK = 4 << 20;   // multiply-adds that are worth waking a thread for
constexpr int64_t SLACK = 64;       // pixels that the last tile may read past the end

inline int64_t up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// The kernel's window: rows, columns, stride, padding above and left, dilation.
struct Window {
  int64_t rows, columns, stride, top, left, dilation;
  explicit Window(IntArrayRef w)
      : rows(w[0]), columns(w[1]), stride(w[2]), top(w[3]), left(w[4]), dilation(w[5]) {}
  bool point() const { return rows == 1 && columns == 1 && stride == 1 && top == 0 && left == 0; }
};

// Where everything lies in a split map.
struct Layout {
  Window window;
  int64_t n, c, h, w;         // of the map
  int64_t out_h, out_w;
  bool folded;                // columns of the window are channels
  int64_t depth;              // channels, filled up
  int64_t height, width;      // of a phase
  int64_t across;             // phases side by side: the stride, or one if folded
  int64_t plane, image;       // pixels of a phase and of a picture
  int64_t group;              // numbers in a group of 32 channels, with what may be read past them

  Layout(IntArrayRef shape, const Window& given) : window(given) {
    n = shape[0], c = shape[1], h = shape[2], w = shape[3];
    if (window.point()) n = 1, w *= h * shape[0], h = 1;  // one long row, no row ends
    out_h = (h + 2 * window.top - reach(window.rows) - 1) / window.stride + 1;
    out_w = (w + 2 * window.left - reach(window.columns) - 1) / window.stride + 1;
    folded = c < FEW && window.columns > 1 && c * window.columns <= MOST;
    depth = up(folded ? c * window.columns : c, STEP);
    across = folded ? 1 : window.stride;
    height = out_h + reach(window.rows) / window.stride;
    width = folded ? out_w : out_w + reach(window.columns) / window.stride;
    plane = height * width;
    image = window.stride * across * plane;
    group = (n * image + SLACK) * STEP;
  }
  int64_t reach(int64_t side) const { return window.dilation * (side - 1); }
  int64_t room() const { return steps() * group; }
  int64_t taps() const { return folded ? window.rows : window.rows * window.columns; }
  int64_t steps() const { return depth / STEP; }
  int64_t column_taps() const { return folded ? 1 : window.columns; }
  // From an output's pixel to the pixel a tap reads.
  int64_t offset(int64_t row, int64_t column) const {
    const int64_t y = row * window.dilation, x = column * window.dilation, s = window.stride;
    return (y % s * across + (folded ? 0 : x % s)) * plane + y / s * width + (folded ? 0 : x / s);
  }
};

// Where the halves of a map go.
struct Halves {
  BFloat16 *hi, *lo;
  int64_t depth, group;

  void store(int64_t pixel, int64_t channel, __m512 x) const {
    const int64_t at = channel / STEP * group + pixel * STEP + channel % STEP;
    const __m256i high = (__m256i)_mm512_cvtneps_pbh(x);
    const __m512 back = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16));
    _mm256_storeu_si256((__m256i*)(hi + at), high);
    _mm256_storeu_si256((__m256i*)(lo + at), (__m256i)_mm512_cvtneps_pbh(_mm512_sub_ps(x, back)));
  }
  void zero(int64_t pixel, int64_t channel) const {
    for (; channel < depth; channel += TILE) store(pixel, channel, _mm512_setzero_ps());
  }
};

inline const float* data(const std::optional<Tensor>& t) { return t ? t->const_data_ptr<float>() : nullptr; }

// `count` numbers in memory of the caller's (bytes, to be used again and again), or in new memory.
inline Tensor memory(const std::optional<Tensor>& room, int64_t count, at::ScalarType type) {
  if (!room) return at::empty({count}, type);
  return room->narrow(0, 0, count * static_cast<int64_t>(c10::elementSize(type))).view(type);
}

// Bytes that the halves of a map of `shape` (N, C, H, W) take.
inline int64_t bytes(std::vector<int64_t> shape, std::vector<int64_t> window) {
  return 2 * Layout(shape, Window(window)).room() * static_cast<int64_t>(sizeof(BFloat16));
}

}  // namespace convatlas
