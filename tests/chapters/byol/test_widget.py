"""Two inputs: the panel draws anew for each slider, and stands still where there is no kernel."""

from displayed import displayed

from sslkit.chapters.byol.widget import two_inputs


def learn(noise_a, noise_b):
    return [(1 + noise_b * k, 1 - noise_a * k) for k in range(3)]


def test_each_slider_changes_the_picture():
    panel = two_inputs(learn)
    assert "noise 0.3 and 0.8: w_a 2.6, w_b 0.4, length 2.63" in panel.picture.alt
    for name, value in (("noise_a", 0.5), ("noise_b", 0.1)):
        before = panel.image.value
        panel.controls[name].value = value
        assert panel.words.value == "" and panel.image.value != before, name
    assert "noise 0.5 and 0.1: w_a 1.2, w_b 0, length 1.2" in panel.picture.alt


def test_three_settings_stand_still_without_a_kernel():
    picture = displayed(two_inputs(learn))
    assert all(f"noise {noises}:" in picture.alt for noises in ("0.5 and 0.5", "0.4 and 0.6", "0.3 and 0.8"))
