// The mean of each channel, and maps scaled by a number for each channel.
#pragma once

#include "conv.h"

namespace convatlas {

// (N, C, H, W) to (N, C, 1, 1), sums in float32 of 64 columns of channels at a time.
inline Tensor pooled(Tensor x, bool packing, std::optional<Tensor> room) {
  x = x.contiguous(at::MemoryFormat::ChannelsLast);
  const int64_t n = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3);
  const int64_t blocks = up(channels, 4 * TILE) / (4 * TILE);
  const Result to(n, channels, packing, room);
  const float* from = x.const_data_ptr<float>();
  const __m512 share = _mm512_set1_ps(1.f / static_cast<float>(pixels));
  const int64_t grain = std::max<int64_t>(1, 16384 / (pixels * 4 * TILE));
  at::parallel_for(0, n * blocks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t image = unit / blocks, c = unit % blocks * 4 * TILE;
      __m512 sums[4] = {};
      const float* at = from + image * pixels * channels + c;
      for (int64_t pixel = 0; pixel < pixels; ++pixel, at += channels)
        for (int64_t i = 0; i < 4; ++i)
          sums[i] = _mm512_add_ps(
              sums[i], _mm512_maskz_loadu_ps(first(channels - c - i * TILE), at + i * TILE));
      for (int64_t i = 0; i < 4; ++i) {
        const int64_t channel = c + i * TILE;
        const __m512 mean = _mm512_mul_ps(sums[i], share);
        if (!to.packed) {
          store_first(to.numbers + image * channels + channel, first(channels - channel),
                                mean);
        } else if (channel < to.packed->depth) {
          to.packed->store(image, channel, mean);
        }
      }
    }
  });
  return packing ? to.tensor : to.tensor.view({n, channels, 1, 1});
}

// x (N, C, H, W) times `gate` (N, C, 1, 1), plus `other`, then a curve.
inline Tensor scaled(Tensor x, Tensor gate, std::optional<Tensor> other, std::string curve,
                     std::optional<Tensor> room) {
  x = x.contiguous(at::MemoryFormat::ChannelsLast);
  gate = gate.contiguous();
  if (other) other = other->contiguous(at::MemoryFormat::ChannelsLast);
  const int64_t n = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3);
  const Result to(n * pixels, channels, false, room);
  const float *from = x.const_data_ptr<float>(), *factors = gate.const_data_ptr<float>();
  const float* more = data(other);
  const Curve then = curve_of(curve);
  const int64_t grain = std::max<int64_t>(1, 16384 / channels);
  at::parallel_for(0, n * pixels, grain, [&](int64_t begin, int64_t end) {
    for (int64_t pixel = begin; pixel < end; ++pixel)
      for (int64_t c = 0; c < channels; c += TILE) {
        const __mmask16 mask = first(channels - c);
        const int64_t at = pixel * channels + c;
        __m512 y = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, from + at),
                                 _mm512_maskz_loadu_ps(mask, factors + pixel / pixels * channels + c));
        if (more) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, more + at));
        store_first(to.numbers + at, mask, curved(y, then));
      }
  });
  return to.tensor.view({n, x.size(2), x.size(3), channels}).permute({0, 3, 1, 2});
}

}  // namespace convatlas
