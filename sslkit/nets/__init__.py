"""Networks. An encoder has `dim` and `channels`, takes float images [N, channels, H, W] in [0, 1] or tokens [N, T], and
returns features h [N, dim]; its `map` returns those of each place, [N, D, h, w], or of each token, [N, T, D]."""

from sslkit.nets.encoders import PlainEncoder, ResNet18, SmallEncoder, SpatialEncoder
from sslkit.nets.layers import at_least_float32, check_views, conv, full_precision, mlp, parameter_count
from sslkit.nets.registry import ENCODERS, Architecture, architecture, build_encoder
from sslkit.nets.using import device_of, evaluated, evaluating, to_input
from sslkit.nets.wrapped import Wrapped, network_name, wrap

__all__ = [
    "ENCODERS",
    "Architecture",
    "PlainEncoder",
    "ResNet18",
    "SmallEncoder",
    "SpatialEncoder",
    "Wrapped",
    "architecture",
    "at_least_float32",
    "build_encoder",
    "check_views",
    "conv",
    "device_of",
    "evaluated",
    "evaluating",
    "full_precision",
    "mlp",
    "network_name",
    "parameter_count",
    "to_input",
    "wrap",
]
