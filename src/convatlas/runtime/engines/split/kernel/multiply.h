// Products of tiles.
#pragma once

#include "layout.h"

namespace convatlas {

// Weights (K, C, rows, columns) in tiles: [K / 16][taps][depth / 32][hi, lo][16][16][2].
inline Tensor pack(Tensor weight, std::vector<int64_t> window) {
  weight = weight.contiguous();
  const Window w(window);
  const Layout l({1, weight.size(1), w.rows * w.dilation, w.columns * w.dilation}, w);
  const int64_t filters = weight.size(0), block = l.taps() * l.steps() * 2 * PART;
  Tensor out = at::zeros({up(filters, 2 * TILE) / TILE * block}, at::kBFloat16);
  const float* from = weight.const_data_ptr<float>();
  BFloat16* to = out.data_ptr<BFloat16>();
  for (int64_t k = 0; k < filters; ++k)
    for (int64_t c = 0; c < l.c; ++c)
      for (int64_t row = 0; row < w.rows; ++row)
        for (int64_t column = 0; column < w.columns; ++column, ++from) {
          const int64_t tap = l.folded ? row : row * w.columns + column;
          const int64_t d = l.folded ? column * l.c + c : c;
          BFloat16* hi = to + k / TILE * block + (tap * l.steps() + d / STEP) * 2 * PART +
                         d % STEP / 2 * STEP + k % TILE * 2 + d % 2;
          hi[0] = *from;
          hi[PART] = *from - static_cast<float>(hi[0]);
        }
  return out;
}

// 16 * DOWN pixels by 16 * ACROSS filters, all taps and channels, into sums[32][32].
// Tiles 0 to 3 hold the sums, 4 and 5 the pixels, 6 and 7 the weights.
template <bool DOWN, bool ACROSS>
void multiply(const Layout& l, const BFloat16* hi, const BFloat16* lo, const BFloat16* weights,
              int64_t block, float* sums) {
  const int64_t wide = 64;  // bytes from one row of a tile to the next
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int64_t row = 0; row < l.window.rows; ++row)
    for (int64_t column = 0; column < l.column_taps(); ++column) {
      const int64_t tap = l.offset(row, column) * STEP;
      for (int64_t step = 0; step < l.steps(); ++step, weights += 2 * PART) {
        const BFloat16 *h = hi + tap + step * l.group, *low = lo + tap + step * l.group;
        _tile_loadd(4, low, wide);
        _tile_loadd(6, weights, wide);
        _tile_dpbf16ps(0, 4, 6);
        if constexpr (ACROSS) { _tile_loadd(7, weights + block, wide); _tile_dpbf16ps(1, 4, 7); }
        if constexpr (DOWN) { _tile_loadd(5, low + PART, wide); _tile_dpbf16ps(2, 5, 6); }
        if constexpr (DOWN && ACROSS) _tile_dpbf16ps(3, 5, 7);
        _tile_loadd(4, h, wide);
        _tile_dpbf16ps(0, 4, 6);
        if constexpr (ACROSS) _tile_dpbf16ps(1, 4, 7);
        if constexpr (DOWN) { _tile_loadd(5, h + PART, wide); _tile_dpbf16ps(2, 5, 6); }
        if constexpr (DOWN && ACROSS) _tile_dpbf16ps(3, 5, 7);
        _tile_loadd(6, weights + PART, wide);
        _tile_dpbf16ps(0, 4, 6);
        if constexpr (ACROSS) { _tile_loadd(7, weights + block + PART, wide); _tile_dpbf16ps(1, 4, 7); }
        if constexpr (DOWN) _tile_dpbf16ps(2, 5, 6);
        if constexpr (DOWN && ACROSS) _tile_dpbf16ps(3, 5, 7);
      }
    }
  const int64_t stride = 2 * TILE * sizeof(float);
  _tile_stored(0, sums, stride);
  if constexpr (ACROSS) _tile_stored(1, sums + TILE, stride);
  if constexpr (DOWN) _tile_stored(2, sums + 2 * TILE * TILE, stride);
  if constexpr (DOWN && ACROSS) _tile_stored(3, sums + 2 * TILE * TILE + TILE, stride);
}

}  // namespace convatlas
