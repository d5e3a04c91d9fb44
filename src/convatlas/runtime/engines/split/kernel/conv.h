// Convolutions and linear layers of halves.
#pragma once

#include <ATen/Parallel.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "multiply.h"

namespace convatlas {

enum class Curve { NONE, RELU, GELU, SIGMOID };

inline Curve curve_of(const std::string& name) {
  if (name == "relu") return Curve::RELU;
  if (name == "gelu") return Curve::GELU;
  if (name == "sigmoid") return Curve::SIGMOID;
  TORCH_CHECK(name == "none", "no such curve: ", name);
  return Curve::NONE;
}

inline __m512 curved(__m512 x, Curve curve) {
  if (curve == Curve::RELU) return rectified(x);
  if (curve == Curve::GELU) return gelu(x);
  return curve == Curve::SIGMOID ? sigmoid(x) : x;
}

// What is done to the sums: bias, another map, a curve; and where they go: to `out`, at the pixel
// that `place` gives (none if below zero), or to halves.
struct After {
  const float *bias, *other;
  const int32_t* place;
  Curve curve;
  int64_t filters;
  float* out;
  std::optional<Halves> halves;

  void store(const float* sums, int64_t pixel, int64_t k) const {
    if (place && (pixel = place[pixel]) < 0) return;
    for (int64_t from = k; from < k + 2 * TILE; from += TILE, sums += TILE) {
      const __mmask16 mask = first(filters - from);
      if (!halves && !mask) return;
      const int64_t at = pixel * filters + from;
      __m512 x = _mm512_maskz_load_ps(mask, sums);
      if (bias) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(mask, bias + from));
      if (other) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(mask, other + at));
      x = curved(x, curve);
      if (halves) {
        halves->store(pixel, from, _mm512_maskz_mov_ps(mask, x));
      } else {
        _mm512_mask_storeu_ps(out + at, mask, x);
      }
    }
  }
};

// Up to `CHUNK` pixels of a picture by 32 filters.
inline void convolve(const Layout& l, const BFloat16* hi, const BFloat16* lo, const BFloat16* weights,
              int64_t n, int64_t from, int64_t k, const After& after) {
  const int64_t block = l.taps() * l.steps() * 2 * PART, all = (l.out_h - 1) * l.width + l.out_w;
  const bool across = after.filters - k > TILE;
  alignas(64) float sums[4 * TILE * TILE];
  weights += k / TILE * block;
  for (int64_t m = from; m < std::min(from + CHUNK, all); m += 2 * TILE) {
    const int64_t at = (n * l.image + m) * STEP, count = std::min(2 * TILE, all - m);
    const auto run = count > TILE ? (across ? multiply<true, true> : multiply<true, false>)
                                  : (across ? multiply<false, true> : multiply<false, false>);
    run(l, hi + at, lo + at, weights, block, sums);
    int64_t y = m / l.width, x = m % l.width;
    for (int64_t i = 0; i < count; ++i) {
      if (x < l.out_w) after.store(sums + i * 2 * TILE, (n * l.out_h + y) * l.out_w + x, k);
      if (++x == l.width) x = 0, ++y;
    }
  }
}

struct alignas(64) TileShapes {  // as the instruction reads them: eight tiles of 16 rows, 64 bytes
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

inline bool permitted() {  // the kernel gives a process the tiles' registers on request
  constexpr int REQUEST = 0x1023, TILES = 18;
  static const bool granted = syscall(SYS_arch_prctl, REQUEST, TILES) == 0;
  return granted;
}

// All pixels by all filters, shared out to the threads.
inline void convolve_all(const Layout& l, const Tensor& halves, const Tensor& weights,
                         const After& after) {
  const BFloat16 *hi = halves.const_data_ptr<BFloat16>(), *lo = hi + l.room();
  const BFloat16* tiles = weights.const_data_ptr<BFloat16>();
  const int64_t chunks = ((l.out_h - 1) * l.width + l.out_w + CHUNK - 1) / CHUNK * l.n;
  const int64_t blocks = (after.filters + 2 * TILE - 1) / (2 * TILE);
  const bool heavy = weights.numel() > 2 * l.room();  // the weights are then read once, not the map
  const int64_t work = CHUNK * 2 * TILE * l.depth * l.taps();
  at::parallel_for(0, chunks * blocks, 1 + WORK / work, [&](int64_t from, int64_t end) {
    const TileShapes shapes;
    _tile_loadconfig(&shapes);
    for (int64_t unit = from; unit < end; ++unit) {
      const int64_t block = heavy ? unit / chunks : unit % blocks;
      const int64_t chunk = heavy ? unit % chunks : unit / blocks;
      const int64_t of_one = chunks / l.n;
      convolve(l, hi, lo, tiles, chunk / of_one, chunk % of_one * CHUNK, block * 2 * TILE, after);
    }
    _tile_release();
  });
}

// Where a result of `pixels` by `channels` goes: its numbers, or their halves for a point.
struct Result {
  Tensor tensor;
  float* numbers = nullptr;
  std::optional<Halves> halves;

  Result(int64_t pixels, int64_t channels, bool halved, const std::optional<Tensor>& room) {
    if (halved) {
      const Layout l({1, channels, pixels, 1}, Window({1, 1, 1, 0, 0, 1}));
      tensor = memory(room, 2 * l.room(), at::kBFloat16);
      BFloat16* hi = tensor.data_ptr<BFloat16>();
      halves = Halves{hi, hi + l.room(), l.depth, l.group};
    } else {
      tensor = memory(room, pixels * channels, at::kFloat);
      numbers = tensor.data_ptr<float>();
    }
  }
};

// The convolution of a split map of `shape` (N, C, H, W); `other` is added before the curve.
inline Tensor conv(Tensor halves, std::vector<int64_t> shape, Tensor weights, int64_t filters,
                   std::vector<int64_t> window, std::optional<Tensor> bias,
                   std::optional<Tensor> other, std::string curve, bool halved,
                   std::optional<Tensor> room) {
  const Window w(window);
  const Layout l(shape, w);
  const int64_t rows = w.point() ? shape[2] : l.out_h, columns = w.point() ? shape[3] : l.out_w;
  const Result to(shape[0] * rows * columns, filters, halved, room);
  if (other) other = other->contiguous(at::MemoryFormat::ChannelsLast);
  convolve_all(l, halves, weights,
               {data(bias), data(other), nullptr, curve_of(curve), filters, to.numbers, to.halves});
  if (halved) return to.tensor;
  return to.tensor.view({shape[0], rows, columns, filters}).permute({0, 3, 1, 2});
}

// A linear layer of `rows` split rows of `width`, as a convolution of one map with a pixel for each.
// The result has the shape `size`, to which `other` is added; row i stands in it at `place[i]`.
inline Tensor linear(Tensor halves, int64_t rows, int64_t width, Tensor weights,
                     std::vector<int64_t> size, std::optional<Tensor> bias,
                     std::optional<Tensor> other, std::optional<Tensor> place, std::string curve,
                     bool halved, std::optional<Tensor> room) {
  const Layout l({1, width, rows, 1}, Window({1, 1, 1, 0, 0, 1}));
  const int64_t filters = size.back();
  const Result to(c10::multiply_integers(size) / filters, filters, halved, room);
  if (other) other = other->contiguous();
  const int32_t* places = place ? place->const_data_ptr<int32_t>() : nullptr;
  convolve_all(l, halves, weights,
               {data(bias), data(other), places, curve_of(curve), filters, to.numbers, to.halves});
  return halved ? to.tensor : to.tensor.view(size);
}

}  // namespace convatlas
