"""Run time of memory-bound programs on 1024 x 1024 f32, and of the MLP's value_and_grad, on one core and on all."""
import harness
import programs


def main():
    apis = harness.apis()
    table = harness.Table("rows: time of a call")
    names = [*programs.rows(apis["secant"]), "mlp value_and_grad"]
    for name in names:
        cases = {}
        for api_name, api in apis.items():
            cases[api_name] = prepare(api, name)
        harness.agree(name, {key: run() for key, run in cases.items()}, 2e-5)
        table.row(name, harness.interleave(cases), 1.0)
    table.end()


def prepare(api, name):
    """The compiled program on its inputs as a function without arguments that waits for its result."""
    if name == "mlp value_and_grad":
        f, inputs = programs.mlp(api), programs.mlp_inputs()
    else:
        f, inputs = programs.rows(api)[name]
    compiled, inputs = api.jit(f), programs.put(api, inputs)
    return lambda: harness.wait(compiled(*inputs))


if __name__ == "__main__":
    harness.on_core_counts(__file__, main)
