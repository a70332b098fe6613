"""The networks: every module here adds its rows to the table `ann2snn.ann.network.NETWORKS`."""
