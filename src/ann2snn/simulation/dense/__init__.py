"""The dense engine, in plain torch: `steps` takes a block of images through all its steps."""
