"""CIFAR-10's batches are pickles; their arrays are read here without unpickling anything."""

import pickletools

import numpy as np
import numpy.typing as npt

PIXELS = 3 * 32 * 32
ARRAY_MAKERS = frozenset(
    {"numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype"},
)


def read_batch(content: bytes, name: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images (N, 3, 32, 32) and labels (N,) of a batch, by walking its opcodes.

    Nothing is executed: of the stream only the one string of pixels and the whole numbers between
    the key 'labels' and the next string are taken. What the pickle would call is read as text.

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
                after_labels = text == b"labels"
            elif after_labels and opcode.name == "BININT1":
                labels.append(int(str(argument)))
    except ValueError as error:
        raise ValueError(f"{name} is not a CIFAR-10 batch: {error}") from error
    sizes = [len(string) for string in pixels]
    if not labels or sizes != [PIXELS * len(labels)] or max(labels) > 9:
        raise ValueError(
            f"{name} is not a CIFAR-10 batch: it has {len(labels)} labels and pixels of"
            f" {sizes} bytes"
        )
    images = np.frombuffer(pixels[0], np.uint8).reshape(-1, 3, 32, 32)
    return images, np.array(labels, np.int64)
