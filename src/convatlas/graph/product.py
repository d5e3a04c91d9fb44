"""Dense layers, matrix products and attention."""

from dataclasses import dataclass

from convatlas.graph.operation import Measure, Shape, ShapeError, elements, is_one, shown
from convatlas.graph.pointwise import broadcast


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """A dense layer over the last axis: ``(…, c_in)`` to ``(…, c_out)``."""

    c_in: int
    c_out: int
    bias: bool = True

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Once for each token or picture."""
        *rest, last = inputs[0]
        if last != self.c_in:
            raise ShapeError(
                f"takes {self.c_in} values, given {last} ({shown(inputs[0])}); "
                f"set its in_features to {last}"
            )
        shape = (*rest, self.c_out)
        count = elements(shape)
        return Measure(shape, count * self.c_in, count if self.bias else 0)


@dataclass(frozen=True, slots=True)
class MatrixProduct:
    """``a @ b`` with torch's broadcasting of leading axes and of vectors."""

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """MACs: one for each pair that meets."""
        a, b = inputs[:2]
        rows = (1, *a) if len(a) == 1 else a
        columns = (*b, 1) if len(b) == 1 else b
        if rows[-1] != columns[-2]:
            raise ShapeError(f"cannot multiply {shown(a)} with {shown(b)}")
        batch = broadcast(rows[:-2], columns[:-2])
        macs = elements(batch) * rows[-2] * rows[-1] * columns[-1]
        height = () if len(a) == 1 else (rows[-2],)
        width = () if len(b) == 1 else (columns[-1],)
        return Measure((*batch, *height, *width), macs, 0)


@dataclass(frozen=True, slots=True)
class Einsum:
    """A sum of products by an equation with every letter written out, two operands at the most."""

    equation: str

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """MACs of one pass over all letters if anything is multiplied, else work."""
        left, right = self.equation.split("->")
        sizes: dict[str, int] = {}
        for letters, shape in zip(left.split(","), inputs, strict=True):
            for letter, size in zip(letters, shape, strict=True):
                known = sizes.get(letter, 1)
                if not is_one(known) and not is_one(size) and size != known:
                    raise ShapeError(
                        f"cannot join {' and '.join(map(shown, inputs))} by {self.equation}: "
                        f"{letter} is {known} and {size}"
                    )
                sizes[letter] = size if is_one(known) else known
        shape = tuple(sizes[letter] for letter in right)
        count = elements(sizes.values())
        return Measure(shape, count, 0) if len(inputs) > 1 else Measure(shape, 0, count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """softmax(q kᵀ) v over the last two axes of q (…, L, E), k (…, S, E), v (…, S, F).

    ``heads``: the last axis holds that many heads side by side. ``first``: tokens stand on the
    first axis, (L, N, E), instead of the one before the last. A fourth input is a mask.
    """

    heads: int = 1
    first: bool = False

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """MACs of both products, work of the softmax (as for four operations on each score)."""
        q, k, v = inputs[:3]
        if self.first:
            tokens, keys, others = q[0], k[0], q[1:-1]
        else:
            tokens, keys, others = q[-2], k[-2], broadcast(q[:-2], k[:-2])
        pairs = elements(others) * tokens * keys
        shape = (*q[:-1], v[-1]) if self.first else (*others, tokens, v[-1])
        return Measure(shape, pairs * (q[-1] + v[-1]), 4 * pairs * self.heads)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionWeights:
    """The softmax of q (L, N, E) and k (S, N, E), handed out beside its use: (N, L, S)."""

    heads: int
    average: bool = True  # over the heads; otherwise (N, heads, L, S)

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: the mean over the heads; the products are counted where they are used."""
        (tokens, *batch, _), keys = inputs[0], inputs[1][0]
        heads = () if self.average else (self.heads,)
        shape = (*batch, *heads, tokens, keys)
        return Measure(shape, 0, elements(batch) * tokens * keys * self.heads)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """Squared distance of ``(…, c_in)`` to fixed points (LeNet-5's radial basis units)."""

    c_in: int
    c_out: int

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """One squared difference for each value of each point."""
        shape = (*inputs[0][:-1], self.c_out)
        return Measure(shape, elements(shape) * self.c_in, elements(shape) * self.c_in)
