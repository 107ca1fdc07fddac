"""The rival that counts words: tf-idf with logistic regression."""

from sslkit.probes import label_subset


def passages_as_text(data) -> dict[str, list[str]]:
    """The passages of each split as text again, without <pad> and <end>."""
    special = set(data.tokenizer.special.values())
    return {
        part: [data.tokenizer.decode([t for t in row if t not in special]) for row in split.x.tolist()]
        for part, split in data.splits.items()
    }


def tf_idf_accuracy(data, per_class: int, seed: int = 0, texts: dict[str, list[str]] | None = None) -> float:
    """Test accuracy of logistic regression on the tf-idf of words, with `per_class` labels of each class.

    The words and how rare they are come from all training passages, which needs no labels; the labelled ones are those
    that `finetune` gets for this seed. C is chosen on val. texts: passages_as_text(data), to make them once.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # takes a second to import: only who compares pays
    from sklearn.linear_model import LogisticRegression

    texts = texts or passages_as_text(data)
    counter = TfidfVectorizer(sublinear_tf=True, min_df=2).fit(texts["train"])
    rows = label_subset(data.train.y, per_class, seed)
    x, y = counter.transform([texts["train"][i] for i in rows.tolist()]), data.train.y[rows].numpy()
    fits = [LogisticRegression(C=C, max_iter=1000).fit(x, y) for C in (1.0, 10.0, 100.0, 1000.0)]
    val = counter.transform(texts["val"])
    best = max(fits, key=lambda fit: fit.score(val, data.val.y.numpy()))
    return best.score(counter.transform(texts["test"]), data.test.y.numpy())
