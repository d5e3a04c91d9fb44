// How maps lie in memory for the kernel.
//
// In memory all maps are channels last. A convolution is a sum over taps (one tap is a place in the
// kernel window) of matrix products, pixels x channels times channels x filters. So that a tap is
// nothing but an offset, `pack_maps` lays the padded map out in stride x stride *phases*: pixel
// (y * stride + fy, x * stride + fx) stands in phase (fy, fx) at (y, x). Neighbouring outputs are
// then neighbouring pixels of one phase for every stride, row ends included: what may be computed
// for the columns past a row's end is thrown away. Channels are filled up with zeros to a multiple of
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

using at::IntArrayRef;
using at::Tensor;

constexpr int64_t TILE = 16;        // numbers in a register, and rows and columns of a tile
constexpr int64_t STEP = 32;        // channels in a group: what a matrix instruction sums over
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

// Where everything lies in a packed map.
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
    depth = up(filled(), STEP);
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
  int64_t filled() const { return folded ? c * window.columns : c; }
  int64_t steps() const { return depth / STEP; }
  int64_t column_taps() const { return folded ? 1 : window.columns; }
  int64_t tap(int64_t row, int64_t column) const {
    return folded ? row : row * window.columns + column;
  }
  // From an output's pixel to the pixel a tap reads.
  int64_t offset(int64_t row, int64_t column) const {
    const int64_t y = row * window.dilation, x = column * window.dilation, s = window.stride;
    return (y % s * across + (folded ? 0 : x % s)) * plane + y / s * width + (folded ? 0 : x / s);
  }
};

inline const float* data(const std::optional<Tensor>& t) { return t ? t->const_data_ptr<float>() : nullptr; }

// `count` numbers in memory of the caller's (bytes, to be used again and again), or in new memory.
inline Tensor memory(const std::optional<Tensor>& room, int64_t count) {
  if (!room) return at::empty({count}, at::kFloat);
  return room->narrow(0, 0, count * static_cast<int64_t>(sizeof(float))).view(at::kFloat);
}

// Bytes that a packed map of `shape` (N, C, H, W) takes.
inline int64_t bytes(std::vector<int64_t> shape, std::vector<int64_t> window) {
  return Layout(shape, Window(window)).room() * static_cast<int64_t>(sizeof(float));
}

}  // namespace convatlas
