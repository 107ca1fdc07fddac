"""Networks of other libraries, and a reader's own, as encoders."""

import difflib
import importlib
import inspect
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.nets.using import device_of, evaluated

LIBRARIES = ("torchvision", "timm")
SIDES = (32, 224)  # pixels of the images that find out what a network gives


class Wrapped(nn.Module):
    """A network `net` that turns images into [N, D], or into a map [N, D, h, w], which is averaged, as an encoder.

    Networks of torchvision and timm get images scaled to -1 .. 1, any other gets them as they come, in [0, 1]. name: how
    `build_encoder` finds it again, "" for one that it cannot. make: a new one of the kind, where that is known, so that
    `reset_parameters` can start afresh.
    """

    def __init__(
        self, net: nn.Module, name: str = "", make: Callable[[], nn.Module] | None = None, side: int | None = None
    ):
        super().__init__()
        self.net: Any = net
        self.name, self.make = name, make
        self.centred = library_of(net) in LIBRARIES
        self.channels = next((m.in_channels for m in net.modules() if isinstance(m, nn.Conv2d)), 3)
        self.dim, self.side = self.measured(side)

    def measured(self, side: int | None) -> tuple[int, int | None]:
        """The width of the features, and the one side of images that the network takes, None if there are several."""
        self.side, trouble = None, ""
        for tried in (side,) if side else SIDES:
            try:
                h = evaluated(self, torch.zeros(2, self.channels, tried, tried, device=device_of(self)))
            except (RuntimeError, AssertionError, TypeError, ValueError, IndexError) as error:
                trouble += f" of {tried} x {tried} pixels: {' '.join(str(error).split())}."
                continue
            return h.shape[1], None if tried == SIDES[0] and not side else tried
        raise ValueError(f"{self.title()} gives no features for images with {self.channels} channel(s){trouble}")

    def title(self) -> str:
        """What to call it in messages."""
        return self.name or f"the network {type(self.net).__name__}"

    def reset_parameters(self) -> None:
        """Fresh weights and statistics, as a new network has them. ValueError where nothing can make a new one."""
        if self.make is None:
            raise ValueError(
                f"{self.title()} cannot be started afresh, since it was wrapped as it stood: wrap what makes it instead, "
                "wrap(lambda: MyNetwork(...)) or wrap(MyNetwork)"
            )
        self.net.load_state_dict(self.make().state_dict())

    def map(self, x: Tensor) -> Tensor:
        """Features of each place, [N, D, h, w]; for a network that gives neither a map nor a grid, [N, T, D]."""
        net, x = self.net, self.scaled(x)
        if hasattr(net, "map"):
            return net.map(x)
        if hasattr(net, "forward_features"):  # timm
            found = net.forward_features(x)
        else:
            found = before_pooling(net, x)
        if found.ndim == 3:  # tokens; those before the patches stand for the whole image
            found = found[:, getattr(net, "num_prefix_tokens", 0) :]
            patch = getattr(getattr(net, "patch_embed", None), "patch_size", None)
            if patch is None:
                return found
            return found.transpose(1, 2).unflatten(2, (x.shape[2] // patch[0], x.shape[3] // patch[1]))
        return found.permute(0, 3, 1, 2) if found.shape[1] != self.dim == found.shape[3] else found  # places first

    def scaled(self, x: Tensor) -> Tensor:
        """Images in [0, 1] as the network wants them."""
        if self.side and tuple(x.shape[2:]) != (self.side, self.side):
            raise ValueError(
                f"{self.title()} takes images of {self.side} x {self.side} pixels, not {x.shape[-2]} x {x.shape[-1]}: name their "
                f"size with it, as in 'timm:vit_tiny_patch16_224,img_size={x.shape[-1]},patch_size=4', or choose another"
            )
        return 2 * x - 1 if self.centred else x

    def forward(self, x: Tensor) -> Tensor:
        h = self.net(self.scaled(x))
        if not isinstance(h, Tensor) or h.ndim not in (2, 4):
            got = list(h.shape) if isinstance(h, Tensor) else type(h).__name__
            raise ValueError(f"{self.title()} must give [N, D] or [N, D, h, w], it gave {got}")
        return h if h.ndim == 2 else F.adaptive_avg_pool2d(h, 1).flatten(1)


def wrap(network: str | nn.Module | Callable[..., nn.Module], channels: int | None = None, **options: Any) -> Wrapped:
    """A network as an encoder, in one line.

    wrap("timm:convnext_atto"), wrap("torchvision:resnet18"), wrap(torchvision.models.resnet18): a new network without its
    classifier; options go to the library, as in wrap("timm:vit_tiny_patch16_224", img_size=32, patch_size=4), or in the
    name: "timm:vit_tiny_patch16_224,img_size=32,patch_size=4", which is also a name for recipes and --encoder.
    wrap(MyNetwork), wrap(lambda: MyNetwork(...)): a reader's own, new; wrap(my_network): as it stands.
    channels: 3 for colour, 1 for grey; None for what the network has. ValueError for what cannot be wrapped.
    """
    if isinstance(network, str):
        return from_library(network, channels, options)
    if isinstance(network, nn.Module):
        if options:
            raise ValueError(f"a network that is already made takes no options ({', '.join(options)})")
        return Wrapped(fitted(network, channels))
    if not callable(network):
        raise TypeError(f"wrap takes a name, a network, or a function that returns one, not {type(network).__name__}")
    if (library := library_of(network)) in LIBRARIES:
        return from_library(f"{library}:{network.__name__}", channels, options)

    def make() -> nn.Module:
        return fitted(network(**options), channels)

    return Wrapped(make(), make=make)


def from_library(name: str, channels: int | None, options: dict[str, Any]) -> Wrapped:
    """A new network of torchvision or timm by "library:name,option=value,..."."""
    plain, *settings = name.split(",")
    library, _, model = plain.partition(":")
    if library not in LIBRARIES:
        raise ValueError(f"no library {library!r} in {name!r}; there are {' and '.join(LIBRARIES)}")
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise ValueError(f"{setting!r} in {name!r} must be OPTION=VALUE")
        options[key] = number(value)
    try:
        module = importlib.import_module("timm" if library == "timm" else "torchvision.models")
    except ImportError as error:
        raise ValueError(f"{name!r} needs {library}, which is not installed: pip install {library}") from error
    if model not in module.list_models():
        like = difflib.get_close_matches(model, module.list_models(), n=3)
        hint = f"did you mean {', '.join(like)}?" if like else f"{module.__name__}.list_models() lists what it has"
        raise ValueError(f"{library} has no {model!r}; {hint}")

    def make() -> nn.Module:
        try:
            if library == "timm":
                return module.create_model(model, num_classes=0, in_chans=channels or 3, **options)
            return fitted(module.get_model(model, **options), channels)
        except (TypeError, RuntimeError, AssertionError) as error:
            raise ValueError(f"{library} cannot make {model!r} with {options}: {error}") from error

    given = "".join(f",{key}={value}" for key, value in options.items())
    side = None if options.get("dynamic_img_size") else options.get("img_size", options.get("image_size"))
    return Wrapped(make(), f"{plain}{given}", make, side)


def number(text: str) -> int | float | bool | str:
    """The value of an option in a name: a number, True or False, else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return {"True": True, "False": False}.get(text, text)


def fitted(net: Any, channels: int | None) -> nn.Module:
    """The network, changed in place: the first convolution takes that many channels, and in one of torchvision or timm the
    classifier is gone."""
    if library_of(net) == "timm":
        net.reset_classifier(0)
    elif library_of(net) == "torchvision":
        linear = [name for name, module in net.named_modules() if isinstance(module, nn.Linear)]
        if last := [name for name in linear if name.split(".")[0] in ("fc", "classifier", "head", "heads")]:
            replace(net, last[-1], nn.Identity())
    name, first = next(((n, m) for n, m in net.named_modules() if isinstance(m, nn.Conv2d)), ("", None))
    if channels and first is not None and first.in_channels != channels:
        kept = ("out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
        like = {key: getattr(first, key) for key in kept} | {"bias": first.bias is not None}
        replace(net, name, nn.Conv2d(channels, **like).to(first.weight.device))
    return net


def network_name(encoder: nn.Module | None) -> str | None:
    """What a checkpoint has to say of an encoder that the recipe does not name: the name it was wrapped by, or, for a
    reader's own, that of its class. None for one of the kit's."""
    if encoder is None or (type(encoder).__module__.startswith("sslkit.") and not isinstance(encoder, Wrapped)):
        return None
    return getattr(encoder, "name", "") or type(getattr(encoder, "net", encoder)).__name__


def replace(net: nn.Module, name: str, module: nn.Module) -> None:
    """Put another module in the place of that name."""
    parent, _, last = name.rpartition(".")
    setattr(net.get_submodule(parent), last, module)


def library_of(net: nn.Module | Callable[..., nn.Module]) -> str:
    """The package that defines the network's class, or the function that makes it."""
    return str(getattr(net if inspect.isroutine(net) else type(net), "__module__", "")).split(".")[0]


def before_pooling(net: nn.Module, x: Tensor) -> Tensor:
    """What the last pooling layer gets, or else what the last layer gives before there is a feature vector."""
    pooled: list[Tensor] = []
    other: list[Tensor] = []

    def look(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.AdaptiveAvgPool2d):
            pooled.append(inputs[0])
        elif isinstance(output, Tensor) and output.ndim in (3, 4):
            other.append(output)

    hooks = [module.register_forward_hook(look) for module in net.modules()]
    try:
        net(x)
    finally:
        for hook in hooks:
            hook.remove()
    return (pooled or other)[-1]
