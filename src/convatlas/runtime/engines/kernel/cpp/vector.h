// Sixteen float32 numbers at a time.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace convatlas {

inline __mmask16 first(int64_t count) {
  return count >= 16 ? 0xffff : count <= 0 ? 0 : (1u << count) - 1;
}

// The first of sixteen numbers to memory; a store under a mask takes some processors (AMD's Zen 4)
// many times as long as a whole one.
inline void store_first(float* to, __mmask16 mask, __m512 x) {
  if (mask == 0xffff) return _mm512_storeu_ps(to, x);
  _mm512_mask_storeu_ps(to, mask, x);
}

// The least and the greatest give their second operand where one is no number, so that stays none.
inline __m512 at_most(float limit, __m512 x) { return _mm512_min_ps(_mm512_set1_ps(limit), x); }
inline __m512 at_least(float limit, __m512 x) { return _mm512_max_ps(_mm512_set1_ps(limit), x); }

inline __m512 rectified(__m512 x) { return at_least(0, x); }

// e^x = 2^n e^r with |r| <= ln 2 / 2, where the terms after r^6 / 6! are below 2^-22. Above float32's
// range it is infinity, below e^-87 zero: the tiny numbers beyond make a processor slow.
inline __m512 exponential(__m512 x) {
  x = at_most(100, x);
  const __mmask16 seen = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-87), _CMP_NLT_UQ);
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 0);
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);  // ln 2 in two parts
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
  __m512 sum = _mm512_set1_ps(1.f / 720);
  for (float factor : {1.f / 120, 1.f / 24, 1.f / 6, 1.f / 2, 1.f, 1.f})
    sum = _mm512_fmadd_ps(sum, r, _mm512_set1_ps(factor));
  return _mm512_maskz_scalef_ps(seen, sum, n);
}

inline __m512 sigmoid(__m512 x) {
  const __m512 one = _mm512_set1_ps(1);
  const __m512 power = exponential(_mm512_sub_ps(_mm512_setzero_ps(), x));
  return _mm512_div_ps(one, _mm512_add_ps(one, power));
}

// erf(x) / x is a polynomial of 2 x^2 / 3.8^2 - 1 up to |x| = 3.8, fitted at Chebyshev's points;
// beyond, erf is one to 1e-7. The error is below 3e-7 everywhere.
inline __m512 error_function(__m512 x) {
  constexpr float END = 3.8f;
  constexpr float TERMS[] = {
      9.78937140e-04f, -2.67440733e-03f, 2.50764214e-03f, -3.36353504e-03f, 9.77117382e-03f,
      -1.82598513e-02f, 2.68046334e-02f, -3.89797091e-02f, 5.50209992e-02f, -7.25049824e-02f,
      9.08380523e-02f, -1.11186743e-01f, 1.37739226e-01f, -1.85641170e-01f, 3.72107625e-01f};
  const __m512 one = _mm512_set1_ps(1);
  const __m512 t =
      _mm512_fmsub_ps(_mm512_mul_ps(x, x), _mm512_set1_ps(2 / (END * END)), one);
  __m512 sum = _mm512_setzero_ps();
  for (float term : TERMS) sum = _mm512_fmadd_ps(sum, t, _mm512_set1_ps(term));
  const __mmask16 over = _mm512_cmp_ps_mask(x, _mm512_set1_ps(END), _CMP_GT_OQ);
  const __mmask16 under = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-END), _CMP_LT_OQ);
  const __m512 inside = _mm512_mask_mov_ps(_mm512_mul_ps(x, sum), over, one);
  return _mm512_mask_mov_ps(inside, under, _mm512_set1_ps(-1));
}

// x Phi(x), the normal distribution's.
inline __m512 gelu(__m512 x) {
  const __m512 half = _mm512_mul_ps(x, _mm512_set1_ps(0.5f));
  return _mm512_fmadd_ps(half, error_function(_mm512_mul_ps(x, _mm512_set1_ps(0.70710678f))), half);
}

}  // namespace convatlas
