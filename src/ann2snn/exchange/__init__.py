"""Networks and specs of other programs, there and back: twins, NIR graphs, ONNX files."""
