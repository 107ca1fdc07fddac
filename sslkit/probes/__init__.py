"""What a representation is worth: features, kNN, linear probe, few labels, fine-tuning, the scoreboard.

Settings are chosen on train and val; the test split is for the last number alone.
"""

from sslkit.probes.clips import clip_report
from sslkit.probes.features import accuracy, backbone, device_of, features, pixels, reinitialised, tf_idf
from sslkit.probes.few import few_labels, label_subset
from sslkit.probes.finetuning import FineTuned, finetune, supervised
from sslkit.probes.knn import knn, knn_accuracy, neighbours, quick_knn
from sslkit.probes.label_efficiency import ARMS, crossing, finetune_report, label_efficiency, lead
from sslkit.probes.linear import LinearProbe, fit_logistic, linear_probe, quick_linear_probe, standardise
from sslkit.probes.report import report
from sslkit.probes.ridge import RidgeProbe, r2, ridge_probe
from sslkit.probes.scores import Row, Scoreboard, scoreboard
from sslkit.probes.snapshots import Snapshots

__all__ = [
    "ARMS",
    "FineTuned",
    "LinearProbe",
    "RidgeProbe",
    "Row",
    "Scoreboard",
    "Snapshots",
    "accuracy",
    "backbone",
    "clip_report",
    "crossing",
    "device_of",
    "features",
    "few_labels",
    "finetune",
    "finetune_report",
    "fit_logistic",
    "knn",
    "knn_accuracy",
    "label_efficiency",
    "label_subset",
    "lead",
    "linear_probe",
    "neighbours",
    "pixels",
    "quick_knn",
    "quick_linear_probe",
    "r2",
    "reinitialised",
    "report",
    "ridge_probe",
    "scoreboard",
    "standardise",
    "supervised",
    "tf_idf",
]
