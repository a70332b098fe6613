"""MLflow as a view over records: sent by key, each once, whenever and however often it is asked."""
