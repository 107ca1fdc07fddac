"""What 25_many_gpus says of results/processes.json."""

from statistics import mean

from claim import claim, results


def test_what_a_second_process_costs():
    methods = results("processes")["methods"]
    kept = {m: mean(by["2"]["images_per_second"]) / 2 / mean(by["1"]["images_per_second"]) for m, by in methods.items()}
    talk = {m: mean(by["2"]["communication"]) for m, by in methods.items()}
    claim("25_many_gpus", "And MoCo sends more than gradients", max(talk, key=lambda m: talk[m]) == "moco")
    assert min(kept, key=lambda m: kept[m]) == "moco" and min(kept.values()) > 0.5  # as the figure's title has it
