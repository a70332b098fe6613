"""The data sets: every module here adds its rows to the table `ann2snn.data.source.DATA_SETS`."""
