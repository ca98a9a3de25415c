"""The bench's figures as a table that a person reads."""

from pathlib import Path
from typing import Any, Final

LATEST: Final = Path(".bench/latest.json")
"""Where the figures go, for whoever compares runs."""


def show(figures: dict[str, Any]) -> None:
    """Print everything."""
    pipeline, bare = figures["pipeline"], figures["skeleton"]
    print(f"\n{'signals/s, drained to the read model':44}{pipeline['signals_per_second']:>8,}")
    print(f"{'signals/s, bare skeleton, same run':44}{bare['signals_per_second']:>8,}")
    print(f"{'ratio':44}{pipeline['ratio_to_skeleton']:>8}")
    for group, seconds in pipeline["indexes_behind_s"].items():
        print(f"{group + ' done later by, s':44}{seconds:>8}")
    print(
        f"\n{'paced':>10}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}{'fed/s':>10}{'p99, onset':>14}"
    )
    for rate, run in figures["paced"].items():
        ages = run["age_ms"]
        print(
            f"{rate:>10}{ages['p50']:>10}{ages['p95']:>10}{ages['p99']:>10}"
            f"{run['fed_per_second']:>10}{run['onset_ms']['p99']:>14}"
        )
    print(f"\n{'CPU us per signal':24}{'kith':>10}{'skeleton':>10}")
    names = dict.fromkeys([*pipeline["cpu_us_per_signal"], *bare["cpu_us_per_signal"]])
    for name in names:
        ours, theirs = (run["cpu_us_per_signal"].get(name) for run in (pipeline, bare))
        print(f"{name:24}{_or_dash(ours):>10}{_or_dash(theirs):>10}")
    totals = [sum(run["cpu_us_per_signal"].values()) for run in (pipeline, bare)]
    print(f"{'all':24}{totals[0]:>10.1f}{totals[1]:>10.1f}")
    print(f"\n{'memory, MiB':24}{'at rest':>10}{'loaded':>10}")
    for name, memory in figures["memory_mib"].items():
        print(f"{name:24}{memory['at_rest']:>10}{memory['loaded']:>10}")


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def show_imports(figures: dict[str, Any]) -> None:
    """Print what was measured of imports, one figure a line."""
    for part, found in figures.items():
        print(f"\n{part}")
        for name, value in found.items():
            words = name.replace("_", " ")
            if isinstance(value, dict):
                print(f"  {words}")
                for key, one in value.items():
                    print(f"    {key:32}{one:>12,}")
                if name.endswith(("per_row", "per_message")):
                    print(f"    {'all':32}{sum(value.values()):>12,.1f}")
            else:
                told = value if isinstance(value, str) else f"{value:,}"
                print(f"  {words:34}{told:>12}")
