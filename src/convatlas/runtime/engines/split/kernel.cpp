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

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <torch/library.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

namespace {

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

int64_t up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

__mmask16 first(int64_t count) { return count >= 16 ? 0xffff : count <= 0 ? 0 : (1u << count) - 1; }

// ReLU. The instruction gives its second operand where one is no number, so that stays none.
inline __m512 rectified(__m512 x) { return _mm512_max_ps(_mm512_setzero_ps(), x); }

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

// What is done to the maps before they are split: x * scale + shift for each channel, then ReLU.
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

void split_pixel(const std::vector<Source>& sources, int64_t from, const Before& before, Halves to,
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
void split_window(const Layout& l, const float* row, int64_t x, const Before& before, Halves to,
                  int64_t pixel) {
  alignas(64) float values[MOST];
  std::fill_n(values, l.depth, 0.f);
  const __mmask16 mask = first(l.c);
  for (int64_t k = 0; k < l.window.columns; ++k) {
    const int64_t from = x * l.window.stride + k * l.window.dilation - l.window.left;
    if (from < 0 || from >= l.w) continue;
    const __m512 one = before(_mm512_maskz_loadu_ps(mask, row + from * l.c), mask, 0);
    _mm512_mask_storeu_ps(values + k * l.c, mask, one);
  }
  for (int64_t c = 0; c < l.depth; c += TILE) to.store(pixel, c, _mm512_load_ps(values + c));
}

// One row of one phase.
void split_row(const Layout& l, const std::vector<Source>& sources, const Before& before,
               Halves to, int64_t row) {
  const int64_t y = row % l.height, phase = row / l.height % (l.window.stride * l.across),
                n = row / (l.height * l.window.stride * l.across);
  const int64_t from_y = y * l.window.stride + phase / l.across - l.window.top;
  const int64_t start = (n * l.h + from_y) * l.w;
  for (int64_t x = 0; x < l.width; ++x) {
    const int64_t from_x = x * l.window.stride + phase % l.across - l.window.left;
    if (from_y < 0 || from_y >= l.h) {
      to.zero(row * l.width + x, 0);
    } else if (l.folded) {
      split_window(l, sources[0].data + start * l.c, x, before, to, row * l.width + x);
    } else if (from_x < 0 || from_x >= l.w) {
      to.zero(row * l.width + x, 0);
    } else {
      split_pixel(sources, start + from_x, before, to, row * l.width + x);
    }
  }
}

const float* data(const std::optional<Tensor>& t) { return t ? t->const_data_ptr<float>() : nullptr; }

// `count` numbers in memory of the caller's (bytes, to be used again and again), or in new memory.
Tensor memory(const std::optional<Tensor>& room, int64_t count, at::ScalarType type) {
  if (!room) return at::empty({count}, type);
  return room->narrow(0, 0, count * static_cast<int64_t>(c10::elementSize(type))).view(type);
}

// Bytes that the halves of a map of `shape` (N, C, H, W) take.
int64_t bytes(std::vector<int64_t> shape, std::vector<int64_t> window) {
  return 2 * Layout(shape, Window(window)).room() * static_cast<int64_t>(sizeof(BFloat16));
}

// float32 maps (N, C_i, H, W), read as if concatenated, to halves in the layout above.
Tensor split(std::vector<Tensor> maps, std::vector<int64_t> window, std::optional<Tensor> scale,
             std::optional<Tensor> shift, bool relu, std::optional<Tensor> room) {
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
  Tensor out = memory(room, 2 * l.room(), at::kBFloat16);
  BFloat16* hi = out.data_ptr<BFloat16>();
  const Halves to{hi, hi + l.room(), l.depth, l.group};
  const Before before{data(scale), data(shift), relu};
  const int64_t grain = std::max<int64_t>(1, 16384 / l.depth);
  if (l.window.point()) {  // one long row, shared out by pixels
    at::parallel_for(0, l.w, grain, [&](int64_t from, int64_t end) {
      for (int64_t pixel = from; pixel < end; ++pixel)
        split_pixel(sources, pixel, before, to, pixel);
    });
    return out;
  }
  const int64_t rows = l.n * l.window.stride * l.across * l.height;
  at::parallel_for(0, rows, std::max<int64_t>(1, grain / l.width), [&](int64_t from, int64_t end) {
    for (int64_t row = from; row < end; ++row) split_row(l, sources, before, to, row);
  });
  return out;
}

// Weights (K, C, rows, columns) in tiles: [K / 16][taps][depth / 32][hi, lo][16][16][2].
Tensor pack(Tensor weight, std::vector<int64_t> window) {
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

// What is done to the sums: bias, another map, ReLU; and where they go.
struct After {
  const float *bias, *other;
  bool relu;
  float* out;
  int64_t filters;

  void store(const float* sums, int64_t pixel, int64_t k) const {
    for (int64_t half = 0; half < 2 * TILE && k + half < filters; half += TILE) {
      const __mmask16 mask = first(filters - k - half);
      const int64_t at = pixel * filters + k + half;
      __m512 x = _mm512_load_ps(sums + half);
      if (bias) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(mask, bias + k + half));
      if (other) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(mask, other + at));
      if (relu) x = rectified(x);
      _mm512_mask_storeu_ps(out + at, mask, x);
    }
  }
};

// Up to `CHUNK` pixels of a picture by 32 filters.
void convolve(const Layout& l, const BFloat16* hi, const BFloat16* lo, const BFloat16* weights,
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

bool permitted() {  // the kernel gives a process the tiles' registers on request
  constexpr int REQUEST = 0x1023, TILES = 18;
  static const bool granted = syscall(SYS_arch_prctl, REQUEST, TILES) == 0;
  return granted;
}

// The convolution of a split map of `shape` (N, C, H, W); `other` is added before the ReLU.
Tensor conv(Tensor halves, std::vector<int64_t> shape, Tensor weights, int64_t filters,
            std::vector<int64_t> window, std::optional<Tensor> bias, std::optional<Tensor> other,
            bool relu, std::optional<Tensor> room) {
  const Window w(window);
  const Layout l(shape, w);
  const int64_t rows = w.point() ? shape[2] : l.out_h, columns = w.point() ? shape[3] : l.out_w;
  Tensor out = memory(room, shape[0] * filters * rows * columns, at::kFloat)
                   .view({shape[0], rows, columns, filters})
                   .permute({0, 3, 1, 2});
  if (other) other = other->contiguous(at::MemoryFormat::ChannelsLast);
  const BFloat16 *hi = halves.const_data_ptr<BFloat16>(), *lo = hi + l.room();
  const BFloat16* tiles = weights.const_data_ptr<BFloat16>();
  const After after{data(bias), data(other), relu, out.data_ptr<float>(), filters};
  const int64_t chunks = ((l.out_h - 1) * l.width + l.out_w + CHUNK - 1) / CHUNK * l.n;
  const int64_t blocks = (filters + 2 * TILE - 1) / (2 * TILE);
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
  return out;
}

}  // namespace

TORCH_LIBRARY(convatlas_split, m) {
  m.def("permitted() -> bool", &permitted);
  m.def("pack(Tensor weight, int[] window) -> Tensor", &pack);
  m.def("bytes(int[] shape, int[] window) -> int", &bytes);
  m.def(
      "split(Tensor[] maps, int[] window, Tensor? scale, Tensor? shift, bool relu, Tensor? room) "
      "-> Tensor",
      &split);
  m.def(
      "conv(Tensor halves, int[] shape, Tensor weights, int filters, int[] window, Tensor? bias, "
      "Tensor? other, bool relu, Tensor? room) -> Tensor",
      &conv);
}
