"""Which negatives a process sees: the entries against a loop, the figure, the widget."""

import numpy as np
import pytest
from displayed import displayed

from sslkit.chapters.many_gpus import figures, widget
from sslkit.chapters.many_gpus.figures import seen


@pytest.mark.parametrize("batch, processes, process", [(4, 2, 1), (6, 3, 2), (4, 4, 0), (3, 1, 0)])
def test_entries_are_those_of_a_loop(batch, processes, process):
    local, plain, every, whole = seen(batch, processes, process)
    share = batch // processes
    mine = [i for i in range(2 * batch) if process * share <= i % batch < (process + 1) * share]
    for i in range(2 * batch):
        for j in range(2 * batch):
            assert local[i, j] == (2 if i in mine and j in mine else 0)
            assert plain[i, j] == (0 if i not in mine else 2 if j in mine else 1)
            assert every[i, j] == (2 if j in mine else 1)
            assert whole[i, j] == 2


def test_one_process_sees_everything_in_all_ways():
    assert (seen(4, 1, 0) == 2).all()


@pytest.mark.parametrize("arguments", [(6, 4, 0), (6, 3, 3), (6, 0, 0)])
def test_what_cannot_be_shared_is_refused(arguments):
    with pytest.raises(ValueError, match="share equally"):
        figures.negatives(*arguments)


def test_the_figure_counts_the_negatives():
    picture = figures.negatives(16, 4, 1)
    assert "meets 6, 30, 30 and 30 negatives" in picture.alt and len(picture.png) < 60_000


def test_each_control_changes_the_picture():
    panel = widget.negatives(8, 2)
    for name, value in (("processes", 4), ("process", 3)):
        before = panel.image.value
        panel.controls[name].value = value
        assert panel.words.value == "" and panel.image.value != before
    panel.controls["processes"].value = 1  # process 3 is not there any more: the last one is shown
    assert panel.words.value == "" and "process 0" in panel.picture.alt
    assert len(displayed(panel).png) < 100_000


def test_a_number_that_does_not_divide_is_an_error():
    with pytest.raises(ValueError, match="share equally"):
        widget.negatives(8, 3)
    assert np.ndim(seen(2, 1, 0)) == 3
