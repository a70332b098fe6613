"""The files of a logged model: code, spec, signature and an example, and nothing pickled."""

import warnings
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ann2snn.records import Json
from ann2snn.tracking.artifacts import Files

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ann2snn.spec import SpikingSpec

CODE = Path(__file__).with_name("model_code.py")
SPEC = "spec.safetensors"


@dataclass(frozen=True)
class Network:
    """A converted network whose spec is at hand: the file, the network's name, the test images that
    lie in the store (.npy), and the names of the classes."""

    name: str
    spec: Path
    images: Path | None
    classes: tuple[str, ...]


def model_files(network: Network, model: Any, scratch: Path) -> Files:
    """The files of the logged model `model`, made in the empty folder `scratch`.

    The example is the first test image, else a ramp through all levels.
    """
    with warnings.catch_warnings():  # MLflow warns of its own types when it is imported
        warnings.simplefilter("ignore")
        _save(network, model, scratch)
    _without_paths(scratch)
    found = [path for path in scratch.rglob("*") if path.is_file()]
    return {path.relative_to(scratch).as_posix(): path for path in found}


def _save(network: Network, model: Any, folder: Path) -> None:
    import mlflow.pyfunc
    from mlflow.models import Model

    from ann2snn.spec import load_spec
    from ann2snn.tracking.served_network import default_steps

    spec = load_spec(network.spec)
    parameters = {"steps": default_steps(spec), "exit_margin": 0.0}
    mlflow.pyfunc.save_model(
        str(folder),
        python_model=str(CODE),
        artifacts={"spec": str(network.spec)},
        signature=_signature(spec, parameters),
        input_example=(_example(spec, network.images), parameters),
        pip_requirements=[f"{name}=={metadata.version(name)}" for name in ("ann2snn", "mlflow")],
        metadata={"levels": spec.levels, "classes": list(network.classes)},
        mlflow_model=Model(model.artifact_location, model.source_run_id, model_id=model.model_id),
    )


def _signature(spec: "SpikingSpec", parameters: Json) -> Any:
    """Images in; class and steps of each out; how long to simulate and when to leave early."""
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec

    images = TensorSpec(np.dtype("float64"), (-1, *spec.input.shape))
    kinds = {"steps": "long", "exit_margin": "double"}
    return ModelSignature(
        Schema([images]),
        Schema([ColSpec("long", name) for name in ("answer", "steps")]),
        ParamSchema([ParamSpec(name, kinds[name], value) for name, value in parameters.items()]),
    )


def _example(spec: "SpikingSpec", images: Path | None) -> "npt.NDArray[np.float64]":
    import numpy as np

    if images is not None:
        kept = np.load(images, mmap_mode="r", allow_pickle=False)
        if kept.shape[1:] == spec.input.shape:
            return np.asarray(kept[:1], np.float64)
    pixels = np.arange(np.prod(spec.input.shape), dtype=np.float64) % (spec.levels + 1)
    return pixels.reshape((1, *spec.input.shape))


def _without_paths(folder: Path) -> None:
    """Names files by their place in the model: MLflow writes where on this machine they came from,
    and reads no more than the last part."""
    from mlflow.models import Model

    saved = Model.load(str(folder))
    flavor = saved.flavors["python_function"]
    flavor["model_code_path"] = CODE.name
    flavor["artifacts"]["spec"]["uri"] = SPEC
    saved.save(str(folder / "MLmodel"))
