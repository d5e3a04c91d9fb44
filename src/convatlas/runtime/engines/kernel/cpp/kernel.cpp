// The operations as torch knows them. Each may be given memory for its result, its `room`.

#include <torch/library.h>

#include "attention.h"
#include "conv.h"
#include "gate.h"
#include "pack.h"
#include "rows.h"

#define LIBRARY(name, m) TORCH_LIBRARY(name, m)  // puts in what the name stands for

LIBRARY(CONVATLAS_KERNEL, m) {
  m.def("permitted() -> bool", &convatlas::permitted);
  m.def("pack_weights(Tensor weight, int[] shape, int[] window) -> Tensor",
        &convatlas::pack_weights);
  m.def("bytes(int[] shape, int[] window) -> int", &convatlas::bytes);
  m.def(
      "pack_maps(Tensor[] maps, int[] window, Tensor? scale, Tensor? shift, bool relu, "
      "Tensor(a!)? room) -> Tensor(a!)",
      &convatlas::pack_maps);
  m.def(
      "rows(Tensor x, Tensor? table, Tensor? gain, Tensor? shift, float eps, Tensor(a!)? room) "
      "-> Tensor(a!)",
      &convatlas::rows);
  m.def(
      "conv(Tensor packed, int[] shape, Tensor weights, int filters, int[] window, Tensor? bias, "
      "Tensor? other, str curve, bool packing, Tensor(a!)? room) -> Tensor(a!)",
      &convatlas::conv);
  m.def(
      "linear(Tensor packed, int rows, int width, Tensor weights, int[] size, Tensor? bias, "
      "Tensor? other, Tensor? place, str curve, bool packing, Tensor(a!)? room) -> Tensor(a!)",
      &convatlas::linear);
  m.def(
      "attention(Tensor x, Tensor table, int[] sizes, float scale, Tensor? added, int[] size, "
      "bool packing, Tensor(a!)? room) -> Tensor(a!)",
      &convatlas::attention);
  m.def("pooled(Tensor x, bool packing, Tensor(a!)? room) -> Tensor(a!)", &convatlas::pooled);
  m.def(
      "scaled(Tensor x, Tensor gate, Tensor? other, str curve, Tensor(a!)? room) -> Tensor(a!)",
      &convatlas::scaled);
}
