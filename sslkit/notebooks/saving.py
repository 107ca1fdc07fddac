"""A Jupyter server extension: what is saved holds the picture of a widget, not a view of it that dies with the kernel.

JupyterLab shows a widget's view before a picture in the same output; once the kernel is gone, it shows "Error displaying widget:
model not found" in its place. The page that is open keeps its live widgets. Switched on by jupyter_server_config.d/sslkit.json,
which `kit.py lab` and an installed wheel bring along.
"""

from typing import Any

from sslkit.notebooks.cells import drop_progress, drop_widget_views


def keep_pictures(model: dict[str, Any], **_: Any) -> None:
    """A pre-save hook: take the views out of a notebook model, unless the state that they need is saved with them."""
    if model.get("type") != "notebook" or not model.get("content"):
        return
    if model["content"].get("metadata", {}).get("widgets"):
        return
    for cell in model["content"]["cells"]:
        drop_progress(cell)
        drop_widget_views(cell)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "sslkit.notebooks.saving"}]


def _load_jupyter_server_extension(server: Any) -> None:
    server.contents_manager.register_pre_save_hook(keep_pictures)
