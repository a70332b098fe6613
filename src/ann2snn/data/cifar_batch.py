"""The arrays of CIFAR-10 and CIFAR-100, whose files are pickles, read without unpickling."""

import pickletools

import numpy as np
import numpy.typing as npt

PIXELS = 3 * 32 * 32
LABELS = (b"labels", b"fine_labels")
ARRAY_MAKERS = frozenset(
    {"numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype"},
)


def read_batch(
    content: bytes, name: str, dataset: str = "CIFAR-10", classes: int = 10
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images (N, 3, 32, 32) and labels (N,) of a batch, by walking its opcodes.

    Nothing is executed: of the stream only the one string of pixels and the whole numbers between
    the key 'labels' or 'fine_labels' and the next string are taken. What the pickle would call is
    read as text.

    Raises:
        ValueError: the stream is no such batch.
    """
    pixels: list[bytes] = []
    labels: list[int] = []
    after_labels = False
    try:
        for opcode, argument, _ in pickletools.genops(content):
            if opcode.name == "GLOBAL" and argument not in ARRAY_MAKERS:
                raise ValueError(f"it names {argument!r}")
            if opcode.name in ("BINSTRING", "SHORT_BINSTRING"):
                text = str(argument).encode("latin-1")
                if len(text) >= PIXELS:
                    pixels.append(text)
                after_labels = text in LABELS
            elif after_labels and opcode.name == "BININT1":
                labels.append(int(str(argument)))
    except ValueError as error:
        raise ValueError(f"{name} is not a {dataset} batch: {error}") from error
    sizes = [len(string) for string in pixels]
    if not labels or sizes != [PIXELS * len(labels)] or max(labels) >= classes:
        raise ValueError(
            f"{name} is not a {dataset} batch: it has {len(labels)} labels and pixels of"
            f" {sizes} bytes"
        )
    images = np.frombuffer(pixels[0], np.uint8).reshape(-1, 3, 32, 32)
    return images, np.array(labels, np.int64)
