"""One thing changed of a method's recipe: what a chapter takes away to see what it was worth."""

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import nn

from sslkit.train.recipe import Recipe, build


@dataclass(frozen=True)
class Ablation:
    """settings: of the recipe; options: of the method's constructor; make: another method to stand beside this one, which takes these
    options alone; change: what is done to the built method; length: a share of the recipe's steps, for equal compute where a step
    costs more; once: a picture of what goes wrong, which one seed is enough for."""

    settings: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    make: Callable[..., nn.Module] | None = None
    change: Callable[[nn.Module], None] | None = None
    length: float = 1.0
    once: bool = False

    def recipe(self, recipe: Recipe) -> Recipe:
        """The recipe with the change, as many image passes as before (times length): a smaller batch takes more steps."""
        options = self.options if self.make else recipe.options | self.options
        changed = recipe.but(**self.settings, options=options)
        return changed.but(steps=round(self.length * changed.steps * recipe.batch / changed.batch))

    def build(self, method_class: Callable[..., nn.Module], recipe: Recipe, channels: int, seed: int) -> nn.Module:
        """The changed method; its weights are those that the seed gives the unchanged one, where the shapes allow it."""
        method = build(self.make or method_class, self.recipe(recipe), channels, seed)
        if self.change is not None:
            self.change(method)
        return method
