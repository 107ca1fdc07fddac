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


TWO_VIEWS = ("simclr", "moco", "byol", "barlow_twins", "vicreg", "swav", "dino")
METHODS = KEPT["methods"]


def knn(name: str) -> float:
    return mean(KEPT["rows"]["kNN"][name])


def test_the_hue_of_a_thing():
    claim(
        WHERE,
        "the hue of a thing moves its features less than those of an untrained network (0.02 against 0.21, two seeds).",
        near((hue("simclr"), 0.02), (hue("untrained"), 0.21)) and len(KEPT["seeds"]) == 2,
    )
    claim(WHERE, "Look at rotation, which never sees a colour change: 0.05.", near((hue("rotation"), 0.05)))


def test_the_colour_of_the_whole_image():
    colour = {name: row["mean colour"] for name, row in READ.items()}
    claim(
        WHERE,
        "a probe reads it well from SimCLR and MoCo (0.84 and 0.91), poorly from rotation (0.29).",
        near((colour["simclr"], 0.84), (colour["moco"], 0.91), (colour["rotation"], 0.29)),
    )


def test_the_place():
    place = {name: row["place"] for name, row in MOVED.items()}
    views = [place[name] for name in TWO_VIEWS]
    claim(
        WHERE,
        "It moves all seven methods with two views at most half as much as the untrained network (0.05 to 0.10 against 0.21), and patches "
        "more than twice as much as the untrained network of its kind (0.26 against 0.11).",
        near((min(views), 0.05), (max(views), 0.10), (place["untrained"], 0.21))
        and near((place["patches"], 0.26), (place["untrained fine7"], 0.11)),
    )
    x = {name: min(READ[name]["x"], READ[name]["y"]) for name in METHODS}
    claim(
        WHERE,
        "From all of them the place can be read (0.64 and more), from an untrained network much less (0.34).",
        min(x.values()) > 0.635 and near((READ["untrained"]["y"], 0.34)),
    )


def test_who_is_most_alike():
    pairs = {frozenset((a, b)): max(ALIKE[a][b], ALIKE[b][a]) for a in ALIKE for b in ALIKE[a] if a != b}
    claim(
        WHERE,
        "Pixels and the untrained transformer are as alike as any two here (0.95 over two seeds)",
        near((pairs[frozenset(("pixels", "untrained vit"))], 0.95)) and max(pairs.values()) < 0.955,
    )
    five = ("simclr", "moco", "barlow_twins", "vicreg", "swav")
    claim(
        WHERE,
        "any two of them are at 0.80 or more",
        min(ALIKE[a][b] for a in five for b in five) > 0.795,
    )
    nearest = max(ALIKE["rotation"][name] for name in METHODS if name != "rotation")
    claim(
        WHERE,
        "By it SimCLR and MoCo are nearly twins (0.90, where another seed gives 0.95), and rotation is far from every other method "
        "(0.42 against 0.87).",
        near((ALIKE["simclr"]["moco"], 0.90), (ALIKE["simclr"]["simclr"], 0.95), (nearest, 0.42))
        and near((ALIKE["rotation"]["rotation"], 0.87)),
    )


def test_who_leads():
    judges = [{n: mean(v) for n, v in KEPT["rows"][judge].items()} for judge in ("kNN", "linear probe", "few labels")]
    claim(
        WHERE,
        "Rotation leads, by every judge with labels, on these images and in this budget: kNN 86 %, where SimCLR has 73. By kNN it is "
        "even ahead of the network that was trained with all labels (78 %), though not by the others.",
        all(max(METHODS, key=judge.get) == "rotation" for judge in judges)
        and near((knn("rotation"), 0.86), (knn("simclr"), 0.73), (knn("supervised"), 0.78))
        and all(judge["supervised"] > judge["rotation"] for judge in judges[1:]),
    )
    kept = results("shelf/simclr_scenes")
    claim(
        WHERE,
        "after ten times as many steps SimCLR's kNN is at 82 %; BYOL and DINO, which begin slowly, had half of its steps.",
        round(100 * mean(kept["rows"]["kNN"]["simclr"])) == 82
        and METHODS["byol"]["steps"] == METHODS["dino"]["steps"] == METHODS["simclr"]["steps"] / 2,
    )


def test_maps():
    claim(
        WHERE,
        "in rotation's map and in the supervised network's (kNN 86 and 78 %, two seeds).",
        near((knn("rotation"), 0.86), (knn("supervised"), 0.78)),
    )
    claim(
        WHERE,
        "a probe reads the pattern from SimCLR's and MAE's features (0.41 and 0.38, where 0 is chance).",
        near((READ["simclr"]["background"], 0.41), (READ["mae"]["background"], 0.38)),
    )


def test_what_is_kept():
    gained = ("kind", "x", "y", "size", "background")
    claim(
        WHERE,
        "**Kind, place, size and pattern are read better after any of these trainings than before**",
        all(READ[name][f] > READ[facts["untrained"]][f] + 0.05 for name, facts in METHODS.items() for f in gained),
    )
    tilt = {name: READ[name]["tilt"] for name in METHODS}
    claim(
        WHERE,
        "Hardly any network knows the tilt (0.18 at best, by rotation).",
        max(tilt, key=tilt.get) == "rotation" and near((tilt["rotation"], 0.18)),
    )


def test_who_gives_up_colour():
    colour = {name: row["mean colour"] for name, row in READ.items()}
    part = [colour[name] for name in ("vicreg", "swav", "patches")]
    most = [colour[name] for name in METHODS if name not in ("vicreg", "swav", "patches", "rotation")]
    claim(
        WHERE,
        "**Rotation gives up colour** (0.29 of the whole image's, where an untrained network has 0.95). VICReg, SwAV and patches keep a "
        "part (0.61 to 0.71), the others most of it (0.84 and more).",
        near((colour["rotation"], 0.29), (colour["untrained"], 0.95), (min(part), 0.61), (max(part), 0.71))
        and min(most) > 0.835,
    )
    claim(WHERE, "The network trained with labels gives it up too (0.41)", near((colour["supervised"], 0.41)))


def test_mae_knows_most_and_looks_weakest():
    published = {name: row["kNN"] for name, row in results("published")["rows"].items() if "kNN" in row}
    place = {name: READ[name]["x"] + READ[name]["y"] for name in METHODS}
    leads = [max(METHODS, key=lambda name: READ[name][f]) for f in ("size", "mean colour")]
    claim(
        WHERE,
        "It leads in place, size and colour, and comes last by kNN, here (37 %) and on ImageNet (11 %).",
        {*leads, max(place, key=place.get), min(METHODS, key=knn), min(published, key=published.get)} == {"mae"}
        and near((knn("mae"), 0.37), (published["mae"], 0.11)),
    )


def test_costs_and_published_figures():
    cost = {name: facts["core seconds"] for name, facts in METHODS.items()}
    claim(
        WHERE,
        "61 core seconds for patches, 642 for MAE.",
        (cost["patches"], cost["mae"]) == (61, 642)
        and {min(cost, key=cost.get), max(cost, key=cost.get)} == {"patches", "mae"},
    )
    rows = results("published")["rows"]
    claim(
        WHERE,
        "well behind SimCLR there (55 against 63 %, and by a larger network)",
        near((rows["rotation"]["linear probe"], 0.55), (rows["simclr"]["linear probe"], 0.63)),
    )
    claim(
        WHERE,
        "BYOL and DINO are a little ahead of SimCLR there (kNN 46 and 50 against 45 %) and far behind it here (42 and 44 against 73 %)",
        near((rows["byol"]["kNN"], 0.46), (rows["dino"]["kNN"], 0.50), (rows["simclr"]["kNN"], 0.45))
        and near((knn("byol"), 0.42), (knn("dino"), 0.44), (knn("simclr"), 0.73)),
    )


def test_what_is_known_of_the_control():
    found = {row: mean(v) for row, v in results("ablations/simclr_scenes")["rows"]["kNN"].items()}
    claim(
        WHERE,
        "without colour changes kNN ends at 40 %, where the whole recipe has 68",
        near((found["no colour changes"], 0.40), (found["as it is"], 0.68)),
    )


def test_chance_of_cka():
    claim(WHERE, "for 256 of each and 16 images 0.94.", near((256 / (16 + 256), 0.94)))
