// Numbers in float32 as they are, multiplied by AVX-512.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "layout.h"
#include "products.h"
#include "winograd.h"

namespace convatlas {

using Weight = float;

constexpr int64_t WIDE = 2 * TILE;  // filters side by side

inline bool permitted() { return true; }

// A packed map.
struct Packed {
  float* numbers;
  int64_t depth, group;

  Packed(float* memory, const Layout& l) : numbers(memory), depth(l.depth), group(l.group) {}

  void store(int64_t pixel, int64_t channel, __m512 x) const {
    _mm512_storeu_ps(numbers + channel / STEP * group + pixel * STEP + channel % STEP, x);
  }
  void zero(int64_t pixel, int64_t channel) const {
    for (; channel < depth; channel += TILE) store(pixel, channel, _mm512_setzero_ps());
  }
};

// The side of Winograd's tiles that is fastest for a convolution, or 0 if none is. Large tiles
// multiply less, but few of them do not make up for reading four times as many weights; and on
// tiny maps tiles stick out so far that the transforms do not pay.
inline int64_t tile_side(const Layout& l) {
  const Window& w = l.window;
  if (w.rows != 3 || w.columns != 3 || w.stride != 1 || w.dilation != 1 || l.folded) return 0;
  const auto tiles = [&](int64_t side) {
    return l.n * ((l.out_h + side - 1) / side) * ((l.out_w + side - 1) / side);
  };
  const int64_t direct = 9 * l.n * l.out_h * l.out_w, small = 16 * tiles(2), large = 36 * tiles(4);
  if (tiles(4) >= 9 && large <= small && 3 * large <= 2 * direct) return 4;
  return 3 * small <= 2 * direct ? 2 : 0;
}

// How many numbers the weights of a convolution are.
inline int64_t weights_of(const Layout& l, int64_t filters) {
  const int64_t side = tile_side(l), places = (side + 2) * (side + 2);
  return up(filters, WIDE) * (side ? places * up(l.c, TILE) : l.taps() * l.depth);
}

// The whole convolution by Winograd's method, if it pays: whether it was done.
template <class After>
inline bool by_winograd(const Layout& l, const float* map, const float* weights, const After& after) {
  const int64_t side = tile_side(l);
  if (side == 4) winograd<4>(l, map, weights, after.filters, after);
  if (side == 2) winograd<2>(l, map, weights, after.filters, after);
  return side != 0;
}

// Weights (K, C, rows, columns) as [K / 32][taps][depth][32], or for Winograd's method.
inline Tensor pack_weights(Tensor weight, std::vector<int64_t> shape, std::vector<int64_t> window) {
  weight = weight.contiguous();
  const Window w(window);
  const Layout l(shape, w);
  if (const int64_t side = tile_side(l))
    return side == 4 ? pack_winograd<4>(weight) : pack_winograd<2>(weight);
  const int64_t filters = weight.size(0), block = l.taps() * l.depth * WIDE;
  Tensor out = at::zeros({weights_of(l, filters)}, at::kFloat);
  const float* from = weight.const_data_ptr<float>();
  float* to = out.data_ptr<float>();
  for (int64_t k = 0; k < filters; ++k)
    for (int64_t c = 0; c < l.c; ++c)
      for (int64_t row = 0; row < w.rows; ++row)
        for (int64_t column = 0; column < w.columns; ++column, ++from) {
          const int64_t d = l.folded ? column * l.c + c : c;
          to[k / WIDE * block + (l.tap(row, column) * l.depth + d) * WIDE + k % WIDE] = *from;
        }
  return out;
}

// Up to 14 pixels by 32 filters, all taps and channels, into sums[][32].
struct Multiplier {
  static constexpr int64_t PIXELS = ROWS;

  // How many pixels to take from `m` on: an even part of what is left of the row. Below zero: how
  // many there are before the next row.
  static int64_t together(const Layout& l, int64_t m, int64_t end) {
    const int64_t x = m % l.width, left = std::min(l.out_w - x, end - m);
    if (left <= 0) return x - l.width;
    const int64_t parts = (left + PIXELS - 1) / PIXELS;
    return (left + parts - 1) / parts;
  }

  // `weights` are those of all filters; the sums those of the filters from `k` on.
  void operator()(const Layout& l, const float* map, const float* weights, int64_t k, int64_t pixel,
                  int64_t count, bool across, float* sums) const {
    const float* from = weights + k / WIDE * l.taps() * l.depth * WIDE;
    using Run = void (*)(const Layout&, const float*, const float*, float*);
    static constexpr auto runs = []<int... I>(std::integer_sequence<int, I...>) {
      return std::array<std::array<Run, 2>, ROWS>{{{rows<I + 1, 1>, rows<I + 1, 2>}...}};
    }(std::make_integer_sequence<int, ROWS>());
    runs[count - 1][across](l, map + pixel * STEP, from, sums);
  }

 private:
  template <int COUNT, int ACROSS>
  static void rows(const Layout& l, const float* map, const float* weights, float* sums) {
    __m512 all[COUNT][ACROSS];
    for (auto& row : all)
      for (__m512& sum : row) sum = _mm512_setzero_ps();
    for (int64_t row = 0; row < l.window.rows; ++row)
      for (int64_t column = 0; column < l.column_taps(); ++column) {
        const float* tap = map + l.offset(row, column) * STEP;
        for (int64_t c = 0; c < l.depth; c += STEP, tap += l.group, weights += STEP * WIDE)
          add_products(tap, STEP, weights, std::min(STEP, l.filled() - c), all);
      }
    for (int row = 0; row < COUNT; ++row)
      for (int i = 0; i < ACROSS; ++i) _mm512_store_ps(sums + row * WIDE + i * TILE, all[row][i]);
  }
};

}  // namespace convatlas
