// Numbers as halves, multiplied by matrix instructions for bfloat16 (Intel AMX).
//
// A float32 number is split into two bfloat16 ones, x = hi + lo with an error below 2^-16 |x|, and
// a product of two numbers is taken as hi*lo' + lo*hi' + hi*hi', summed in float32. AMX multiplies
// bfloat16 many times faster than AVX-512 multiplies float32, so three products still win.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "layout.h"

namespace convatlas {

using at::BFloat16;
using Weight = BFloat16;

constexpr int64_t PART = TILE * STEP;  // numbers in a tile of bfloat16

inline bool permitted() {  // Linux gives a process the tiles' registers on request
  constexpr int REQUEST = 0x1023, TILES = 18;
  static const bool granted = syscall(SYS_arch_prctl, REQUEST, TILES) == 0;
  return granted;
}

// A packed map: all high halves, then all low ones, in the memory of as many float32 numbers.
struct Packed {
  BFloat16 *hi, *lo;
  int64_t depth, group;

  Packed(float* memory, const Layout& l)
      : hi(reinterpret_cast<BFloat16*>(memory)), lo(hi + l.room()), depth(l.depth), group(l.group) {}

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

// Numbers in the weights of 16 filters.
inline int64_t block_of(const Layout& l) { return l.taps() * l.steps() * 2 * PART; }

// How many numbers the weights of a convolution are.
inline int64_t weights_of(const Layout& l, int64_t filters) {
  return up(filters, 2 * TILE) / TILE * block_of(l);
}

// Weights (K, C, rows, columns) in tiles: [K / 16][taps][depth / 32][hi, lo][16][16][2].
inline Tensor pack_weights(Tensor weight, std::vector<int64_t> shape, std::vector<int64_t> window) {
  weight = weight.contiguous();
  const Window w(window);
  const Layout l(shape, w);
  const int64_t filters = weight.size(0), block = block_of(l);
  Tensor out = at::zeros({weights_of(l, filters)}, at::kBFloat16);
  const float* from = weight.const_data_ptr<float>();
  BFloat16* to = out.data_ptr<BFloat16>();
  for (int64_t k = 0; k < filters; ++k)
    for (int64_t c = 0; c < l.c; ++c)
      for (int64_t row = 0; row < w.rows; ++row)
        for (int64_t column = 0; column < w.columns; ++column, ++from) {
          const int64_t tap = l.tap(row, column), d = l.folded ? column * l.c + c : c;
          BFloat16* hi = to + k / TILE * block + (tap * l.steps() + d / STEP) * 2 * PART +
                         d % STEP / 2 * STEP + k % TILE * 2 + d % 2;
          hi[0] = *from;
          hi[PART] = *from - static_cast<float>(hi[0]);
        }
  return out;
}

// The float32 kernel's other way to do a convolution; none is known that makes halves faster.
template <class After>
inline bool by_winograd(const Layout&, const float*, const BFloat16*, const After&) {
  return false;
}

struct alignas(64) TileShapes {  // as the instruction reads them: eight tiles of 16 rows, 64 bytes
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// One thread's tiles: up to 32 pixels by 32 filters, all taps and channels, into sums[][32].
struct Multiplier {
  static constexpr int64_t PIXELS = 2 * TILE;

  Multiplier() {
    const TileShapes shapes;
    _tile_loadconfig(&shapes);
  }
  ~Multiplier() { _tile_release(); }
  Multiplier(const Multiplier&) = delete;
  Multiplier& operator=(const Multiplier&) = delete;

  // How many pixels to take from `m` on; those past a row's end are multiplied with the others.
  static int64_t together(const Layout&, int64_t m, int64_t end) {
    return std::min(PIXELS, end - m);
  }

  // `weights` are those of all filters; the sums those of the filters from `k` on.
  void operator()(const Layout& l, const float* map, const BFloat16* weights, int64_t k,
                  int64_t pixel, int64_t count, bool across, float* sums) const {
    const BFloat16* hi = reinterpret_cast<const BFloat16*>(map) + pixel * STEP;
    const BFloat16* from = weights + k / TILE * block_of(l);
    const auto run = count > TILE ? (across ? tiles<true, true> : tiles<true, false>)
                                  : (across ? tiles<false, true> : tiles<false, false>);
    run(l, hi, hi + l.room(), from, block_of(l), sums);
  }

 private:
  // 16 * (1 + DOWN) pixels by 16 * (1 + ACROSS) filters.
  // Tiles 0 to 3 hold the sums, 4 and 5 the pixels, 6 and 7 the weights.
  template <bool DOWN, bool ACROSS>
  static void tiles(const Layout& l, const BFloat16* hi, const BFloat16* lo,
                    const BFloat16* weights, int64_t block, float* sums) {
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
          if constexpr (ACROSS) {
            _tile_loadd(7, weights + block + PART, wide);
            _tile_dpbf16ps(1, 4, 7);
          }
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
};

}  // namespace convatlas
