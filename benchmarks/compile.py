"""Time to lower and compile three programs with nothing cached, after each compiler has been warmed up."""
import harness
import programs

PROGRAMS = {
    "tanh(x*y+1)*x-y": (programs.chain, programs.chain_inputs),
    "mlp value_and_grad": (programs.mlp, programs.mlp_inputs),
    "12 layers value_and_grad": (programs.deep, programs.deep_inputs),
}


def main():
    apis = harness.apis()
    table = harness.Table("compile: trace, lower and compile, caches cleared")
    for name, (program, inputs) in PROGRAMS.items():
        placed = {key: programs.put(api, inputs()) for key, api in apis.items()}
        results = {key: api.jit(program(api))(*placed[key]) for key, api in apis.items()}
        harness.agree(name, results, 2e-4)
        cases = {key: compiler(api, program, placed[key]) for key, api in apis.items()}
        times = harness.interleave(cases, seconds=15, most=12, before=lambda key: apis[key].clear_caches())
        table.row(name, times, 0.5)
    table.end()


def compiler(api, program, inputs):
    """A function that compiles a fresh function object of `program`."""
    return lambda: api.jit(program(api)).lower(*inputs).compile()


if __name__ == "__main__":
    main()
