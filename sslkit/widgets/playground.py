"""The views playground: sliders for what a view does, and the same image shown through it many times."""

import inspect
from dataclasses import fields, replace

import torch

from sslkit import plots

from .controls import slider
from .panel import Panel

# Slider ranges by parameter name; any other number runs from 0 to twice its default, at least to 1.
RANGES = {"p": (0, 1), "flip": (0, 1), "scale": (0.04, 1), "ratio": (0.3, 3.3)}
RANGES |= {"strength": (0, 2), "degrees": (0, 180), "sigma": (0.1, 3)}
COLUMNS = 8


def numeric(value) -> bool:
    """Whether a parameter can be a slider: a number (not a bool) or a pair of numbers."""
    if isinstance(value, (tuple, list)):
        return len(value) == 2 and all(numeric(v) and not isinstance(v, (tuple, list)) for v in value)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def named_views(views) -> dict:
    """{name: view dataclass} of such a dict, of one view, of a list of views, or of a Compose."""
    if isinstance(views, dict):
        return views
    views = getattr(views, "views", views)
    views = list(views) if isinstance(views, (list, tuple)) else [views]
    names = [type(view).__name__ for view in views]
    return {
        name if names.count(name) == 1 else f"{name} {k + 1}": view for k, (name, view) in enumerate(zip(names, views))
    }


def parameters(views) -> dict[str, object]:
    """The parameters that get a slider, by label ("ColorJitter strength"), with their present values."""
    if not isinstance(views, dict):  # a function make_view(strength=..., p=...)
        given = inspect.signature(views).parameters
        return {name: p.default for name, p in given.items() if numeric(p.default)}
    found = ((f"{name} {f.name}", getattr(view, f.name)) for name, view in views.items() for f in fields(view))
    return {label: value for label, value in found if numeric(value)}


def build(views, values: dict):
    """The view with these values of its parameters: view(x, generator) -> x."""
    if not isinstance(views, dict):
        return views(**values)
    chain = [
        replace(view, **{f.name: values[f"{name} {f.name}"] for f in fields(view) if f"{name} {f.name}" in values})
        for name, view in views.items()
    ]

    def view(x, generator):
        for one in chain:
            x = one(x, generator)
        return x

    return view


def many(image, view, count: int, seed: int):
    """One image [C, H, W] through the view `count` times: [count, C, H, W]."""
    batch = torch.as_tensor(image)[None].expand(count, -1, -1, -1).contiguous()
    return view(batch, torch.Generator().manual_seed(seed))


def views_playground(images, views, seed: int = 0, rows: int = 3) -> Panel:
    """A panel with a slider for each numeric parameter of the views, one for the image and one for the seed.

    images: uint8 or float [N, C, H, W], on the CPU. views: a dict {name: view dataclass}, a Compose or list
    of such, or a function make_view(**numbers) -> view whose defaults are the start. The picture shows the
    image and 8 x `rows` views of it.
    """
    images = torch.as_tensor(plots.array(images))
    if images.ndim != 4 or not len(images):
        raise ValueError(f"the playground needs images [N, C, H, W], got shape {list(images.shape)}")
    function = inspect.isfunction(views) or inspect.ismethod(views)
    views = views if function else named_views(views)
    start = parameters(views)

    def control(label, value):
        most = max(1, 2 * max(value if isinstance(value, (tuple, list)) else [value]))
        return slider(label, value, *RANGES.get(label.split()[-1], (0, most)))

    controls = {
        "image": slider("image", 0, 0, len(images) - 1),
        "seed": slider("seed", seed, 0, max(20, seed)),
    }
    controls |= {label: control(label, value) for label, value in start.items()}

    def draw(image, seed, **values):
        out = many(images[image], build(views, values), COLUMNS * rows, seed)
        named = {"original": images[image : image + 1]}
        named |= {" " * r if r else "views": out[r * COLUMNS : (r + 1) * COLUMNS] for r in range(rows)}
        caption = f"Image {image}, seed {seed}. {spoken(values)}"
        return plots.rows(named, title=f"One image, {COLUMNS * rows} views of it", caption=caption, side=72)

    def fallback():
        x, named = images[0], {"original": images[:1]}
        if function:
            named["as set"] = many(x, views(**start), COLUMNS, seed)
        else:
            named |= {name: many(x, view, COLUMNS, seed) for name, view in views.items()}
            named["all together"] = many(x, build(views, start), COLUMNS, seed)
        caption = f"Image 0, seed {seed}. {spoken(start)} Run the notebook to move the sliders."
        title = "What each change does, and all of them together" if not function else "One image, eight views"
        return plots.rows(named, title=title, caption=caption, side=64)

    return Panel(controls, draw, fallback)


def spoken(values: dict) -> str:
    """Settings in one sentence."""

    def number(value):
        return " to ".join(f"{v:.2g}" for v in value) if isinstance(value, (tuple, list)) else f"{value:.3g}"

    return ", ".join(f"{label} {number(value)}" for label, value in values.items()) + "." if values else ""
