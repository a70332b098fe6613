"""NIR, the intermediate representation that neuromorphic hardware and libraries read."""

from ann2snn.exchange.exports import EXPORTS, Export
from ann2snn.exchange.nir_graph import to_nir

EXPORTS.add(Export("nir", "a NIR graph, with what NIR cannot say in its metadata", "nir", to_nir))
