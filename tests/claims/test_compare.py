"""What 23_compare says of results/compare.json, and beside it of results/published.json."""

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
        "From all of them the place can be read (0.69 and more), from an untrained network much less (0.29).",
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
        "Among the trained networks it is SimCLR and MoCo, which were asked the same question.",
        max(trained, key=trained.get) == {"simclr", "moco"},
    )


def test_who_leads():
    knn, probe, few = (
        {n: mean(v) for n, v in KEPT["rows"][judge].items()} for judge in ("kNN", "linear probe", "few labels")
    )
    methods = KEPT["methods"]
    claim(
        WHERE,
        "Rotation, by every judge with labels, on these images and in this budget: kNN 67 %, where SimCLR has 53.",
        all(max(methods, key=judge.get) == "rotation" for judge in (knn, probe, few))
        and near((knn["rotation"], 0.67), (knn["simclr"], 0.53)),
    )
    shelf = mean(results("shelf/simclr_scenes")["rows"]["kNN"]["simclr"])
    claim(WHERE, "after most of an hour SimCLR's kNN is at 82 %", round(100 * shelf) == 82)


def test_maps():
    knn = {name: mean(KEPT["rows"]["kNN"][name]) for name in ("supervised", "rotation")}
    claim(
        WHERE,
        "in the supervised network's map first, then in rotation's (kNN 74 and 67 %, three seeds).",
        near((knn["supervised"], 0.74), (knn["rotation"], 0.67)),
    )
    claim(
        WHERE,
        "a probe reads the pattern from SimCLR's and MAE's features (0.36 and 0.37, where 0 is chance).",
        near((READ["simclr"]["background"], 0.36), (READ["mae"]["background"], 0.37)),
    )


def fresh(name: str) -> str:
    """The untrained network of a method's kind."""
    return "untrained ViT" if KEPT["methods"][name]["encoder"] == "vit" else "untrained"


def test_what_is_kept():
    gained = ("kind", "x", "y", "size", "background")
    claim(
        WHERE,
        "**Kind, place, size and pattern are read better after any of these trainings than before**",
        all(READ[name][f] > READ[fresh(name)][f] + 0.1 for name in KEPT["methods"] for f in gained),
    )
    tilt = {name: READ[name]["tilt"] for name in KEPT["methods"]}
    claim(
        WHERE,
        "Hardly any network knows the tilt (0.14 at best, by rotation).",
        max(tilt, key=tilt.get) == "rotation" and near((tilt["rotation"], 0.14)),
    )


def test_who_gives_up_colour():
    colour = {name: row["mean colour"] for name, row in READ.items()}
    claim(
        WHERE,
        "(0.36 and 0.40 of the whole image's, where an untrained network has 0.96); SimCLR, MoCo and MAE keep most of it (0.86 and more).",
        near((colour["rotation"], 0.36), (colour["patches"], 0.40), (colour["untrained"], 0.96))
        and min(colour[name] for name in ("simclr", "moco", "mae")) > 0.855,
    )
    claim(WHERE, "The network trained with labels gives it up too (0.48)", near((colour["supervised"], 0.48)))


def test_mae_knows_most_and_looks_weakest():
    knn = {name: mean(KEPT["rows"]["kNN"][name]) for name in KEPT["methods"]}
    published = {name: row["kNN"] for name, row in results("published")["rows"].items() if "kNN" in row}
    place = {name: READ[name]["x"] + READ[name]["y"] for name in KEPT["methods"]}
    leads = [max(KEPT["methods"], key=lambda name: READ[name][f]) for f in ("size", "hue", "background", "mean colour")]
    claim(
        WHERE,
        "It leads in place, size, hue, pattern and colour, and comes last by kNN, here (34 %) and on ImageNet (11 %).",
        {*leads, max(place, key=place.get), min(knn, key=knn.get), min(published, key=published.get)} == {"mae"}
        and near((knn["mae"], 0.34), (published["mae"], 0.11)),
    )


def test_costs_and_published_figures():
    cost = {name: facts["seconds"] for name, facts in KEPT["methods"].items()}
    claim(
        WHERE,
        "41 seconds for patches, 299 for MAE.",
        (cost["patches"], cost["mae"]) == (41, 299)
        and {min(cost, key=cost.get), max(cost, key=cost.get)} == {"patches", "mae"},
    )
    linear = {name: row["linear probe"] for name, row in results("published")["rows"].items()}
    claim(
        WHERE,
        "well behind SimCLR there (55 against 63 %, and by a larger network)",
        near((linear["rotation"], 0.55), (linear["simclr"], 0.63)),
    )
    claim(WHERE, "SimCLR and MoCo are close in both.", abs(linear["simclr"] - linear["moco"]) < 0.03)


def test_what_is_known_of_the_control():
    knn = {row: mean(v) for row, v in results("ablations/simclr_scenes")["rows"]["kNN"].items()}
    claim(
        WHERE,
        "without colour changes kNN ends at 40 %, where the whole recipe has 68",
        near((knn["no colour changes"], 0.40), (knn["as it is"], 0.68)),
    )


def test_chance_of_cka():
    claim(WHERE, "for 256 of each and 16 images 0.94.", near((256 / (16 + 256), 0.94)))
