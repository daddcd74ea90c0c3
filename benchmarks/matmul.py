"""f32 matrix products of 1000 x 1000 in jit, 100 times, on one core and on all."""
import harness
import programs

N = 1000


def main():
    apis = harness.apis()
    table = harness.Table(f"matmul: {N} x {N} f32, time of one product")
    a, b = programs.random(N, N), programs.random(N, N, seed=1)
    cases = {name: prepare(api, a, b) for name, api in apis.items()}
    harness.agree("matmul", {name: run() for name, run in cases.items()}, 1e-5)
    times = harness.interleave(cases, seconds=60, most=100, least=100)
    table.row("a @ b", times, 1.1)
    print("  " + ", ".join(f"{name} {2 * N**3 / t.best * 1e-9:.0f} GFLOP/s" for name, t in times.items()))
    table.end()


def prepare(api, a, b):
    product, a, b = api.jit(lambda a, b: a @ b), api.numpy.asarray(a), api.numpy.asarray(b)
    return lambda: product(a, b).block_until_ready()


if __name__ == "__main__":
    harness.on_core_counts(__file__, main)
