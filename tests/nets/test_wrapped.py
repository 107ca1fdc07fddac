"""Networks of other libraries and a reader's own as encoders: wrapped in a line, trained, judged, saved, read again."""

import pytest
import torch
import torchvision
from states import same, weights
from tiny import takes_any_encoder
from torch import nn

from sslkit import chapters
from sslkit.datasets import load
from sslkit.nets import build_encoder, parameter_count, wrap
from sslkit.probes import features, finetune, reinitialised, scoreboard
from sslkit.runs import load_encoder, load_run
from sslkit.train import Recipe, build, train

timm = pytest.importorskip("timm")
pytestmark = pytest.mark.usefixtures("plain_precision", "smoke_scale")

RESNET, CONVNEXT = "torchvision:resnet18", "timm:convnext_atto"
VIT = "timm:vit_tiny_patch16_224,img_size=32,patch_size=4,embed_dim=24,depth=2,num_heads=2"
DIMS = {RESNET: 512, CONVNEXT: 320, VIT: 24}
IMAGES = [name for name in chapters.methods() if chapters.kind_of(name) == "images" and takes_any_encoder(name)]
ABOUT = {"name": "rotation", "data": "scenes", "channels": 3, "size": 32}
each_name = pytest.mark.parametrize("name", DIMS)


class Own(nn.Module):
    """A reader's network: it gives a map, and holds a parameter that no layer resets."""

    def __init__(self, width: int = 6):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, width, 3, 2), nn.BatchNorm2d(width), nn.ReLU())
        self.scale = nn.Parameter(torch.ones(width, 1, 1))

    def forward(self, x):
        return self.scale * self.layers(x)


@pytest.fixture(scope="module")
def data():
    return load("scenes", limit=60)


def trained(encoder, data, out=None, method="rotation", steps=2, **recipe):
    """A method of the course with this encoder after some steps."""
    module = chapters.get(method)
    recipe = module.RECIPES["laptop"].but(steps=steps, batch=8, **recipe)
    method = module.METHOD(encoder, **recipe.options)
    list(train(method, data.train.x, recipe, out=out, about=ABOUT))
    return method


@each_name
@pytest.mark.parametrize("channels", [1, 3])
def test_what_every_encoder_promises(name, channels):
    encoder, x = build_encoder(name, channels).eval(), torch.rand(2, channels, 32, 32)
    assert (encoder.dim, encoder.channels, encoder.name) == (DIMS[name], channels, name)
    h, places = encoder(x), encoder.map(x)
    assert h.shape == (2, encoder.dim) and h.isfinite().all() and h.std() > 0
    assert places.ndim == 4 and places.shape[:2] == (2, encoder.dim) and places.isfinite().all()
    assert not encoder(x[:1]).equal(encoder(1 - x[:1]))


def test_the_map_is_what_the_features_are_pooled_from():
    x = torch.rand(2, 3, 32, 32)
    for encoder in (build_encoder(RESNET).eval(), wrap(Own).eval()):
        torch.testing.assert_close(encoder.map(x).mean((2, 3)), encoder(x), atol=1e-5, rtol=1e-4)
    encoder = build_encoder(CONVNEXT).eval()  # a norm follows its pooling
    pooled = encoder.net.head.norm(encoder.map(x).mean((2, 3), keepdim=True)).flatten(1)
    torch.testing.assert_close(pooled, encoder(x), atol=1e-5, rtol=1e-4)
    tokens = (encoder := build_encoder(VIT).eval()).net.forward_features(2 * x - 1)
    assert torch.equal(encoder(x), tokens[:, 0]) and torch.equal(encoder.map(x)[:, :, 0, 3], tokens[:, 1 + 3])
    transformer = wrap(torchvision.models.VisionTransformer(32, 8, 1, 2, 16, 32)).eval()
    assert transformer.dim == 16 and transformer.map(x).shape == (2, 17, 16)


def test_a_factory_an_instance_and_a_name_are_one_network():
    torch.manual_seed(0)
    by_name = wrap(RESNET)
    torch.manual_seed(0)
    by_factory = wrap(torchvision.models.resnet18)
    torch.manual_seed(0)
    by_instance = wrap(torchvision.models.resnet18())
    assert same(weights(by_name), weights(by_factory)) and same(weights(by_name), weights(by_instance))
    assert by_name.name == by_factory.name == RESNET and by_instance.name == ""
    assert parameter_count(by_name) == 11_176_512, "ResNet-18 without its classifier"
    assert wrap(timm.models.convnext_atto, channels=1).name == CONVNEXT
    assert wrap("timm:vit_tiny_patch16_224", img_size=32, patch_size=4).name.endswith("224,img_size=32,patch_size=4")


def test_a_classifier_that_is_gone_already_costs_no_other_layer():
    once = wrap(torchvision.models.mobilenet_v2(width_mult=0.25))
    assert wrap(once.net).dim == once.dim == 1280 and parameter_count(wrap(once.net)) == parameter_count(once)


def test_images_reach_a_library_centred_and_an_own_network_as_they_are():
    x, seen = torch.rand(2, 3, 32, 32), []
    for net, expected in ((torchvision.models.resnet18(), 2 * x - 1), (Own(), x)):
        encoder = wrap(net)
        next(encoder.net.children()).register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        encoder(x)
        assert torch.equal(seen[-1], expected)


@each_name
def test_starting_afresh_forgets_everything_and_depends_on_the_seed(name):
    encoder = build_encoder(name)
    with torch.no_grad():
        for value in encoder.state_dict().values():
            value.fill_(7)
    a, b, c = (weights(reinitialised(encoder, seed)) for seed in (0, 0, 1))
    assert same(a, b) and not same(a, c) and not any((value == 7).any() for value in a.values())
    torch.manual_seed(3)
    new = build_encoder(name).state_dict()
    for key, value in (
        (key, value) for key, value in a.items() if value.numel() > 1
    ):  # drawn from the same distribution as a new network's
        assert value.float().std().item() == pytest.approx(new[key].float().std().item(), rel=0.5, abs=1e-2), key


def test_an_own_network_starts_afresh_by_what_makes_it():
    assert (reinitialised(wrap(Own)).net.scale == 1).all()
    assert reinitialised(wrap(lambda: Own(9))).dim == 9
    with pytest.raises(ValueError, match="the network Own cannot be started afresh.*wrap what makes it"):
        reinitialised(wrap(Own()))


@pytest.mark.parametrize("method", IMAGES)
def test_every_method_trains_it(method, data):
    encoder = wrap(VIT, dynamic_img_size=True)  # patches are smaller than images
    before = weights(encoder)
    trained(encoder, data, method=method)
    assert not same(before, weights(encoder))


@each_name
@pytest.mark.slow
def test_it_is_judged_saved_and_read_again(name, data, tmp_path):
    method = trained(build_encoder(name), data, tmp_path)
    board = scoreboard(method, data, seeds=[0], per_class=2, supervised_steps=2)
    assert [row.name for row in board.rows] == ["pixels", "untrained", "Rotation", "supervised"]
    again, state = load_run(tmp_path)
    assert state["network"] == name and same(weights(again), weights(method))
    encoder, _ = load_encoder(tmp_path)
    x = data.test.x[:8]
    torch.testing.assert_close(features(encoder, x), features(method, x))


@pytest.mark.parametrize("name", [VIT, RESNET])
def test_it_is_fine_tuned(name, data):
    assert 0 <= finetune(build_encoder(name), data, 1, steps=2, lrs=(1e-3,)).test <= 1


def test_a_recipe_names_it_and_resumes(data, tmp_path):
    recipe = Recipe(steps=4, lr=0.01, batch=8, encoder=VIT)
    module = chapters.get("rotation")
    whole = build(module.METHOD, recipe)
    list(train(whole, data.train.x, recipe))
    for record in train(build(module.METHOD, recipe), data.train.x, recipe, out=tmp_path, about=ABOUT):
        if record.step == 2:
            break
    again = build(module.METHOD, recipe, seed=1)
    list(train(again, data.train.x, recipe, out=tmp_path, about=ABOUT, resume=True))
    assert same(weights(again), weights(whole))


def test_an_own_network_is_read_by_passing_it(data, tmp_path):
    method = trained(wrap(Own), data, tmp_path)
    for read in (load_run, load_encoder):
        with pytest.raises(ValueError, match=r"network of your own, Own.*encoder=wrap\(Own"):
            read(tmp_path)
        with pytest.raises(ValueError, match="another shape"):
            read(tmp_path, encoder=wrap(lambda: Own(7)))
    x = data.test.x[:8]
    for read in (load_run, load_encoder):
        torch.testing.assert_close(features(read(tmp_path, encoder=wrap(Own))[0], x), features(method, x))


REFUSED = {
    "no such network": (lambda: wrap("timm:convnext_atom"), "timm has no 'convnext_atom'; did you mean convnext_atto"),
    "no such library": (lambda: wrap("keras:resnet"), "no library 'keras'"),
    "an option without a value": (lambda: wrap("timm:convnext_atto,img_size"), "must be OPTION=VALUE"),
    "an option it does not take": (lambda: wrap("timm:convnext_atto,depth=3"), "timm cannot make 'convnext_atto' with"),
    "options of a finished one": (lambda: wrap(Own(), width=3), "already made takes no options"),
    "no network": (lambda: wrap(3), "not int"),
    "no features": (lambda: wrap(nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(0))), "gives no features"),
    "another size": (
        lambda: wrap("timm:vit_tiny_patch16_224,depth=1")(torch.rand(1, 3, 32, 32)),
        "takes images of 224 x 224 pixels, not 32 x 32.*img_size=32",
    ),
    "an unknown encoder": (lambda: build_encoder("vgg"), "small, .*torchvision:NAME or timm:NAME"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_wrapped_is_refused_in_words(what):
    attempt, words = REFUSED[what]
    with pytest.raises((ValueError, TypeError), match=words):
        attempt()
