"""What an error of torch or Python means, in the words of a teacher."""

from __future__ import annotations

import re

MEANINGS = (  # (what the error says, the name of the mistake, what the reader hears)
    (r"mean\(\): .*dtype", "mean of whole numbers", "torch takes no mean of whole numbers or booleans: call .float() first."),
    (
        r"must be Tensor, not (int|float)|has no attribute 'log'|loop of ufunc",
        "a number where torch wants a tensor",
        "That is a plain number, and torch's functions want tensors: math.log, math.exp, math.cos and math.sqrt take numbers.",
    ),
    (
        r"modified by an inplace operation|leaf Variable that requires grad is being used in an in-place|"
        r"output of a function that returns multiple views",
        "changed in place",
        "Something is changed in place (+=, x[i] = ..., a method whose name ends in _) that the gradient needs as it was: "
        "make a new tensor instead, as in z = z - z.mean(0), or work on z.clone().",
    ),
    (
        r"on Tensor that requires grad|detach\(\)\.numpy",
        "no gradient",
        "A gradient must flow back from the result, and numpy has none: stay in torch.",
    ),
    (
        r"Boolean value of Tensor|only one element tensors|a Tensor with \d+ elements cannot be converted|truth value of an array",
        "a tensor where one number is wanted",
        "Python's if, and, min, max, float and int want one number, and a tensor holds many: use torch.where, &, .clamp, .max.",
    ),
    (
        r"bitwise_(and|or|xor)\w*\W not implemented|unsupported operand type\(s\) for [&|]",
        "no brackets around a comparison",
        "`&` and `|` bind more strongly than `<` and `==`: put each comparison in brackets, (a < b) & (c == d).",
    ),
    (
        r"same dtype|expected scalar type|result type .* can't be cast|tensors used as indices|[Ee]xpected .* to have dtype|"
        r"only defined for floating|to be a floating point|not implemented for '(Long|Bool|Int)'|must be of same type",
        "dtypes that do not fit",
        "Two dtypes do not fit, or one does not suit: .float() makes float32 of whole numbers or booleans, .long() int64, "
        "and a.to(b.dtype) what b is.",
    ),
    (
        r"input should be between 0 and 1",
        "logits where probabilities are wanted",
        "That function takes probabilities, between 0 and 1: take the form that ends in _with_logits.",
    ),
    (
        r"must be int, not Tensor",
        "a tensor where one number is wanted",
        "That argument is one whole number for the whole call, and a tensor holds many: go over them one by one, with int(k[i]).",
    ),
    (
        r"invalid for input of size",
        "another number of entries",
        "There are more or fewer entries than that shape holds. Is its size written as a number? Or has a mask taken out not equally "
        "many from each row?",
    ),
    (
        r"size of tensor|shapes cannot be multiplied|[Ss]izes of tensors must match|[Ee]xpected (input )?batch|[Ee]xpected target|"
        r"[Ss]hape mismatch|could not be broadcast|not aligned|same size|equal size|[Ee]xpected size for|"
        r"must match the (existing )?size|invalid gradient|"
        r"unflatten|doesn't match the broadcast shape|does not match the shape of the indexed|mismatch in its core",
        "shapes that do not fit",
        "The shapes do not fit together. Print .shape of each part of the line: is one transposed, an axis forgotten or one "
        "too many (dim=, keepdim=), or its size written as a number?",
    ),
    (
        r"must have same number of dimensions|"
        r"[Dd]imension out of range|[Dd]imension specified as|too many indices|not enough values to unpack|"
        r"too many values to unpack|dims? .*must",
        "another number of axes",
        "It expects a different number of axes than the input has: print its .shape.",
    ),
    (
        r"out of bounds|out of range",
        "an index past the end",
        "An index points past the end: is it off by one, a modulo missing, or another axis meant?",
    ),
)  # fmt: skip

KINDS = {
    ZeroDivisionError: (
        "division by zero",
        "With the input below your code divides by 0. It is one that the task allows: treat it before you divide.",
    ),
    NameError: (
        "an unknown name",
        "A name is not defined where it is used: a typing error, a missing import, or a variable of another function?",
    ),
    AttributeError: ("an unknown method", "What stands before the dot has no such method: print its type."),
    RecursionError: ("calls itself", "The function calls itself without end."),
}


def meaning(error: BaseException, text: str) -> tuple[str, str]:
    """(the name of the mistake, what it means); ("", "") of an error that says enough, or nothing."""
    for pattern, name, words in MEANINGS:
        if re.search(pattern, text):
            return name, words
    return next((found for kind, found in KINDS.items() if isinstance(error, kind)), ("", ""))
