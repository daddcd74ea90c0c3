"""What the engine itself costs: a call of a compiled function of 8 numbers, and tracing, per equation."""
import harness
import programs

EQUATIONS = 1000


def main():
    apis = harness.apis()
    table = harness.Table("calls: overheads from Python")
    cases = {name: call(api) for name, api in apis.items()}
    harness.agree("call", {name: run() for name, run in cases.items()}, 1e-6)
    table.limit("call, 8 f32, cached", harness.interleave(cases), 6e-6)

    cases = {name: call_tree(api) for name, api in apis.items()}
    harness.agree("call with a dict", {name: run() for name, run in cases.items()}, 1e-6)
    table.limit("call, dict of 20 in and out", harness.interleave(cases), 2e-6)

    cases = {name: call_numpy(api) for name, api in apis.items()}
    table.limit("call, a NumPy array", harness.interleave(cases), 6e-6)

    cases = {name: trace(api) for name, api in apis.items()}
    times = harness.interleave(cases)
    per_equation = {name: harness.Times(t / EQUATIONS for t in traces) for name, traces in times.items()}
    table.limit(f"trace, an equation of {EQUATIONS}", per_equation, 6e-6)
    table.end()


def call(api):
    f, x = api.jit(lambda x: x * 2 + 1), api.numpy.asarray(programs.random(8))
    return lambda: f(x).block_until_ready()


def call_tree(api):
    f, x = api.jit(lambda d: {k: v * 2 for k, v in d.items()}), api.numpy.asarray(programs.random(8))
    tree = {f"k{i}": x for i in range(20)}
    return lambda: f(tree)


def call_numpy(api):
    f, x = api.jit(lambda x: x * 2 + 1), programs.random(8)
    return lambda: f(x).block_until_ready()


def trace(api):
    """A function that traces a fresh function of EQUATIONS additions and products."""
    x = api.numpy.asarray(programs.random(8))

    def fresh():
        def f(x):
            y = x
            for _ in range(EQUATIONS // 2):
                y = y * x
                y = y + x
            return y

        return api.make_jaxpr(f)(x)

    return fresh


if __name__ == "__main__":
    main()
