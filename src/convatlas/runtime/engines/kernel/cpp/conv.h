// Convolutions and linear layers of packed maps.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <limits>
#include <string>

#include "numbers.h"

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
// that `place` gives (none if below zero), or packed.
struct After {
  const float *bias, *other;
  const int32_t* place;
  Curve curve;
  int64_t filters;
  float* out;
  std::optional<Packed> packed;

  // The sums of `count` pixels that follow one another, 32 filters each, from the filter `k` on.
  void store(const float* sums, int64_t pixel, int64_t count, int64_t k) const {
    const bool plain = !place && filters - k >= 2 * TILE;
    if (plain && (curve == Curve::NONE || curve == Curve::RELU))
      return store_plain(sums, pixel, count, k);
    for (int64_t i = 0; i < count; ++i) store_one(sums + i * 2 * TILE, pixel + i, k);
  }

 private:
  // All that most networks ask for, without a question for each pixel.
  void store_plain(const float* sums, int64_t pixel, int64_t count, int64_t k) const {
    const float none = -std::numeric_limits<float>::infinity();
    const float least = curve == Curve::RELU ? 0.f : none;
    const __m512 left = bias ? _mm512_loadu_ps(bias + k) : _mm512_setzero_ps();
    const __m512 right = bias ? _mm512_loadu_ps(bias + k + TILE) : _mm512_setzero_ps();
    const int64_t at = pixel * filters + k;
    float* to = out ? out + at : nullptr;
    const float* more = other ? other + at : nullptr;
    for (int64_t i = 0; i < count; ++i, sums += 2 * TILE) {
      __m512 x = _mm512_add_ps(_mm512_load_ps(sums), left);
      __m512 y = _mm512_add_ps(_mm512_load_ps(sums + TILE), right);
      if (more) {
        x = _mm512_add_ps(x, _mm512_loadu_ps(more));
        y = _mm512_add_ps(y, _mm512_loadu_ps(more + TILE));
        more += filters;
      }
      x = at_least(least, x), y = at_least(least, y);
      if (packed) {
        packed->store(pixel + i, k, x);
        packed->store(pixel + i, k + TILE, y);
      } else {
        _mm512_storeu_ps(to, x);
        _mm512_storeu_ps(to + TILE, y);
        to += filters;
      }
    }
  }

  void store_one(const float* sums, int64_t pixel, int64_t k) const {
    if (place && (pixel = place[pixel]) < 0) return;
    for (int64_t from = k; from < k + 2 * TILE; from += TILE, sums += TILE) {
      const __mmask16 mask = first(filters - from);
      if (!packed && !mask) return;
      const int64_t at = pixel * filters + from;
      __m512 x = _mm512_maskz_load_ps(mask, sums);
      if (bias) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(mask, bias + from));
      if (other) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(mask, other + at));
      x = curved(x, curve);
      if (packed) {
        packed->store(pixel, from, _mm512_maskz_mov_ps(mask, x));
      } else {
        store_first(out + at, mask, x);
      }
    }
  }
};

// Up to `CHUNK` pixels of a picture by 32 filters.
inline void convolve(const Multiplier& multiply, const Layout& l, const float* map,
                     const Weight* weights, int64_t n, int64_t from, int64_t k,
                     const After& after) {
  const int64_t all = (l.out_h - 1) * l.width + l.out_w;
  const bool across = after.filters - k > TILE;
  alignas(64) float sums[Multiplier::PIXELS * 2 * TILE];
  const int64_t end = std::min(from + CHUNK, all);
  for (int64_t m = from, passed; m < end; m += passed) {
    const int64_t count = passed = Multiplier::together(l, m, end);
    if (count < 0) {
      passed = -count;  // past a row's end
      continue;
    }
    multiply(l, map, weights, k, n * l.image + m, count, across, sums);
    int64_t y = m / l.width, x = m % l.width;
    for (int64_t i = 0; i < count; ++y) {  // row by row, without what is past a row's end
      const int64_t run = std::min(l.width - x, count - i), inside = std::min(run, l.out_w - x);
      if (inside > 0)
        after.store(sums + i * 2 * TILE, (n * l.out_h + y) * l.out_w + x, inside, k);
      i += run, x = 0;
    }
  }
}

// All pixels by all filters, shared out to the threads.
inline void convolve_all(const Layout& l, const Tensor& packed, const Tensor& weights,
                         const After& after) {
  const float* map = packed.const_data_ptr<float>();
  const Weight* from = weights.const_data_ptr<Weight>();
  TORCH_CHECK(weights.numel() == weights_of(l, after.filters),
              "weights were packed for other maps");
  if (by_winograd(l, map, from, after)) return;
  const int64_t of_one = ((l.out_h - 1) * l.width + l.out_w + CHUNK - 1) / CHUNK;
  const int64_t chunks = of_one * l.n, blocks = (after.filters + 2 * TILE - 1) / (2 * TILE);
  const bool heavy = weights.nbytes() > packed.nbytes();  // the weights are then read once, not the map
  const int64_t work = CHUNK * 2 * TILE * l.depth * l.taps();
  at::parallel_for(0, chunks * blocks, 1 + WORK / work, [&](int64_t begin, int64_t end) {
    const Multiplier multiply;
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t block = heavy ? unit / chunks : unit % blocks;
      const int64_t chunk = heavy ? unit % chunks : unit / blocks;
      convolve(multiply, l, map, from, chunk / of_one, chunk % of_one * CHUNK, block * 2 * TILE,
               after);
    }
  });
}

// Where a result of `pixels` by `channels` goes: plain, or packed for a point.
struct Result {
  Tensor tensor;
  float* numbers = nullptr;
  std::optional<Packed> packed;

  Result(int64_t pixels, int64_t channels, bool packing, const std::optional<Tensor>& room) {
    if (packing) {
      const Layout l({1, channels, pixels, 1}, Window({1, 1, 1, 0, 0, 1}));
      tensor = memory(room, l.room());
      packed = Packed(tensor.data_ptr<float>(), l);
    } else {
      tensor = memory(room, pixels * channels);
      numbers = tensor.data_ptr<float>();
    }
  }
};

// The convolution of a packed map of `shape` (N, C, H, W); `other` is added before the curve.
inline Tensor conv(Tensor packed, std::vector<int64_t> shape, Tensor weights, int64_t filters,
                   std::vector<int64_t> window, std::optional<Tensor> bias,
                   std::optional<Tensor> other, std::string curve, bool packing,
                   std::optional<Tensor> room) {
  const Window w(window);
  const Layout l(shape, w);
  const int64_t rows = w.point() ? shape[2] : l.out_h, columns = w.point() ? shape[3] : l.out_w;
  const Result to(shape[0] * rows * columns, filters, packing, room);
  if (other) other = other->contiguous(at::MemoryFormat::ChannelsLast);
  convolve_all(l, packed, weights,
               {data(bias), data(other), nullptr, curve_of(curve), filters, to.numbers, to.packed});
  if (packing) return to.tensor;
  return to.tensor.view({shape[0], rows, columns, filters}).permute({0, 3, 1, 2});
}

// A linear layer of `rows` packed rows of `width`, as a convolution of one map with a pixel for each.
// The result has the shape `size`, to which `other` is added; row i stands in it at `place[i]`.
inline Tensor linear(Tensor packed, int64_t rows, int64_t width, Tensor weights,
                     std::vector<int64_t> size, std::optional<Tensor> bias,
                     std::optional<Tensor> other, std::optional<Tensor> place, std::string curve,
                     bool packing, std::optional<Tensor> room) {
  const Layout l({1, width, rows, 1}, Window({1, 1, 1, 0, 0, 1}));
  const int64_t filters = size.back();
  const Result to(c10::multiply_integers(size) / filters, filters, packing, room);
  if (other) other = other->contiguous();
  const int32_t* places = place ? place->const_data_ptr<int32_t>() : nullptr;
  convolve_all(l, packed, weights,
               {data(bias), data(other), places, curve_of(curve), filters, to.numbers, to.packed});
  return packing ? to.tensor : to.tensor.view(size);
}

}  // namespace convatlas
