"""Factorisations in f64: 1000 matrices of 8 x 8, one of 100 x 100, one of 500 x 500; on one core and on all."""
import harness
import numpy

SIZES = {"1000 of 8": (1000, 8, 8), "100": (100, 100), "500": (500, 500)}

# What is compared is unique: signs of vectors are not.
PROGRAMS = {
    "qr": lambda np, a: np.linalg.qr(a),
    "eigh": lambda np, a: np.linalg.eigh(a + np.swapaxes(a, -1, -2)),
    "svd": lambda np, a: np.linalg.svd(a),
    "cholesky": lambda np, a: np.linalg.cholesky(a @ np.swapaxes(a, -1, -2) + np.eye(a.shape[-1])),
    "lu (slogdet)": lambda np, a: np.linalg.slogdet(a),
    "solve": lambda np, a: np.linalg.solve(a, a[..., :1]),
    "inv": lambda np, a: np.linalg.inv(a),
}
UNIQUE = {"qr": lambda out: abs(out[1]), "eigh": lambda out: out[0], "svd": lambda out: out[1]}


def main():
    apis = harness.apis(x64=True)
    if "jax" in apis:
        import secant

        secant.config.update("jax_enable_x64", True)
    table = harness.Table("linear algebra in f64")
    for name, program in PROGRAMS.items():
        for size, shape in SIZES.items():
            a = numpy.random.default_rng(0).standard_normal(shape)
            cases = {which: prepare(api, program, a) for which, api in apis.items()}
            cases["numpy"] = lambda: program(numpy, a)
            results = {which: UNIQUE.get(name, lambda out: out)(run()) for which, run in cases.items()}
            harness.agree(f"{name} {size}", results, 1e-6)
            times = harness.interleave(cases, seconds=3, most=100, least=5)
            table.row(f"{name}, {size}", times, 1.0)
            print(f"  {'':34}numpy {harness.span(times['numpy'].best)}", flush=True)
    table.end()


def prepare(api, program, a):
    f, a = api.jit(lambda a: program(api.numpy, a)), api.numpy.asarray(a)
    return lambda: harness.wait(f(a))


if __name__ == "__main__":
    harness.on_core_counts(__file__, main)
