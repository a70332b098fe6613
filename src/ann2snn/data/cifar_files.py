"""torchvision's files of CIFAR-10 and CIFAR-100, each held to its checksum."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ann2snn.data.archives import members
from ann2snn.data.cifar_batch import read_batch
from ann2snn.data.download import md5_of


def read_files(
    path: Path, dataset: str, parts: Sequence[Mapping[str, str]], classes: int
) -> list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]:
    """Images and labels of each part, from the files of a folder or an archive;
    `parts` are their names with the md5 of each.

    Raises:
        ValueError: a file is missing or is not the original one.
    """
    wanted = {name: md5 for part in parts for name, md5 in part.items()}
    content = {
        member.parts[-1]: member.content()
        for member in members(path)
        if member.content is not None and member.parts[-1] in wanted
    }
    for name, md5 in wanted.items():
        if md5_of(content.get(name, b"")) != md5:
            raise ValueError(
                f"{name} of {dataset} is missing in {path.name} or does not have torchvision's"
                f" checksum; remove {path.name} and it will be downloaded again"
            )
    arrays = []
    for part in parts:
        read = [read_batch(content[name], name, dataset, classes) for name in part]
        images = np.concatenate([images for images, _ in read])
        arrays.append((images, np.concatenate([labels for _, labels in read])))
    return arrays
