"""Figures, tables and one page from files alone: records, studies, statistics, manifests."""
