"""Stages of a jitted function, for people: traced, lowered, compiled."""

from secant import _tree
from secant._array import to_array


class Traced:
    """A function that was traced for types."""

    def __init__(self, entry):
        self._entry = entry

    jaxpr = property(lambda self: self._entry.jaxpr)
    fun_name = property(lambda self: self._entry.name)

    def lower(self):
        return Lowered(self._entry)


class Lowered:
    """A function for one signature, before it is run."""

    def __init__(self, entry):
        self._entry = entry

    def as_text(self, dialect=None):
        """Text of a stage: "mlir" (default), "jaxpr", "groups", "lowered", "llvm", "asm"."""
        return self._entry.executable.text(dialect or "mlir")

    def compile(self):
        return Compiled(self._entry)

    def cost_analysis(self):
        return self.compile().cost_analysis()


class Compiled:
    """An executable for one signature; calls take arrays of exactly these types."""

    def __init__(self, entry):
        self._entry = entry
        self._executable = entry.executable

    def __call__(self, *args, **keywords):
        arrays = [to_array(x) for x in _tree.tree_leaves((args, keywords))]
        wanted = self._entry.jaxpr.in_avals
        if [(a.aval.code, a.shape) for a in arrays] != [(a.code, a.shape) for a in wanted]:
            given = ", ".join(a.aval.str_short() for a in arrays)
            raise TypeError(f"compiled for ({', '.join(a.str_short() for a in wanted)}), called with ({given})")
        return self._entry.out_tree.unflatten(self._executable.run([a._handle for a in arrays]))

    def as_text(self, stage="llvm"):
        """Text of a stage: "jaxpr", "groups", "mlir", "lowered", "llvm", "asm"."""
        return self._executable.text(stage)

    def cost_analysis(self):
        """Flops, bytes and counts of the executable."""
        names = ("flops", "bytes accessed", "temp bytes", "kernels", "runtime calls")
        return {name: self._executable.cost(name) for name in names}
