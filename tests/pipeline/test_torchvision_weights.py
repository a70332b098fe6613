"""A network and a file of weights of torchvision go through the pipeline as docs/imagenet.md has
it."""

import re
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import load_file
from torch import nn
from torchvision.models import resnet18

from ann2snn.records import Record
from tests.pipeline.project import ROOT, make_project, run_stage

SIZE, CLASSES = 32, ("n01440764", "n01443537", "n01484850")
MEAN, STD = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def write_images(folder: Path) -> torch.Tensor:
    """Four made images of each class for training and two for testing; gives those for testing, in
    the order of classes."""
    generator = np.random.default_rng(0)
    tests = []
    for part, count in (("train", 4), ("test", 2)):
        for name in CLASSES:
            (folder / part / name).mkdir(parents=True)
            for index in range(count):
                pixels = generator.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
                pixels //= np.uint8(
                    generator.integers(1, 5)
                )  # of unlike brightness: unlike answers
                Image.fromarray(pixels).save(folder / part / name / f"{index}.png")
                if part == "test":
                    tests.append(torch.from_numpy(pixels).permute(2, 0, 1))
    return torch.stack(tests).float() / 255


def trained(pixels: torch.Tensor) -> nn.Module:
    """A ResNet-18 of random weights, batch norm set by these images."""
    torch.manual_seed(0)
    network: nn.Module = resnet18(num_classes=len(CLASSES))
    with torch.no_grad():
        network.train()(pixels)
    return network.eval()


def code_of_the_page() -> str:
    page = (ROOT / "docs" / "imagenet.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    return str(code)


def test_torchvisions_weights_answer_in_the_pipeline_as_in_torchvision(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    (project / "imagenet_network.py").write_text(code_of_the_page(), encoding="utf-8")
    pixels = write_images(project / "imagenet")
    normalized = (pixels - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    network = trained(normalized)
    torch.save(network.state_dict(), project / "resnet18.pth")
    with torch.no_grad():
        expected = network(normalized).argmax(1).numpy()
    assert len(set(expected.tolist())) > 1
    done = run_stage(
        project, "simulation", "data=folder", f"data.path={project / 'imagenet'}",
        "data.validation=3", "data.calibration=6", "ann.network=imagenet_network:make",
        "ann.weights=resnet18.pth", "conversion.normalization=channel",
        "conversion.spikes=signed", "conversion.output=potential",
        "conversion.initial_potential=0.5", "simulation.steps=8", "simulation.engine=dense",
        "run.track=false",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (answers,) = (project / "store" / "ann").glob("*/predictions.safetensors")
    assert load_file(answers)["predictions"].tolist() == expected.tolist()
    (record,) = (project / "store" / "simulation").glob("*/record.json")
    metrics = Record.read(record).metrics
    assert metrics["exact"] is True
    assert metrics["images"] == len(expected)
