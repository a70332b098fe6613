"""The event engine, in compiled kernels: `threads` deals images out, `driver` runs one of them."""
