"""jit: traced once for each signature, compiled, called through one library call."""

import weakref
from itertools import count

from secant import _fast, _tree, _types
from secant._array import ArrayImpl, to_array
from secant._axes import axis_environment
from secant._eager import _Static
from secant._errors import DeviceError, stack_level
from secant._executable import Executable
from secant._lib import lib
from secant._trace import Tracer, aval_of, lifted, local, results, trace_flat, values

_caches = weakref.WeakKeyDictionary()  # function -> {options: _Cache}: two jits of one function share
_all = weakref.WeakSet()


class _Cache:
    """The signatures of one function: `fast` by the types of flat array arguments (with the fast path: by raw signature, in
    C), `full` by everything."""

    __slots__ = ("fast", "full", "__weakref__")

    def __init__(self):
        self.fast, self.full = _fast.Cache() if _fast.enabled else {}, {}
        _all.add(self)

    def clear(self):
        self.fast.clear()
        self.full.clear()


def clear():
    """Forgets every traced signature."""
    for cache in list(_all):
        cache.clear()


class _Entry:
    """One signature: its jaxpr, and its executable once it was called outside a trace."""

    __slots__ = ("jaxpr", "out_tree", "name", "in_tree", "donated", "inlined", "_donate", "_executable")

    def __init__(self, jaxpr, out_tree, name, in_tree=None, donated=None):
        """donated: of every input whether its argument is donated; None: none is."""
        self.jaxpr, self.out_tree, self.name, self.in_tree, self.donated = jaxpr, out_tree, name, in_tree, donated
        self.inlined = False  # calls that make_jaxpr would show were traced in place
        self._executable = self._donate = None

    @property
    def executable(self):
        if self._executable is None:
            executable = Executable(self.jaxpr)
            if self.donated:
                self._donate = _usable(executable, self.donated, self.jaxpr.in_avals)
            self._executable = executable
        return self._executable

    @property
    def donate(self):
        """Of every input whether a call takes its memory: the donated ones that a result can use.  None: no input."""
        return self._donate if self.donated and self.executable else None

    def run(self, arrays):
        """New arrays: the results for arrays."""
        if self.donate:
            return self.executable.run_donating(arrays, self._donate)
        return self.executable.run(arrays)

    def apply(self, leaves):
        """One call equation in the open trace."""
        out = values([0] * self.jaxpr.n_out)
        return results(lib.sec_jit_call(self.name.encode(), self.jaxpr.handle, lifted(leaves), out), out)


def _usable(executable, donated, avals):
    """`donated` without what no result can use, of which a warning tells; None where nothing is left."""
    taken_by = executable.taken_by(donated)
    useless = [aval.str_long() for aval, flag, by in zip(avals, donated, taken_by) if flag and by == -1]
    if useless:
        import warnings

        warnings.warn(f"Some donated buffers were not usable: {', '.join(useless)}.", UserWarning, stack_level())
    donate = tuple(by >= 0 for by in taken_by)
    return donate if any(donate) else None


class Jitted:
    """A function that is compiled for each signature of its arguments."""

    def __init__(
        self, function, static_argnums=(), static_argnames=(), donate_argnums=(), donate_argnames=(), **options
    ):
        if not callable(function):
            raise TypeError(f"jit needs a callable, got {function!r}")
        self.__wrapped__ = function
        self.__name__ = getattr(function, "__name__", type(function).__name__)
        self.__doc__ = getattr(function, "__doc__", None)
        self.__module__ = getattr(function, "__module__", None)
        self.__qualname__ = getattr(function, "__qualname__", self.__name__)
        self._nums, self._names = statics = _marked(function, "static", static_argnums, static_argnames)
        self._donate_nums, self._donate_names = donated = _marked(function, "donate", donate_argnums, donate_argnames)
        _check_apart(statics, donated)
        options = (self._nums, self._names, self._donate_nums, self._donate_names)
        self._cache = _cache_of(function, options)
        self._fast = self._cache.fast
        if _fast.enabled:
            _fast.callable_setup(self, self._fast, nums=self._nums, names=self._names)

    def __repr__(self):
        return f"<jitted {self.__wrapped__!r}>"

    def __get__(self, instance, owner=None):
        from types import MethodType

        return self if instance is None else MethodType(self, instance)

    def __call__(self, *args, **keywords):
        if not keywords and not local.frames:
            types = []
            for a in args:
                if type(a) is not ArrayImpl:
                    break
                types.append(a.aval)
            else:
                entry = self._fast.get(tuple(types))
                if entry is not None:
                    executable, tree = entry
                    out = self._run(executable, args, args, keywords)
                    return out[0] if tree is None else tree.unflatten(out)
        entry, leaves = self._entry(args, keywords)
        if local.frames:
            return entry.out_tree.unflatten(entry.apply(leaves))
        tree = entry.out_tree
        if not keywords and not self._nums and not entry.donated and all(type(a) is ArrayImpl for a in args):
            self._fast[tuple(a.aval for a in args)] = (entry.executable, None if tree.spec is _tree.LEAF else tree)
        return tree.unflatten(self._run(entry, [to_array(leaf) for leaf in leaves], args, keywords))

    def _run(self, entry, arrays, args, keywords):
        try:
            return entry.run(arrays)
        except DeviceError as error:
            from secant._devices import incompatible

            raise incompatible(error, self.__qualname__, self.__wrapped__, args, keywords) from None

    # ---- signatures ----
    def _split(self, args, keywords):
        """(static key, dynamic args with None in place of the static, dynamic keywords)."""
        if not self._nums and not self._names:
            return (), args, keywords
        nums = {i % len(args) if i < 0 and args else i for i in self._nums}
        key, dynamic = [], list(args)
        for i in sorted(nums):
            if i < len(args):
                key.append((i, self._static(args[i])))
                dynamic[i] = None
        rest = {}
        for name in sorted(keywords):
            if name in self._names:
                key.append((name, self._static(keywords[name])))
            else:
                rest[name] = keywords[name]
        return tuple(key), tuple(dynamic), rest

    def _static(self, value):
        try:
            return _Static(value)
        except TypeError:
            raise ValueError(
                f"Non-hashable static arguments are not supported: {self.__name__} got one of type {type(value)}, value {value!r}"
            ) from None

    def _entry(self, args, keywords):
        """(the _Entry of a signature, the leaves of the arguments); traces on a miss."""
        statics, dynamic, rest = self._split(args, keywords)
        leaves, tree = _tree.tree_flatten((dynamic, rest))
        try:
            avals = tuple([x.aval if type(x) is ArrayImpl else aval_of(x) for x in leaves])
        except TypeError:
            self._complain((dynamic, rest))
            raise
        key = (tree, avals, statics, axis_environment(), _types.x64())
        full = self._cache.full
        entry = full.get(key)
        if entry is not None and entry.inlined and local.shown:
            key = (key, "shown")
            entry = full.get(key)
        if entry is None:
            before = local.inlined
            entry = self._trace(tree, avals, statics)
            if self._donate_nums or self._donate_names:
                entry.donated = self._donated_leaves(dynamic, rest)
            entry.inlined = local.inlined != before
            if None not in entry.jaxpr.consts:
                full[key] = entry
        return entry, leaves

    def _donated_leaves(self, args, keywords):
        """Of every leaf whether its argument is donated; None where none is."""
        flags = []
        for i, arg in enumerate(args):
            flags += [i in self._donate_nums or i - len(args) in self._donate_nums] * len(_tree.tree_leaves(arg))
        for name in sorted(keywords):
            flags += [name in self._donate_names] * len(_tree.tree_leaves(keywords[name]))
        return tuple(flags) if any(flags) else None

    def _complain(self, tree):
        from secant.tree_util import keystr, tree_flatten_with_path

        for path, leaf in tree_flatten_with_path(tree)[0]:
            try:
                aval_of(leaf)
            except TypeError:
                raise TypeError(
                    f"Error interpreting argument to {self.__wrapped__} as an abstract array. The problematic value is of type "
                    f"{type(leaf)} and was passed to the function at path {_argument(self.__wrapped__, path, keystr)}.\n"
                    "  hint: make it a static argument (static_argnums), or register its class as a pytree"
                ) from None

    def _trace(self, tree, avals, statics):
        function = self.__wrapped__

        def traced(inputs):
            args, keywords = tree.unflatten(inputs)
            args = list(args)
            for place, static in statics:
                if type(place) is int:
                    args[place] = static.value
                else:
                    keywords = {**keywords, place: static.value}
            return flat_result(function(*args, **keywords))

        jaxpr, out_tree = trace_flat(traced, avals, self.__name__)
        return _Entry(jaxpr, out_tree, self.__name__, tree)

    # ---- stages ----
    def trace(self, *args, **keywords):
        """The traced stage for these arguments (arrays or ShapeDtypeStructs)."""
        from secant._stages import Traced

        return Traced(self._entry(args, keywords)[0])

    def lower(self, *args, **keywords):
        """The lowered stage for these arguments: .as_text(), .compile()."""
        return self.trace(*args, **keywords).lower()

    def eval_shape(self, *args, **keywords):
        entry, _ = self._entry(args, keywords)
        return entry.out_tree.unflatten(
            _types.ShapeDtypeStruct(a.shape, a.dtype, weak_type=a.weak_type) for a in entry.jaxpr.out_avals
        )

    def clear_cache(self):
        self._cache.clear()

    def _cache_size(self):
        return len(self._cache.full)


def miss(self, args, keywords, wanted):
    """(result, what the fast path remembers or None) of a call whose raw signature it does not know."""
    entry, leaves = self._entry(args, keywords)
    if local.frames:
        return entry.out_tree.unflatten(entry.apply(leaves)), None
    result = entry.out_tree.unflatten(self._run(entry, [to_array(leaf) for leaf in leaves], args, keywords))
    if not wanted:
        return result, None
    _, dynamic, _ = self._split(args, {})
    counter = count()
    order = _fast.numbered((dynamic, {k: x for k, x in keywords.items() if k not in self._names}), counter)
    return result, _fast.registration(entry.executable, _tree.tree_leaves(order), entry.out_tree, entry.donate)


if _fast.enabled:
    Jitted = _fast.with_methods(_fast.Jitted, Jitted)


def _argument(function, path, keystr):
    """The path of a leaf with the parameter's name: x['w'][0]."""
    first, *rest = path[1:]
    if path[0].key == 1:
        return f"{first.key}{keystr(rest)}"
    try:
        import inspect

        name = list(inspect.signature(function).parameters)[first.key]
    except (ValueError, TypeError, IndexError):
        name = f"args[{first.key}]"
    return name + keystr(rest)


def flat_result(result):
    """(leaves, structure) of what a traced function returned; leaves that are no arrays are refused."""
    leaves, tree = _tree.tree_flatten(result)
    for leaf in leaves:
        if not isinstance(leaf, (Tracer, ArrayImpl)):
            try:
                aval_of(leaf)
            except TypeError:
                raise TypeError(
                    f"the function returned a value of type {type(leaf)}, which is not a valid array type: {leaf!r}"
                ) from None
    return leaves, tree


def _marked(function, what, nums, names):
    """static_ or donate_argnums and _argnames as tuples, each completed from the other by the signature."""
    nums = (nums,) if isinstance(nums, int) else tuple(nums or ())
    names = (names,) if isinstance(names, str) else tuple(names or ())
    if not nums and not names:
        return (), ()
    import inspect

    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        return nums, names
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    keywords = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    n, variable = len(positional), any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if not variable and any(not -n <= i < n for i in nums):
        raise ValueError(f"Jitted function has {what}_argnums={nums}, but only accepts {n} positional arguments.")
    unknown = {name for name in names if name not in keywords}
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in parameters):
        raise ValueError(
            f"Jitted function has invalid argnames {unknown} in {what}_argnames. Function does not take these args."
        )
    if not variable:
        nums = [i % n for i in nums]
    names = {*names, *(positional[i] for i in nums if 0 <= i < n)}
    nums = {*nums, *(i for i, name in enumerate(positional) if name in names)}
    return tuple(sorted(nums)), tuple(sorted(names))


def _check_apart(statics, donated):
    """An argument is static or donated, not both; each is a pair of numbers and names."""
    both = sorted({*statics[1]} & {*donated[1]}) or sorted({*statics[0]} & {*donated[0]})
    if both:
        raise ValueError(f"static and donated arguments cannot intersect: {', '.join(map(str, both))} appear in both")


def _cache_of(function, options):
    try:
        return _caches.setdefault(function, {}).setdefault(options, _Cache())
    except TypeError:  # the function is not hashable or takes no weak references
        return _Cache()


def jit(fun=None, /, **options):
    """Compiles a function: traced at the first call of each signature, then cached.

    Parameters
    ----------
    fun : the function; pytrees of arrays and numbers in and out.  Without it, a decorator.
    static_argnums, static_argnames : arguments that are part of the signature (hashable; compared with their types).
    donate_argnums, donate_argnames : arguments whose arrays give their memory to results and are deleted by the call.
    device, backend, inline, keep_unused : accepted.

    Returns
    -------
    A callable with `lower`, `trace`, `eval_shape` and `clear_cache`.
    """
    if fun is None:
        return lambda f: Jitted(f, **options)
    return Jitted(fun, **options)
