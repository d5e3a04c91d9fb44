// The operations as torch knows them. Each may be given memory for its result, its `room`.

#include <torch/library.h>

#include "attention.h"
#include "conv.h"
#include "gate.h"
#include "rows.h"
#include "split.h"

TORCH_LIBRARY(convatlas_split, m) {
  m.def("permitted() -> bool", &convatlas::permitted);
  m.def("pack(Tensor weight, int[] window) -> Tensor", &convatlas::pack);
  m.def("bytes(int[] shape, int[] window) -> int", &convatlas::bytes);
  m.def(
      "split(Tensor[] maps, int[] window, Tensor? scale, Tensor? shift, bool relu, "
      "Tensor(a!)? room) -> Tensor(a!)",
      &convatlas::split);
  m.def(
      "rows(Tensor x, Tensor? table, Tensor? gain, Tensor? shift, float eps, Tensor(a!)? room) "
      "-> Tensor(a!)",
      &convatlas::rows);
  m.def(
      "conv(Tensor halves, int[] shape, Tensor weights, int filters, int[] window, Tensor? bias, "
      "Tensor? other, str curve, bool halved, Tensor(a!)? room) -> Tensor(a!)",
      &convatlas::conv);
  m.def(
      "linear(Tensor halves, int rows, int width, Tensor weights, int[] size, Tensor? bias, "
      "Tensor? other, Tensor? place, str curve, bool halved, Tensor(a!)? room) -> Tensor(a!)",
      &convatlas::linear);
  m.def(
      "attention(Tensor x, Tensor table, int[] sizes, float scale, Tensor? added, int[] size, "
      "bool halved, Tensor(a!)? room) -> Tensor(a!)",
      &convatlas::attention);
  m.def("pooled(Tensor x, bool halved, Tensor(a!)? room) -> Tensor(a!)", &convatlas::pooled);
  m.def(
      "scaled(Tensor x, Tensor gate, Tensor? other, str curve, Tensor(a!)? room) -> Tensor(a!)",
      &convatlas::scaled);
}
