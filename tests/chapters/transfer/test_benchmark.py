"""What the benchmark of chapter 22 keeps of earlier parts, and which learning rates it writes down."""

from parts import CHAPTERS, load

from sslkit.probes import FineTuned

benchmark = load(CHAPTERS / "transfer" / "benchmark.py")


def test_a_part_made_anew_leaves_the_others():
    kept = {"seeds": [0], "curves": {"scenes": {"a": {"1": [0.1]}, "b": {"1": [0.2]}}}, "semi": {"a": [0.3]}}
    made = {"seeds": [0], "curves": {"scenes": {"b": {"1": [0.4]}}}, "semi": {}}
    assert benchmark.over(kept, made) == kept | {"curves": {"scenes": {"a": {"1": [0.1]}, "b": {"1": [0.4]}}}}


def test_accuracies_and_chosen_rates_are_kept():
    run = FineTuned(test=0.51234, lr=2e-3, val={3e-4: 0.4, 2e-3: 0.5}, per_class=10, seed=0, steps=120)
    table = {"fine-tuned": {10: [run]}, "frozen probe": {10: [0.4]}}
    assert benchmark.accuracies(table) == {"fine-tuned": {10: [0.5123]}, "frozen probe": {10: [0.4]}}
    assert benchmark.chosen(table) == {"fine-tuned": {10: [2e-3]}}
