"""Stages of a jitted function, for people: traced, lowered, compiled."""

from secant import _tree
from secant._array import to_array
from secant._lib import lib
from secant._types import ShapeDtypeStruct


def _out_info(entry):
    """The types of the results as ShapeDtypeStructs."""
    structs = [ShapeDtypeStruct(a.shape, a.dtype, weak_type=a.weak_type) for a in entry.jaxpr.out_avals]
    return entry.out_tree.unflatten(structs)


def _default_sharding():
    """Where arguments and results are when no argument is committed elsewhere: all devices run one code."""
    from secant._devices import _device

    return _device(lib.sec_default_device())._sharding


class ArgInfo:
    """The type of one argument, and whether it is donated."""

    __slots__ = ("_aval", "donated")

    def __init__(self, aval, donated):
        self._aval, self.donated = aval, donated

    shape = property(lambda self: self._aval.shape)
    dtype = property(lambda self: self._aval.dtype)

    def __repr__(self):
        return f"ArgInfo(_aval={self._aval!r}, donated={self.donated})"


class _Stage:
    """What every stage knows of its signature."""

    def __init__(self, entry):
        self._entry = entry

    in_tree = property(lambda self: self._entry.in_tree)
    out_tree = property(lambda self: self._entry.out_tree)
    in_avals = property(lambda self: self.in_tree.unflatten(self._entry.jaxpr.in_avals))
    out_info = property(lambda self: _out_info(self._entry))

    @property
    def args_info(self):
        """The arguments' structure, with an ArgInfo in place of each array."""
        entry = self._entry
        donated = entry.donated or [False] * entry.jaxpr.n_in
        return self.in_tree.unflatten([ArgInfo(aval, flag) for aval, flag in zip(entry.jaxpr.in_avals, donated)])

    @property
    def donate_argnums(self):
        """The places of donated arrays among all."""
        return tuple(i for i, flag in enumerate(self._entry.donated or ()) if flag)


class Traced(_Stage):
    """A function that was traced for types."""

    jaxpr = property(lambda self: self._entry.jaxpr)
    fun_name = property(lambda self: self._entry.name)
    out_avals = property(lambda self: self.out_tree.unflatten(self._entry.jaxpr.out_avals))

    def lower(self):
        return Lowered(self._entry)


class Lowered(_Stage):
    """A function for one signature, before it is run."""

    def as_text(self, dialect=None):
        """Text of a stage: "mlir" (default), "jaxpr", "groups", "lowered", "llvm", "asm"."""
        return self._entry.executable.text(dialect or "mlir")

    def compiler_ir(self, dialect=None):
        """What the compiler is given: text, as as_text."""
        return self.as_text(dialect)

    def compile(self):
        return Compiled(self._entry)

    def cost_analysis(self):
        return self.compile().cost_analysis()


class MemoryStats:
    """What a call needs, in bytes."""

    def __init__(self, arguments, outputs, temporaries, aliases):
        self.argument_size_in_bytes, self.output_size_in_bytes = arguments, outputs
        self.temp_size_in_bytes, self.alias_size_in_bytes = temporaries, aliases

    def __repr__(self):
        return f"MemoryStats({', '.join(f'{name}={value}' for name, value in vars(self).items())})"


class Compiled(_Stage):
    """An executable for one signature; calls take arrays of exactly these types."""

    def __init__(self, entry):
        super().__init__(entry)
        self._executable = entry.executable

    def __call__(self, *args, **keywords):
        arrays = [to_array(x) for x in _tree.tree_leaves((args, keywords))]
        wanted = self._entry.jaxpr.in_avals
        if [(a.aval.code, a.shape) for a in arrays] != [(a.code, a.shape) for a in wanted]:
            given = ", ".join(a.aval.str_short() for a in arrays)
            raise TypeError(f"compiled for ({', '.join(a.str_short() for a in wanted)}), called with ({given})")
        return self._entry.out_tree.unflatten(self._entry.run(arrays))

    call = __call__

    def runtime_executable(self):
        """The library's executable."""
        return self._executable

    @property
    def input_shardings(self):
        return self.in_tree.unflatten([_default_sharding()] * self._entry.jaxpr.n_in)

    @property
    def output_shardings(self):
        return self.out_tree.unflatten([_default_sharding()] * self._entry.jaxpr.n_out)

    def as_text(self, stage="llvm"):
        """Text of a stage: "jaxpr", "groups", "mlir", "lowered", "llvm", "asm"."""
        return self._executable.text(stage)

    def memory_analysis(self):
        """Bytes of arguments, results and temporaries of one call, and of results that lie in donated arguments."""
        jaxpr = self._entry.jaxpr
        arguments, outputs = (sum(a.size * a.dtype.itemsize for a in avals) for avals in (jaxpr.in_avals, jaxpr.out_avals))
        aliases = self._executable.alias_bytes(self._entry.donate) if self._entry.donate else 0
        return MemoryStats(arguments, outputs, int(self._executable.cost("temp bytes")), aliases)

    def cost_analysis(self):
        """Flops, bytes and counts of the executable."""
        names = ("flops", "bytes accessed", "temp bytes", "kernels", "runtime calls")
        return {name: self._executable.cost(name) for name in names}
