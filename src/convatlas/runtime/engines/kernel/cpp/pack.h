// Maps packed.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>

#include "numbers.h"

namespace convatlas {

// What is done to the maps before they are packed: x * scale + shift for each channel, then ReLU.
struct Before {
  const float *scale, *shift;
  bool relu;
  __m512 operator()(__m512 x, __mmask16 mask, int64_t channel) const {
    if (scale)
      x = _mm512_fmadd_ps(x, _mm512_maskz_loadu_ps(mask, scale + channel),
                          _mm512_maskz_loadu_ps(mask, shift + channel));
    return relu ? rectified(x) : x;
  }
};

struct Source {  // one of the maps that are read as if they were concatenated
  const float* data;
  int64_t channels;
};

inline void pack_pixel(const std::vector<Source>& sources, int64_t from, const Before& before, Packed to,
                 int64_t pixel) {
  int64_t channel = 0;
  for (const Source& source : sources)
    for (int64_t c = 0; c < source.channels; c += TILE, channel += TILE) {
      const __mmask16 mask = first(source.channels - c);
      const __m512 x = _mm512_maskz_loadu_ps(mask, source.data + from * source.channels + c);
      to.store(pixel, channel, before(x, mask, channel));
    }
  to.zero(pixel, channel);
}

// A pixel of a map with few channels: those of the whole row of the window, one after the other.
inline void pack_window(const Layout& l, const float* row, int64_t x, const Before& before, Packed to,
                  int64_t pixel) {
  alignas(64) float values[MOST];
  std::fill_n(values, l.depth, 0.f);
  const __mmask16 mask = first(l.c);
  for (int64_t k = 0; k < l.window.columns; ++k) {
    const int64_t from = x * l.window.stride + k * l.window.dilation - l.window.left;
    if (from < 0 || from >= l.w) continue;
    const __m512 one = before(_mm512_maskz_loadu_ps(mask, row + from * l.c), mask, 0);
    store_first(values + k * l.c, mask, one);
  }
  for (int64_t c = 0; c < l.depth; c += TILE) to.store(pixel, c, _mm512_load_ps(values + c));
}

// One row of one phase.
inline void pack_row(const Layout& l, const std::vector<Source>& sources, const Before& before,
               Packed to, int64_t row) {
  const int64_t y = row % l.height, phase = row / l.height % (l.window.stride * l.across),
                n = row / (l.height * l.window.stride * l.across);
  const int64_t from_y = y * l.window.stride + phase / l.across - l.window.top;
  const int64_t start = (n * l.h + from_y) * l.w;
  for (int64_t x = 0; x < l.width; ++x) {
    const int64_t from_x = x * l.window.stride + phase % l.across - l.window.left;
    if (from_y < 0 || from_y >= l.h) {
      to.zero(row * l.width + x, 0);
    } else if (l.folded) {
      pack_window(l, sources[0].data + start * l.c, x, before, to, row * l.width + x);
    } else if (from_x < 0 || from_x >= l.w) {
      to.zero(row * l.width + x, 0);
    } else {
      pack_pixel(sources, start + from_x, before, to, row * l.width + x);
    }
  }
}

// float32 maps (N, C_i, H, W), read as if concatenated, in their layout.
inline Tensor pack_maps(std::vector<Tensor> maps, std::vector<int64_t> window,
                        std::optional<Tensor> scale, std::optional<Tensor> shift, bool relu,
                        std::optional<Tensor> room) {
  const bool uneven = std::any_of(maps.begin(), maps.end() - 1, [](const Tensor& map) {
    return map.size(1) % TILE != 0;  // a vector would lie in two groups
  });
  if (uneven) maps = {at::cat(maps, 1)};
  std::vector<Source> sources;
  int64_t channels = 0;
  for (Tensor& map : maps) {
    map = map.contiguous(at::MemoryFormat::ChannelsLast);
    sources.push_back({map.const_data_ptr<float>(), map.size(1)});
    channels += map.size(1);
  }
  const Layout l({maps[0].size(0), channels, maps[0].size(2), maps[0].size(3)}, Window(window));
  Tensor out = memory(room, l.room());
  const Packed to(out.data_ptr<float>(), l);
  const Before before{data(scale), data(shift), relu};
  const int64_t grain = std::max<int64_t>(1, 16384 / l.depth);
  if (l.window.point()) {  // one long row, shared out by pixels
    at::parallel_for(0, l.w, grain, [&](int64_t from, int64_t end) {
      for (int64_t pixel = from; pixel < end; ++pixel)
        pack_pixel(sources, pixel, before, to, pixel);
    });
    return out;
  }
  const int64_t rows = l.n * l.window.stride * l.across * l.height;
  at::parallel_for(0, rows, std::max<int64_t>(1, grain / l.width), [&](int64_t from, int64_t end) {
    for (int64_t row = from; row < end; ++row) pack_row(l, sources, before, to, row);
  });
  return out;
}

}  // namespace convatlas
