"""A spiking network that answers images through MLflow: in a process or behind its HTTP server."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import ann2snn
from ann2snn.numerics.pixels import FLOAT_LEVELS
from ann2snn.spec import SpikingSpec

Values = npt.NDArray[np.float64]


def offer() -> None:
    """Gives MLflow, which runs `model_code` to load a model, the network that answers."""
    from mlflow.models import set_model
    from mlflow.pyfunc import PythonModel

    class SpikingNetwork(PythonModel):  # type: ignore[misc]
        def load_context(self, context: Any) -> None:
            self.spec = ann2snn.load_spec(Path(context.artifacts["spec"]))

        def predict(
            self,
            context: Any,  # noqa: ARG002
            model_input: np.ndarray,
            params: Mapping[str, Any] | None = None,
        ) -> Any:
            import pandas as pd

            return pd.DataFrame(answered(self.spec, model_input, params or {}))

    set_model(SpikingNetwork())


def default_steps(spec: SpikingSpec) -> int:
    """The steps that a request gets which names none: those that the spec was made for, else those
    of `simulate`."""
    own: int = inspect.signature(ann2snn.simulate).parameters["steps"].default
    return spec.for_steps or own


def answered(
    spec: SpikingSpec, images: Values, parameters: Mapping[str, Any]
) -> dict[str, npt.NDArray[np.int64]]:
    """The class of each image (-1 where the network has none yet) and the steps that it took, by
    `simulate` with the parameters `steps` and `exit_margin`.

    Raises:
        ValueError: the images do not fit the spec; where it counts in whole numbers, pixels that
            are none are not taken for black ones.
    """
    result = ann2snn.simulate(spec, pixels(spec, images), **parameters)
    taken = result.taken
    steps = np.full(result.images, result.steps) if taken is None else taken
    return {"answer": result.answers, "steps": steps.astype(np.int64)}


def pixels(spec: SpikingSpec, images: Values) -> npt.NDArray[Any]:
    """Images as the spec takes them: MLflow hands all numbers over as floats.

    Raises:
        ValueError: they are no whole numbers of the spec's levels.
    """
    if spec.levels == FLOAT_LEVELS:
        return images
    wrong = images[~(np.equal(images, np.rint(images)) & (images >= 0) & (images <= spec.levels))]
    if wrong.size:
        raise ValueError(
            f"images must be whole numbers k in [0, {spec.levels}], which stand for pixels"
            f" k / {spec.levels}, got {wrong[0]:g}"
        )
    return images.astype(np.int64)
