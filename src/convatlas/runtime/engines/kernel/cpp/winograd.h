// 3x3 convolutions of stride one in float32 by Winograd's minimal filtering.
//
// A tile of OUT x OUT outputs takes (OUT + 2)^2 products for a channel and a filter, not 9 OUT^2:
// the tile's inputs d and the weights g are transformed, Y = A^T [(G g G^T) . (B^T d B)] A. The
// sums over channels are matrix products, tiles x channels times channels x filters, one for each
// of the (OUT + 2)^2 places in a transformed tile.
//
// A transform evaluates polynomials at 0, +-p, +-q and infinity. The usual points 1 and 2 err twice
// as much as 5/8 and 3/2, of which all coefficients but G's are float32 numbers too.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>

#include "layout.h"
#include "products.h"

namespace convatlas {

template <int OUT>
struct Winograd {
  static_assert(OUT == 2 || OUT == 4);
  static constexpr int SIDE = OUT + 2, PLACES = SIDE * SIDE;
  static constexpr float P = OUT == 2 ? 1.f : 0.625f, Q = 1.5f;

  // G, with the last row for infinity.
  static std::array<std::array<double, 3>, SIDE> weights() {
    const double points[] = {0, P, -P, Q, -Q};
    std::array<std::array<double, 3>, SIDE> g{};
    for (int i = 0; i < SIDE - 1; ++i) {
      double scale = 1;
      for (int j = 0; j < SIDE - 1; ++j) scale *= i == j ? 1 : points[i] - points[j];
      g[i] = {1 / scale, points[i] / scale, points[i] * points[i] / scale};
    }
    g[SIDE - 1] = {0, 0, 1};
    return g;
  }

  // B^T d: the rows are the coefficients of (x - all points) / (x - the row's point).
  static void input(const __m512 (&d)[SIDE], __m512 (&v)[SIDE]) {
    const __m512 p = _mm512_set1_ps(P), pp = _mm512_set1_ps(P * P);
    if constexpr (OUT == 2) {
      v[0] = _mm512_fnmadd_ps(pp, d[0], d[2]);
      v[1] = _mm512_fmadd_ps(p, d[1], d[2]);
      v[2] = _mm512_fnmadd_ps(p, d[1], d[2]);
      v[3] = _mm512_fnmadd_ps(pp, d[1], d[3]);
    } else {
      const __m512 q = _mm512_set1_ps(Q), qq = _mm512_set1_ps(Q * Q);
      const __m512 sum = _mm512_set1_ps(P * P + Q * Q), product = _mm512_set1_ps(P * P * Q * Q);
      const __m512 even_p = _mm512_fnmadd_ps(qq, d[2], d[4]);
      const __m512 odd_p = _mm512_fnmadd_ps(qq, d[1], d[3]);
      const __m512 even_q = _mm512_fnmadd_ps(pp, d[2], d[4]);
      const __m512 odd_q = _mm512_fnmadd_ps(pp, d[1], d[3]);
      v[0] = _mm512_fmadd_ps(product, d[0], _mm512_fnmadd_ps(sum, d[2], d[4]));
      v[1] = _mm512_fmadd_ps(p, odd_p, even_p);
      v[2] = _mm512_fnmadd_ps(p, odd_p, even_p);
      v[3] = _mm512_fmadd_ps(q, odd_q, even_q);
      v[4] = _mm512_fnmadd_ps(q, odd_q, even_q);
      v[5] = _mm512_fmadd_ps(product, d[1], _mm512_fnmadd_ps(sum, d[3], d[5]));
    }
  }

  // A^T m: the columns are the powers of the points.
  static void output(const __m512 (&m)[SIDE], __m512 (&y)[OUT]) {
    const __m512 p = _mm512_set1_ps(P), pp = _mm512_set1_ps(P * P);
    const __m512 even_p = _mm512_add_ps(m[1], m[2]), odd_p = _mm512_sub_ps(m[1], m[2]);
    if constexpr (OUT == 2) {
      y[0] = _mm512_add_ps(m[0], even_p);
      y[1] = _mm512_fmadd_ps(p, odd_p, m[3]);
    } else {
      const __m512 q = _mm512_set1_ps(Q), qq = _mm512_set1_ps(Q * Q);
      const __m512 ppp = _mm512_set1_ps(P * P * P), qqq = _mm512_set1_ps(Q * Q * Q);
      const __m512 even_q = _mm512_add_ps(m[3], m[4]), odd_q = _mm512_sub_ps(m[3], m[4]);
      y[0] = _mm512_add_ps(m[0], _mm512_add_ps(even_p, even_q));
      y[1] = _mm512_fmadd_ps(p, odd_p, _mm512_mul_ps(q, odd_q));
      y[2] = _mm512_fmadd_ps(pp, even_p, _mm512_mul_ps(qq, even_q));
      y[3] = _mm512_fmadd_ps(ppp, odd_p, _mm512_fmadd_ps(qqq, odd_q, m[5]));
    }
  }
};

// Weights (K, C, 3, 3) transformed: for each 32 filters and each place, channels by 32 filters.
template <int OUT>
inline Tensor pack_winograd(const Tensor& weight) {
  using W = Winograd<OUT>;
  const Tensor given = weight.contiguous();
  const int64_t filters = given.size(0), channels = given.size(1), depth = up(channels, 16);
  const int64_t all = up(filters, 32);
  const Tensor packed = at::empty({all * W::PLACES * depth}, at::kFloat);
  const float* from = given.const_data_ptr<float>();
  float* to = packed.data_ptr<float>();
  const auto g = W::weights();
  at::parallel_for(0, all / 32 * depth, 1, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t k = unit / depth * 32, c = unit % depth;
      float* place = to + (k * W::PLACES * depth + c * 32);
      for (int64_t filter = k; filter < k + 32; ++filter) {
        const bool there = filter < filters && c < channels;
        const float* w = from + (there ? (filter * channels + c) * 9 : 0);
        for (int i = 0; i < W::PLACES; ++i) {
          const auto &down = g[i / W::SIDE], &across = g[i % W::SIDE];
          double sum = 0;
          for (int j = 0; there && j < 9; ++j) sum += down[j / 3] * across[j % 3] * w[j];
          place[i * depth * 32 + filter - k] = static_cast<float>(sum);
        }
      }
    }
  });
  return packed;
}

// A run of tiles, cut into blocks: the rows of a product.
struct Run {
  int64_t first, count, blocks;
  Run(int64_t from, int64_t end)
      : first(from), count(end - from), blocks((count + ROWS - 1) / ROWS) {}
  int64_t begin(int64_t block) const { return block * count / blocks; }
  int64_t rows(int64_t block) const { return begin(block + 1) - begin(block); }
};

// A map cut into tiles, and where their transforms lie.
template <int OUT>
struct Tiles {
  using W = Winograd<OUT>;
  const Layout& l;
  int64_t down, across, count, depth;
  explicit Tiles(const Layout& given)
      : l(given), down((l.out_h + OUT - 1) / OUT), across((l.out_w + OUT - 1) / OUT),
        count(l.n * down * across), depth(up(l.c, 16)) {}

  struct Place { int64_t n, y, x; };
  Place place(int64_t tile) const {
    const int64_t row = tile / across;
    return {row / down, row % down * OUT, tile % across * OUT};
  }
  // Numbers from a block's place to its next: multiples of 4 KiB would share few lines of a cache.
  int64_t step(int64_t rows) const { return rows * depth + 16; }
  // Where a block begins, or where the last one ends.
  int64_t start(const Run& run, int64_t block) const {
    return W::PLACES * (run.begin(block) * depth + 16 * block);
  }
};

// Memory of this thread's, used again and again: fresh memory costs more than the transforms.
template <int WHICH>
inline float* scratch(int64_t count) {
  static thread_local Tensor room;
  if (!room.defined() || room.numel() < count) {
    room.reset();  // before the larger one is there
    room = at::empty({count}, at::kFloat);
  }
  return room.data_ptr<float>();
}

// 16 channels of a tile transformed; what lies outside of the padded plane is zero.
template <int OUT, bool WHOLE>
inline void take_tile(const float* map, int64_t width, int64_t rows, int64_t columns, float* to,
                      int64_t step) {
  using W = Winograd<OUT>;
  __m512 half[W::SIDE][W::SIDE];
#pragma GCC unroll 6
  for (int x = 0; x < W::SIDE; ++x) {
    __m512 d[W::SIDE], v[W::SIDE];
#pragma GCC unroll 6
    for (int y = 0; y < W::SIDE; ++y)
      d[y] = WHOLE || (y < rows && x < columns) ? _mm512_load_ps(map + (y * width + x) * STEP)
                                                : _mm512_setzero_ps();
    W::input(d, v);
#pragma GCC unroll 6
    for (int y = 0; y < W::SIDE; ++y) half[y][x] = v[y];
  }
#pragma GCC unroll 6
  for (int y = 0; y < W::SIDE; ++y) {
    __m512 v[W::SIDE];
    W::input(half[y], v);
#pragma GCC unroll 6
    for (int x = 0; x < W::SIDE; ++x) _mm512_store_ps(to + (y * W::SIDE + x) * step, v[x]);
  }
}

// 32 channels of a block of tiles transformed: number k of a row at [k / 16][row][k % 16].
template <int OUT>
inline void take(const Tiles<OUT>& tiles, const float* map, const Run& run, int64_t block,
                 int64_t channel, float* room) {
  const Layout& l = tiles.l;
  const int64_t rows = run.rows(block), step = tiles.step(rows);
  float* to = room + tiles.start(run, block) + channel * rows;
  map += channel / STEP * l.group;
  for (int64_t row = 0; row < rows; ++row, to += 16) {
    const auto at = tiles.place(run.first + run.begin(block) + row);
    const float* from = map + (at.n * l.image + at.y * l.width + at.x) * STEP;
    const int64_t down = l.height - at.y, across = l.width - at.x;
    const bool whole = down >= OUT + 2 && across >= OUT + 2;
    const auto one = whole ? take_tile<OUT, true> : take_tile<OUT, false>;
    one(from, l.width, down, across, to, step);
    if (channel + 16 < tiles.depth) one(from + 16, l.width, down, across, to + rows * 16, step);
  }
}

constexpr int64_t SHORT = 32;  // channels

// A block's products for one place, COUNT tiles by WIDE * 16 filters. Long sums are sums of short
// ones, for the rounding errors of a sum grow with its length, and output transforms magnify them.
template <int OUT, int COUNT, int WIDE>
inline void multiply_block(const float* a, const float* b, int64_t depth, float* to) {
  for (int64_t k = 0; k < depth; k += SHORT) {
    __m512 sums[COUNT][WIDE];
#pragma GCC unroll 16
    for (int row = 0; row < COUNT; ++row)
      for (int i = 0; i < WIDE; ++i) sums[row][i] = _mm512_setzero_ps();
    for (int64_t i = k; i < std::min(k + SHORT, depth); i += 16)
      add_products(a + i * COUNT, 16, b + i * 32, 16, sums);
#pragma GCC unroll 16
    for (int row = 0; row < COUNT; ++row)
      for (int i = 0; i < WIDE; ++i) {
        float* sum = to + row * Winograd<OUT>::PLACES * 32 + 16 * i;
        _mm512_store_ps(sum, k ? _mm512_add_ps(_mm512_load_ps(sum), sums[row][i]) : sums[row][i]);
      }
  }
}

template <int OUT, int WIDE>
inline void multiply_rows(int64_t rows, const float* a, const float* b, int64_t depth, float* to) {
  using Function = void (*)(const float*, const float*, int64_t, float*);
  static constexpr auto table = []<int... I>(std::integer_sequence<int, I...>) {
    return std::array<Function, sizeof...(I)>{multiply_block<OUT, I + 1, WIDE>...};
  }(std::make_integer_sequence<int, ROWS>());
  table[rows - 1](a, b, depth, to);
}

// A tile's products by WIDE * 16 filters to outputs.
template <int OUT, int WIDE, class After>
inline void give(const Tiles<OUT>& tiles, int64_t tile, const float* products, int64_t k,
                 const After& after) {
  using W = Winograd<OUT>;
  alignas(64) float out[OUT * OUT * 32];
  for (int i = 0; i < WIDE; ++i, products += 16) {
    __m512 half[OUT][W::SIDE];
#pragma GCC unroll 6
    for (int x = 0; x < W::SIDE; ++x) {
      __m512 m[W::SIDE], y[OUT];
#pragma GCC unroll 6
      for (int j = 0; j < W::SIDE; ++j) m[j] = _mm512_load_ps(products + (j * W::SIDE + x) * 32);
      W::output(m, y);
#pragma GCC unroll 4
      for (int j = 0; j < OUT; ++j) half[j][x] = y[j];
    }
#pragma GCC unroll 4
    for (int j = 0; j < OUT; ++j) {
      __m512 y[OUT];
      W::output(half[j], y);
#pragma GCC unroll 4
      for (int x = 0; x < OUT; ++x) _mm512_store_ps(out + (j * OUT + x) * 32 + 16 * i, y[x]);
    }
  }
  const Layout& l = tiles.l;
  const auto at = tiles.place(tile);
  const int64_t down = std::min<int64_t>(OUT, l.out_h - at.y);
  const int64_t across = std::min<int64_t>(OUT, l.out_w - at.x);
  for (int64_t y = 0; y < down; ++y)
    after.store(out + y * OUT * 32, (at.n * l.out_h + at.y + y) * l.out_w + at.x, across, k);
}

// Blocks from `begin` to `end` by WIDE * 16 filters from `k`.
template <int OUT, int WIDE, class After>
inline void multiply_blocks(const Tiles<OUT>& tiles, const Run& run, int64_t begin, int64_t end,
                            const float* room, const float* weights, int64_t k,
                            const After& after) {
  using W = Winograd<OUT>;
  const int64_t first = run.begin(begin), count = run.begin(end) - first;
  float* products = scratch<1>(count * W::PLACES * 32);
  for (int place = 0; place < W::PLACES; ++place) {
    const float* b = weights + (k * W::PLACES + place * 32) * tiles.depth;
    for (int64_t block = begin; block < end; ++block) {
      const int64_t at = run.begin(block), rows = run.rows(block);
      const float* a = room + tiles.start(run, block) + place * tiles.step(rows);
      float* to = products + ((at - first) * W::PLACES + place) * 32;
      multiply_rows<OUT, WIDE>(rows, a, b, tiles.depth, to);
    }
  }
  for (int64_t i = 0; i < count; ++i)
    give<OUT, WIDE>(tiles, run.first + first + i, products + i * W::PLACES * 32, k, after);
}

constexpr int64_t FULL = ROWS;        // tiles at a time for a thread that works alone
constexpr int64_t LEAST = 9;          // fewer are too few for a reading of all weights
constexpr int64_t HEAVY = 3 << 20;    // weights that are too many to be read by every thread
constexpr int64_t SHARED = 2 << 20;   // numbers of transformed tiles at a time for all threads
constexpr int64_t TOGETHER = 4;       // blocks that share a reading of weights

// `map` is packed as `l` says; `weights` are for the same OUT.
template <int OUT, class After>
inline void winograd(const Layout& l, const float* map, const float* weights, int64_t filters,
                     const After& after) {
  using W = Winograd<OUT>;
  const Tiles<OUT> tiles(l);
  const int64_t threads = at::get_num_threads(), wide = (filters + 31) / 32;
  const auto multiply = [&](const Run& run, int64_t begin, int64_t end, const float* room,
                            int64_t k) {
    const auto one =
        filters - k > 16 ? multiply_blocks<OUT, 2, After> : multiply_blocks<OUT, 1, After>;
    one(tiles, run, begin, end, room, weights, k, after);
  };
  const int64_t runs = up((tiles.count + FULL - 1) / FULL, threads);
  const auto cut = [&](int64_t i, int64_t parts) {
    return Run(i * tiles.count / parts, (i + 1) * tiles.count / parts);
  };
  if (tiles.count >= LEAST * runs && W::PLACES * tiles.depth * wide * 32 <= HEAVY) {
    // Each thread alone, from inputs to outputs, which stay in its cache.
    at::parallel_for(0, runs, 1, [&](int64_t from, int64_t to) {
      float* room = scratch<0>(tiles.start(Run(0, FULL), 1));
      for (int64_t i = from; i < to; ++i) {
        const Run run = cut(i, runs);
        for (int64_t block = 0; block < run.blocks; ++block)
          for (int64_t c = 0; c < tiles.depth; c += STEP) take(tiles, map, run, block, c, room);
        for (int64_t k = 0; k < filters; k += 32) multiply(run, 0, run.blocks, room, k);
      }
    });
    return;
  }
  // Few tiles or many weights: all threads transform inputs, then share out tiles and filters.
  const int64_t most = std::max(SHARED / (W::PLACES * tiles.depth) / ROWS, TOGETHER) * ROWS;
  const int64_t chunks = (tiles.count + most - 1) / most, groups = (tiles.depth + STEP - 1) / STEP;
  const Run longest(0, (tiles.count + chunks - 1) / chunks);
  float* room = scratch<0>(tiles.start(longest, longest.blocks));
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    const Run run = cut(chunk, chunks);
    at::parallel_for(0, run.blocks * groups, 1, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; ++i)
        take(tiles, map, run, i / groups, i % groups * STEP, room);
    });
    const int64_t enough = (2 * threads + wide - 1) / wide;  // so that no thread idles
    const int64_t least = (run.blocks + TOGETHER - 1) / TOGETHER;
    const int64_t sets = std::min(run.blocks, std::max(least, enough));
    at::parallel_for(0, sets * wide, 1, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; ++i) {
        const int64_t k = i / sets * 32, set = i % sets;
        multiply(run, set * run.blocks / sets, (set + 1) * run.blocks / sets, room, k);
      }
    });
  }
}

}  // namespace convatlas
