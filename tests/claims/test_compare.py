"""What 23_compare says of results/compare.json."""

from statistics import mean

from claim import claim, results

WHERE = "23_compare"
KEPT = results("compare")


def table(key: str) -> dict[str, dict[str, float]]:
    return {name: {factor: mean(v) for factor, v in row.items()} for name, row in KEPT[key].items()}


MOVED, READ, ALIKE = table("moved"), table("read"), table("cka")


def near(*pairs: tuple[float, float]) -> bool:
    """Whether each number is what the sentence rounds it to."""
    return all(abs(value - said) < 0.0051 for value, said in pairs)


def hue(name: str) -> float:
    return MOVED[name]["hue"]


def test_the_hue_of_a_thing():
    claim(
        WHERE,
        "the hue of a thing moves their features less than those of an untrained network (0.02 and 0.09 against 0.21, three seeds)",
        near((hue("simclr"), 0.02), (hue("moco"), 0.09), (hue("untrained"), 0.21)) and len(KEPT["seeds"]) == 3,
    )
    claim(
        WHERE, "which never see a colour change: 0.06 and 0.08.", near((hue("rotation"), 0.06), (hue("patches"), 0.08))
    )


def test_the_colour_of_the_whole_image():
    colour = {name: row["mean colour"] for name, row in READ.items()}
    claim(
        WHERE,
        "a probe reads it well from SimCLR and MoCo (0.86 and 0.94), poorly from rotation and patches (0.36 and 0.40).",
        near((colour["simclr"], 0.86), (colour["moco"], 0.94), (colour["rotation"], 0.36), (colour["patches"], 0.40)),
    )


def test_the_place():
    place = {name: row["place"] for name, row in MOVED.items()}
    claim(
        WHERE,
        "Place moves SimCLR and MoCo half as much as the untrained network (0.13 and 0.12 against 0.25), and patches more (0.41).",
        near((place["simclr"], 0.13), (place["moco"], 0.12), (place["untrained"], 0.25), (place["patches"], 0.41)),
    )
    x = {name: min(READ[name]["x"], READ[name]["y"]) for name in ("simclr", "moco", "rotation", "patches", "mae")}
    claim(
        WHERE,
        "From all of them the place can be read (0.69 and more), from SimCLR as well as an untrained network's features could not (0.29).",
        min(x.values()) > 0.685 and near((READ["untrained"]["x"], 0.29)),
    )


def test_who_is_most_alike():
    pairs = {frozenset((a, b)): ALIKE[a][b] for a in ALIKE for b in ALIKE[a] if a != b}
    trained = {pair: v for pair, v in pairs.items() if not {"pixels", "untrained", "untrained ViT"} & pair}
    claim(
        WHERE,
        "Pixels and the untrained transformer are the most alike of all (0.92 over three seeds)",
        max(pairs, key=pairs.get) == {"pixels", "untrained ViT"} and near((max(pairs.values()), 0.92)),
    )
    claim(
        WHERE,
        "Of the trained networks SimCLR and MoCo are, who were asked the same question.",
        max(trained, key=trained.get) == {"simclr", "moco"},
    )


def test_who_leads():
    knn, probe, few = (
        {n: mean(v) for n, v in KEPT["rows"][judge].items()} for judge in ("kNN", "linear probe", "few labels")
    )
    methods = ("simclr", "moco", "rotation", "patches", "mae")
    claim(
        WHERE,
        "Rotation, by every judge with labels, on these images and in this budget: kNN 67 %, where SimCLR has 53.",
        all(max(methods, key=judge.get) == "rotation" for judge in (knn, probe, few))
        and near((knn["rotation"], 0.67), (knn["simclr"], 0.53)),
    )
