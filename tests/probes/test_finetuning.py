"""Fine-tuning and supervised training: what they learn, what they leave alone, and batch norm with few images."""

import copy
import os
import signal

import pytest
import torch
from states import weights
from tints import Method, Net, split, tinted
from torch import nn
from two_processes import in_two_processes

from sslkit import checkpoint, dist
from sslkit.datasets import Split
from sslkit.probes import accuracy, features, finetune, label_subset, supervised
from sslkit.probes.finetuning import VIEW, Classifier, evenly, measure_batch_norm

pytestmark = pytest.mark.usefixtures("plain_precision")


def unchanged(module, before):
    return all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def test_finetune_learns_from_few_labels_and_leaves_the_encoder_alone():
    torch.manual_seed(0)
    method, data = Method().train(), tinted()
    method.encoder.layers[0].weight.requires_grad_(False)  # trained in the copy all the same
    before, modes = weights(method), [m.training for m in method.modules()]
    result = finetune(method, data, per_class=6, seed=1, steps=60, lrs=(0.0, 1e-2))
    assert result.test > 0.7 and result.lr == 1e-2
    assert result.val[1e-2] > result.val[0.0] and set(result.val) == {0.0, 1e-2}
    assert unchanged(method, before) and [m.training for m in method.modules()] == modes
    assert all(p.grad is None for p in method.parameters())
    assert (result.per_class, result.seed, result.steps) == (6, 1, 60)


def test_finetune_reads_test_once_and_only_the_labelled_images_often():
    torch.manual_seed(0)
    data, steps = tinted(), 15
    finetune(Net(), data, per_class=2, seed=3, steps=steps, lrs=(1e-3, 1e-2))
    labelled = label_subset(data.train.y, 2, 3)
    assert (data.test.x.reads == 1).all()
    assert (data.val.x.reads == 2).all()  # once a learning rate
    others = torch.ones(90, dtype=torch.bool).index_fill_(0, labelled, False)
    assert (data.train.x.reads[others] == 2).all()  # batch norm's statistics, once a learning rate


def test_the_test_split_has_no_say_in_the_learning_rate():
    torch.manual_seed(0)
    net, data = Net(), tinted()
    right = finetune(net, data, per_class=4, steps=40, lrs=(1e-4, 1e-2))
    data.test.y = (data.test.y + 1) % 3  # every answer is now wrong
    wrong = finetune(net, data, per_class=4, steps=40, lrs=(1e-4, 1e-2))
    assert wrong.lr == right.lr and wrong.val == right.val and wrong.test < 0.2 < right.test


def test_the_same_seed_gives_the_same_result_and_another_does_not():
    torch.manual_seed(0)
    net, data = Net(), tinted()
    a, b, c = (finetune(net, data, per_class=2, seed=seed, steps=10, lrs=(3e-3,)) for seed in (0, 0, 1))
    assert a == b and a.test != c.test


def test_supervised_starts_afresh_and_learns_from_all_labels():
    torch.manual_seed(0)
    method, data = Method(), tinted()
    with torch.no_grad():
        method.encoder.layers[0].weight.zero_()  # an encoder that sees nothing: fresh weights are needed
    before = weights(method)
    network = supervised(method, data, steps=40, batch=30, lr=1e-2)
    assert accuracy(features(network, data.test.x).argmax(1), data.test.y) > 0.8
    assert not network.training and type(network[0]) is Net and unchanged(method, before)


def test_a_stopped_training_goes_on_to_the_same_result(tmp_path, monkeypatch):
    torch.manual_seed(0)
    net, data = Net(), tinted()
    whole = finetune(net, data, per_class=4, steps=6, lrs=(1e-3, 1e-2))
    steps = []

    def interrupt(self, *_):
        steps.append(1)
        if len(steps) == 9:  # the third step of the second rate
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Classifier, "after_step", interrupt, raising=False)
        with pytest.raises(KeyboardInterrupt, match="Stopped after step 3 of 6"):
            finetune(net, data, per_class=4, steps=6, lrs=(1e-3, 1e-2), out=tmp_path)
    assert [checkpoint.load(tmp_path / f"lr-{lr}" / "checkpoint.pt")["step"] for lr in (0.001, 0.01)] == [6, 3]
    assert finetune(net, data, per_class=4, steps=6, lrs=(1e-3, 1e-2), out=tmp_path, resume=True) == whole


def test_supervised_training_resumes_bit_for_bit(tmp_path):
    torch.manual_seed(0)
    net, data = Net(), tinted()
    whole = supervised(net, data, steps=5, batch=30)
    supervised(net, data, steps=5, batch=30, out=tmp_path)
    again = supervised(net, data, steps=5, batch=30, out=tmp_path, resume=True)
    assert all(torch.equal(value, weights(again)[key]) for key, value in weights(whole).items())
    with pytest.raises(ValueError, match="seed 0, not 1"):
        supervised(net, data, steps=5, batch=30, seed=1, out=tmp_path, resume=True)


def tuned() -> dict:
    torch.manual_seed(0)
    result = finetune(Net(), tinted(), per_class=8, seed=1, steps=60, lrs=(1e-2,))
    return {
        "test": torch.tensor(result.test),
        "val": torch.tensor(result.val[1e-2]),
        "world": torch.tensor(dist.world()),
    }


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path):
    first, second = in_two_processes(tuned, tmp_path)
    assert first == second and first["world"] == 2 and first["test"] > 0.7


def test_views_are_drawn_from_the_stream_that_the_results_were_drawn_from():
    """By seed and step alone in one process, as before there were several; each process has its own."""
    method, x, y = Classifier(Net(), split(4, 0).x.x, 3), split(4, 0).x.x, torch.zeros(4)

    def view(seed):
        return method.pretext((x, y), torch.Generator().manual_seed(seed))[0]

    old = VIEW(x, torch.Generator().manual_seed(2 * 1_000_003 + 7))
    assert torch.equal(view((2 * 1_000_003 + 7) * 1009), old)
    assert not torch.equal(view((2 * 1_000_003 + 7) * 1009 + 1), old)


def test_a_run_that_diverges_says_so():
    net = Net()
    with torch.no_grad():
        net.layers[1].weight.fill_(float("nan"))
    with pytest.raises((FloatingPointError, ValueError), match="loss became nan"):
        finetune(net, tinted(), per_class=2, steps=2, lrs=(1e-3,))


def test_labels_and_settings_are_asked_for_in_words():
    data = tinted()
    data.train = Split(data.train.x, None)
    for judge in (finetune, supervised):
        with pytest.raises(ValueError, match="'tints' has no labels.*subfolder per class"):
            judge(Net(), data)
    with pytest.raises(ValueError, match="lrs"):
        finetune(Net(), tinted(), lrs=())
    with pytest.raises(ValueError, match="31 labels per class"):
        finetune(Net(), tinted(), per_class=31)


def test_batch_norm_is_measured_on_the_images_given():
    torch.manual_seed(0)
    x = split(40, 5).x.x
    net = nn.Sequential(nn.BatchNorm2d(3, momentum=0.3), nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2))
    weights = copy.deepcopy(net[1].weight)
    net[0].running_mean.fill_(9)
    measure_batch_norm(net, x)
    channels = (x.float() / 255).permute(1, 0, 2, 3).flatten(1)
    assert torch.allclose(net[0].running_mean, channels.mean(1), atol=1e-6)
    assert torch.allclose(net[0].running_var, channels.var(1), atol=1e-5)
    seen = net[1](
        (x.float() / 255 - channels.mean(1)[:, None, None])
        / (channels.var(1, correction=0) + 1e-5).sqrt()[:, None, None]
    )
    assert torch.allclose(net[2].running_mean, seen.mean((0, 2, 3)), atol=1e-5)
    assert net[0].momentum == 0.3 and torch.equal(net[1].weight, weights)


def test_evenly_spread_rows():
    assert evenly(5, 9).tolist() == [0, 1, 2, 3, 4]
    assert evenly(10, 5).tolist() == [0, 2, 4, 6, 8]
    rows = evenly(1001, 1000)
    assert len(rows.unique()) == 1000 and rows.max() < 1001
