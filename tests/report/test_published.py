"""Published numbers stand beside the data set and the network that they are of, and no other."""

from typing import Any

import pytest

from ann2snn.report.published import (
    is_papers_network,
    papers_bar,
    papers_curve,
    papers_data,
    papers_network,
    published,
)

TOGGLES: dict[str, Any] = {"input": "analog", "reset": "subtract", "normalization": "percentile"}
OTHERS = ["CIFAR-100", "CIFAR-10.1", "CIFAR-10-C", "cifar100", "cifar-10", "CIFAR-10 ",
          "CIFAR-10 (JPEG)", "MNIST-C", "Fashion-MNIST", "digits", ""]  # fmt: skip


def settings(network: str = "cifar10_cnn", **conversion: Any) -> dict[str, Any]:
    ann = {"network": network, "pooling": "max", "bias": True, "output": "softmax"}
    return {"ann": ann, "conversion": {**TOGGLES, "percentile": 99.9, **conversion}}


def compared(given: dict[str, Any], dataset: str) -> bool:
    found = (papers_bar(given, dataset), papers_network(given, dataset),
             papers_curve(given, dataset), is_papers_network(given, dataset))  # fmt: skip
    assert len({bool(each) for each in found}) == 1
    return bool(found[0])


@pytest.mark.parametrize("dataset", ["CIFAR-10", "CIFAR-10 (JPEG copy)"])
def test_the_papers_network_on_its_data_set_or_the_copy_is_compared(dataset: str) -> None:
    assert compared(settings(), dataset)


@pytest.mark.parametrize("dataset", [*OTHERS, "MNIST"])
def test_another_name_however_alike_is_never_compared(dataset: str) -> None:
    assert not compared(settings(), dataset)
    assert papers_data(dataset) == ("MNIST" if dataset == "MNIST" else None)


def test_another_network_on_the_same_data_set_is_not_compared() -> None:
    assert not compared(settings("resnet18"), "CIFAR-10")


def test_the_maximum_has_one_bar_however_it_is_spelt() -> None:
    bars: list[dict[str, Any]] = [{}, {"input": "poisson"}, {"input": "poisson", "reset": "zero"}]
    for toggles in bars:
        by_name = papers_bar(settings(**{**toggles, "normalization": "max"}), "CIFAR-10")
        by_number = papers_bar(settings(**{**toggles, "percentile": 100}), "CIFAR-10")
        assert by_name == by_number is not None


def test_every_published_number_names_its_data_set() -> None:
    for table in ("ablation", "architecture", "best", "earlier"):
        for row in published(table).values():
            assert papers_data(row.dataset) == row.dataset
            assert row.network == "cifar10_cnn" or table in ("best", "earlier")
